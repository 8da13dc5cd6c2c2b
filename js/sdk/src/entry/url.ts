/** `import { load } from "hilo-tracker"`: the modules are fetched from beside this file; most bundlers take them along. */
import { loadFrom } from "./load.ts";
import { isPlain, LEFT_BEHIND, type Plain } from "../parts.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";

/** Fetches the module at `address`, which a bundler that does not know this form of address breaks. */
async function taken(address: () => URL): Promise<Response> {
  const remedy = 'The bundler left hilo\'s .wasm files behind: import "hilo-tracker/inline", or copy them from hilo-tracker/dist to the folder of the bundle.';
  const left = (cause?: unknown) => Object.assign(new Error(remedy, { cause }), { name: LEFT_BEHIND });
  let url;
  try {
    url = address();
  } catch (error) {
    throw left(error);
  }
  const response = await fetch(url);
  // A server of single-page apps answers with its page.
  if (response.status === 404 || response.headers.get("content-type")?.startsWith("text/html")) throw left(`${url} ${response.status}`);
  return response;
}

/** The module at `wasm`, or where the page may not run WebAssembly, the JavaScript at `plain`, which bundlers leave as it is. */
const source = (wasm: () => URL, plain: () => URL) => () => (isPlain ? (import(/* webpackIgnore: true */ /* @vite-ignore */ plain().href) as Promise<Plain>) : taken(wasm));

const module = source(() => new URL("./hilo.wasm", import.meta.url), () => new URL("./hilo.mjs", import.meta.url));
const cart = {
  file: () => import("../cart/entry.ts"),
  module: source(() => new URL("./hilo-cart.wasm", import.meta.url), () => new URL("./hilo-cart.mjs", import.meta.url)),
};
const more = {
  file: () => import("../more/entry.ts"),
  module: source(() => new URL("./hilo-more.wasm", import.meta.url), () => new URL("./hilo-more.mjs", import.meta.url)),
};
const late = (code: string) => ({
  file: (): Promise<any> => (code === HILO_DEBUG_FILE ? import("../debug/entry.ts") : import("../shop/entry.ts")),
  module: source(() => new URL("./hilo-shop.wasm", import.meta.url), () => new URL("./hilo-shop.mjs", import.meta.url)),
});
export const load = (options: Options) => loadFrom(options, { module, cart, more, late });
