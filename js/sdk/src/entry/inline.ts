/** `import { load } from "hilo-tracker/inline"`: the modules stand inside this file, for places that cannot serve a second one. */
import { loadFrom } from "./load.ts";
import { isPlain, LEFT_BEHIND } from "../parts.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";
const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const cart = { file: () => import("../cart/entry.ts"), module: () => bytes(HILO_CART_WASM_BASE64) };
const more = { file: () => import("../more/entry.ts"), module: () => bytes(HILO_MORE_WASM_BASE64) };
const late = (code: string) => ({ file: (): Promise<any> => (code === HILO_DEBUG_FILE ? import("../debug/entry.ts") : import("../shop/entry.ts")), module: () => bytes(HILO_SHOP_WASM_BASE64) });
/** This file has no JavaScript in the modules' place: that would be three times their size. */
function module(): BufferSource {
  const remedy = "This page may not run WebAssembly: let its content security policy have 'wasm-unsafe-eval' in script-src, or import \"hilo-tracker\".";
  if (isPlain) throw Object.assign(new Error(remedy), { name: LEFT_BEHIND });
  return bytes(HILO_WASM_BASE64);
}
export const load = (options: Options) => loadFrom(options, { module, cart, more, late });
