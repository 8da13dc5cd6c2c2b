/**
 * Values → JSON, as the page's own libraries leave it. Imports nothing, so that every file may import it.
 */

/** A value as JSON. A library of the page may have given lists a `toJSON`, which makes them texts (Prototype.js): they stay lists. */
export const json = (value: unknown): string | undefined =>
  JSON.stringify(value, function (this: Record<string, unknown>, key, told) {
    const own = this[key];
    return Array.isArray(own) ? own : told;
  });
