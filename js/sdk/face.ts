/**
 * Compares what the SDK's code takes a module's functions for (`src/wasm.d.ts`) with what wasm-bindgen wrote about the module.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const OURS = fileURLToPath(new URL("src/wasm.d.ts", import.meta.url));
/** `imports` and `bind` are written by `build.ts`, not by wasm-bindgen. */
const BUILT = /^bind\(/;

/** Every function that a text declares: `name(argument: type, …): type`. */
function functions(text: string): string[] {
  const found = [...text.matchAll(/export function (\w+\([^]*?\): [^;]+);/g)].map((one) => one[1]!.replace(/\s+/g, " "));
  return found.filter((one) => !BUILT.test(one)).sort();
}

/** Fails where the module `name` of `src/wasm.d.ts` and the file `written` differ in a name, an argument or a type. */
export function compareFace(name: string, written: string) {
  const block = readFileSync(OURS, "utf8").split("declare module ").find((one) => one.startsWith(JSON.stringify(name)));
  if (!block) throw new Error(`src/wasm.d.ts does not declare the module "${name}"`);
  const [ours, theirs] = [functions(block), functions(readFileSync(written, "utf8"))];
  const differences = [
    ...ours.filter((one) => !theirs.includes(one)).map((one) => `the module has no function \`${one}\``),
    ...theirs.filter((one) => !ours.includes(one)).map((one) => `\`${one}\` of the module is missing`),
  ];
  if (differences.length) throw new Error(`src/wasm.d.ts, module "${name}": ${differences.join("; ")}`);
}
