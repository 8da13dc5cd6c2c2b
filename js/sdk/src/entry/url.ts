/** `import { load } from "hilo-tracker"`: the modules are fetched from beside this file; most bundlers take them along. */
import { loadFrom } from "./load.ts";
import { LEFT_BEHIND } from "../parts.ts";
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

const cart = { file: () => import("../cart/entry.ts"), module: () => taken(() => new URL("./hilo-cart.wasm", import.meta.url)) };
const more = { file: () => import("../more/entry.ts"), module: () => taken(() => new URL("./hilo-more.wasm", import.meta.url)) };
export const load = (options: Options) => loadFrom(options, { module: () => taken(() => new URL("./hilo.wasm", import.meta.url)), cart, more });
