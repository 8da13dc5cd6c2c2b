/** `import { load } from "hilo"`: the modules are fetched from beside this file; bundlers take them along. */
import { loadFrom } from "./load.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";
const cart = { file: () => import("../cart/entry.ts"), module: () => fetch(new URL("./hilo-cart.wasm", import.meta.url)) };
const more = { file: () => import("../more/entry.ts"), module: () => fetch(new URL("./hilo-more.wasm", import.meta.url)) };
export const load = (options: Options) => loadFrom(options, { module: () => fetch(new URL("./hilo.wasm", import.meta.url)), cart, more });
