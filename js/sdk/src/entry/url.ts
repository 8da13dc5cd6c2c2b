/** `import { load } from "hilo"`: the module is fetched from beside this file; bundlers take it along. */
import { start } from "../index.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";
const cart = { file: () => import("../cart/entry.ts"), module: () => fetch(new URL("./hilo-cart.wasm", import.meta.url)) };
export const load = (options: Options) => start(options, () => fetch(new URL("./hilo.wasm", import.meta.url)), cart);
