/**
 * Two events, field by field: what was sent, and what was stored.
 */
import type { Json } from "./recorder.ts";

/** A field whose stored value is not the sent one. A side without the field is `undefined`. */
export interface Difference {
  path: string;
  sent: unknown;
  stored: unknown;
}

/** Lists every field that differs, by its dotted path. */
export function differences(sent: Json, stored: Json): Difference[] {
  const [before, after] = [leaves(sent), leaves(stored)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .map((path) => ({ path, sent: before.get(path), stored: after.get(path) }))
    .filter(({ sent, stored }) => sent !== stored);
}

/** The values of an object by their paths. An empty object or list is a value: `{}` or `[]`. */
function leaves(value: unknown, path = "", into = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return into.set(path, value);
  const entries = Object.entries(value);
  if (entries.length === 0) return into.set(path, Array.isArray(value) ? "[]" : "{}");
  for (const [key, child] of entries) leaves(child, path === "" ? key : `${path}.${key}`, into);
  return into;
}
