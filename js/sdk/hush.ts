/**
 * Takes the words of panics and errors out of a module: `node hush.ts FILE`, before `wasm-opt`.
 *
 * Nobody in a page reads them, and Rust's way to put words together is a tenth of the tracker's module and a third of the second
 * one. A function of a panic becomes a trap, which a panic in a page ends in anyway. A function that formats writes nothing and
 * succeeds, so an error of serde keeps its meaning and loses its text. Functions are found by name: the module must have names.
 * What takes a text from JavaScript loses the code that gives back memory, because such a text fills its memory. `lean.ts` writes
 * lists and texts shorter, and `stack.ts` checks that the calls fit on the stack.
 */
import { readFileSync, writeFileSync } from "node:fs";

import binaryen from "binaryen";

import { lean } from "./lean.ts";
import { isTaking, isTrap, isWording } from "./silent.ts";
import { checkStack } from "./stack.ts";

/** What the modules export for glue that `build.ts` leaves out. */
const UNUSED = ["__wbindgen_realloc", "__abort_handler", "__instance_terminated"];

const [file = ""] = process.argv.slice(2);
const module = binaryen.readBinary(readFileSync(file));
const all = Array.from({ length: module.getNumFunctions() }, (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));
const own = all.filter(({ base }) => !base);
if (!own.some(({ name }) => isTrap(name))) throw new Error(`no panic has its name in ${file}`);
for (const { name, params, results } of own) {
  if (isTaking(name)) take(name, params);
  if (!isTrap(name) && !isWording(name)) continue;
  module.removeFunction(name);
  // `core::fmt::Result` is a number, and 0 is success. What formats without a result is only called by what does nothing now.
  const isResult = isWording(name) && results === binaryen.i32;
  module.addFunction(name, params, results, [], isResult ? module.i32.const(0) : module.unreachable());
}
for (const name of UNUSED) module.removeExport(name);
const text = lean(module.emitText());
checkStack(text);
writeFileSync(file, binaryen.parseText(text).emitBinary());

/** Lets the function write only the list's address and length, in the place that its first argument names. */
function take(name: string, params: binaryen.Type) {
  const [{ i32 }, word] = [module, binaryen.i32];
  if (params !== binaryen.createType([word, word, word])) throw new Error(`${name} takes a list in another way now`);
  const store = (offset: number, from: number) => i32.store(offset, 4, module.local.get(0, word), module.local.get(from, word));
  module.removeFunction(name);
  module.addFunction(name, params, binaryen.none, [], module.block(null, [store(0, 1), store(4, 2)]));
}
