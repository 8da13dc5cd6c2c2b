/**
 * An object of the page → a copy for the module: `t` before a text, `n` before a number, so that the module reads neither numbers
 * nor surprises. Anything but plain data becomes `null`; a getter that throws, a missing field. `hilo-core/src/plain.rs` reads it.
 */

/** Objects within objects that are copied. */
const DEPTH_MAX = 6;
const ITEMS_MAX = 200;
const TEXT_MAX = 512;
/** Values of one object: a list that holds itself ends here. */
const VALUES_MAX = 5_000;

const kindOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

/** Copies `value`; of objects only the fields that `isWanted`, of a text at most `textMax` characters. */
export function plain(value: unknown, isWanted: (name: string) => boolean = () => true, textMax = TEXT_MAX): unknown {
  let left = VALUES_MAX;
  function copy(value: unknown, depth: number): unknown {
    if (typeof value === "string") return "t" + value.slice(0, textMax);
    if (typeof value === "number" || typeof value === "bigint") return "n" + value;
    if (typeof value === "boolean") return value;
    if (typeof value !== "object" || !value || depth >= DEPTH_MAX) return null;
    const kind = kindOf(value);
    if (kind === "Array" || kind === "Arguments") {
      // One item too many says that the list goes on.
      const list: unknown[] = Array.prototype.slice.call(value, 0, ITEMS_MAX + 1);
      return list.map((one, i) => (i < ITEMS_MAX && left-- > 0 ? copy(one, depth + 1) : null));
    }
    if (kind !== "Object") return null;
    const fields: Record<string, unknown> = {};
    for (const name of Object.keys(value).filter(isWanted)) {
      try {
        const one = (value as Record<string, unknown>)[name];
        if (one !== undefined && left-- > 0) fields[name] = copy(one, depth + 1);
      } catch {
        // A getter of the page failed. The other fields count.
      }
    }
    return fields;
  }
  return copy(value, 0);
}
