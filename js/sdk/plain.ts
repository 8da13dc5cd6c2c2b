/**
 * What `wasm2js` wrote of a module → the file of a page that may not run WebAssembly: one function, from what the module imports to what
 * it exports, as `WebAssembly.instantiate` makes it. The glue is the same for both.
 */
import { transform } from "esbuild";

/** The module's function of its imports is in between: `wasm2js` takes the imports from a file and exports what the function returns. */
const AROUND = /^import \* as a from 'a';\n([^]*)\nvar retasmFunc = asmFunc\(\{\n {2}"a": a,\n\}\);\n(?:export var [\w$]+ = retasmFunc\.[\w$]+;\n)+$/;
/**
 * The function that gives the module more memory. The glue keeps a view of the memory until it has no bytes, as `WebAssembly.Memory`
 * leaves an old buffer. So this one gives its old buffer away too.
 */
const GROWN = /(\n\s*)buffer = newBuffer;\n/;
/** A function that takes an integer of 64 bits, which comes as two halves. */
const WIDE = /(var legalimport\$fimport\$\d+ = )(a\.\w+);/g;

/** The file's text. */
export async function plainOf(translated: string): Promise<string> {
  const [, whole] = AROUND.exec(translated) ?? [];
  if (!whole || whole.includes("newBuffer") !== GROWN.test(whole)) throw new Error("wasm2js writes modules in another way now");
  const wide = "const wide = (take) => (low, high) => take(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)));\n";
  const text = (WIDE.test(whole) ? wide : "") + whole.replace(WIDE, "$1wide($2);").replace(GROWN, "$1new MessageChannel().port1.postMessage(0, [buffer]);$&") + "\nexport default asmFunc;\n";
  return (await transform(text, { minify: true, target: "es2022", format: "esm" })).code;
}
