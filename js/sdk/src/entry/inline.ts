/** `import { load } from "hilo-tracker/inline"`: the modules stand inside this file, for places that cannot serve a second one. */
import { loadFrom } from "./load.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";
const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const cart = { file: () => import("../cart/entry.ts"), module: () => bytes(HILO_CART_WASM_BASE64) };
const more = { file: () => import("../more/entry.ts"), module: () => bytes(HILO_MORE_WASM_BASE64) };
export const load = (options: Options) => loadFrom(options, { module: () => bytes(HILO_WASM_BASE64), cart, more });
