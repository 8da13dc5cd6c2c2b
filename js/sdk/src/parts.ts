/**
 * Where a part of the SDK comes from. The entries know it: beside a file, inside a file, or on the collector.
 */

/** A module that was translated to JavaScript: takes what the module imports, and returns what it exports. */
export interface Plain {
  default(imports: WebAssembly.Imports): WebAssembly.Exports;
}

/** A module's bytes, the answer that brings them, or the same module as JavaScript. */
export type Given = BufferSource | Response | Plain;

/** Where a module comes from. */
export type Source = () => Given | Promise<Given>;

/** The name of the error of a bundle without a module: a sentence with its remedy. */
export const LEFT_BEHIND = "FileLeftBehind";

/** A file that loads when it is used, and its module. */
export interface Part<File> {
  file(): Promise<File>;
  module: Source;
}

/** Whether this page may not run WebAssembly: then each module comes as JavaScript. */
export let isPlain = false;

/** The page may not run WebAssembly. Nobody tries again, because each try of a page that forbids it is reported to the site. */
export const avoidWasm = () => (isPlain = true);

/** Compiles a module, while it streams where the server names its type. */
export async function instantiate(given: Given, imports: WebAssembly.Imports): Promise<WebAssembly.Exports> {
  if ("default" in given) return given.default(imports);
  const isFetched = given instanceof Response;
  const isStream = HILO_STREAMS && isFetched && given.headers.get("content-type") === "application/wasm";
  const { instance } = await (isStream ? WebAssembly.instantiateStreaming(given, imports) : WebAssembly.instantiate(isFetched ? await given.arrayBuffer() : given, imports));
  return instance.exports;
}

/** Compresses a request's body; nothing where that is not worth it. */
export type Pack = (body: string) => Promise<ArrayBuffer | string> | undefined;
