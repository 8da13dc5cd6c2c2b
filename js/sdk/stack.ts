/**
 * Holds the deepest chain of calls in a module against the bytes of its stack. Used by `hush.ts`, on a module's text.
 *
 * A stack of 5 KB is below what anybody would notice in a test. Each function takes its bytes from the stack at once, so the sum along a
 * chain of calls is exact where no function calls itself. A call through the table may reach any function there.
 */

/** Other modules have the linker's usual stack of a megabyte, and read nested objects. */
const SMALL_BYTES_MAX = 65_536;

const NAME = String.raw`\$("[^"]+"|[^\s()]+)`;
/** The names in `text` that `pattern` finds. */
const names = (text: string, pattern: string) => [...text.matchAll(RegExp(pattern, "g"))].map((one) => one[1]!);

/** Fails where a chain of calls, and the same again in a callback of the site, may need more than the stack that `text` has. */
export function checkStack(text: string) {
  const stack = Number(/\(global \$__stack_pointer \(mut i32\) \(i32\.const (\d+)\)\)/.exec(text)?.[1]);
  if (!stack) throw new Error("no stack has its name");
  if (stack > SMALL_BYTES_MAX) return;
  const inTable = names(/\(elem [^]*?\)\n/.exec(text)?.[0] ?? "", ` ${NAME}`);
  const functions = new Map<string, { bytes: number; calls: string[] }>();
  for (const part of text.split(/\n (?=\(func \$)/).slice(1)) {
    const [name = ""] = names(part, `^\\(func ${NAME}`);
    const taken = names(part, String.raw`\(i32\.sub\s+\(global\.get \$__stack_pointer\)\s+\(i32\.const (\d+)\)`);
    if (taken.length > 1 || taken.length !== part.split("(global.get $__stack_pointer)").length - 1) throw new Error(`${name} takes its stack in another way`);
    const calls = [...names(part, `\\(call ${NAME}`), ...(part.includes("(call_indirect") ? inTable : [])];
    functions.set(name, { bytes: Number(taken[0] ?? 0), calls: [...new Set(calls)] });
  }

  const known = new Map<string, number>();
  /** The bytes of the deepest chain that begins with the function `name`. An import has none. */
  function deepest(name: string, chain: string[] = []): number {
    const { bytes, calls } = functions.get(name) ?? { bytes: 0, calls: [] };
    if (chain.includes(name)) throw new Error(`nobody can tell how much stack this needs: ${[...chain, name].join(" > ")}`);
    if (!known.has(name)) known.set(name, bytes + Math.max(0, ...calls.map((one) => deepest(one, [...chain, name]))));
    return known.get(name)!;
  }
  const needed = 2 * Math.max(...names(text, String.raw`\(export "[^"]+" \(func ${NAME}\)\)`).map((one) => deepest(one)));
  if (needed > stack) throw new Error(`the deepest calls need ${needed} bytes of stack, and there are ${stack}: see stack_bytes in crates/xtask/src/build.rs`);
}
