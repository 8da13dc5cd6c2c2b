/** `import { load } from "hilo/inline"`: the module stands inside this file, for places that cannot serve a second one. */
import { start } from "../index.ts";
import type { Options } from "../types.ts";
export type * from "../types.ts";
const bytes = () => Uint8Array.from(atob(HILO_WASM_BASE64), (c) => c.charCodeAt(0));
export const load = (options: Options) => start(options, bytes);
