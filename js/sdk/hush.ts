/**
 * Takes out of a module what a panic would say: `node hush.ts FILE`, before `wasm-opt`.
 *
 * In a page nobody hears it, and Rust's way to put the words together is a tenth of the tracker's module. Such a function
 * becomes a trap, which a panic in a page ends in anyway. Found by name, so the module must still have names.
 */
import { readFileSync, writeFileSync } from "node:fs";

import binaryen from "binaryen";

/** Panics, lists that outgrow the memory, and Rust's futures, which the tracker has none of but js-sys always brings. */
const SILENT = /::panicking::|raw_vec::handle_error|js_sys::futures::/;

const [file = ""] = process.argv.slice(2);
const module = binaryen.readBinary(readFileSync(file));
const all = Array.from({ length: module.getNumFunctions() }, (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));
const silent = all.filter(({ name, base }) => !base && SILENT.test(name));
if (!silent.length) throw new Error(`no panic has its name in ${file}`);
for (const { name, params, results } of silent) {
  module.removeFunction(name);
  module.addFunction(name, params, results, [], module.unreachable());
}
writeFileSync(file, module.emitBinary());
