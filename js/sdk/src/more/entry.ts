/**
 * The second file: every capture kind that the first event does not need. It reads the document for the second module, which
 * decides, and hands what the module answers to the first file.
 */
import * as core from "hilo-more-wasm";

import * as kinds from "../capture/index.ts";
import { UNREADABLE } from "../codes.ts";
import type { CaptureKind, Occurrence } from "./kind.ts";

export { fail, report, say } from "./words.ts";

/** What the first file lends. */
export interface Host {
  /** The kinds that are on. */
  kinds: string[];
  /** Listens until the tracker stops, and keeps errors from the page. */
  listen(target: EventTarget, name: string, heard: (event: Event) => unknown): void;
  /** Tells the developer, in debug mode. */
  say(what: unknown): void;
  /** Hands a named act to the gate. */
  capture(name: string, properties: string, at: number): void;
}

const known: Record<string, CaptureKind> = kinds;

/** Binds the module and listens to what the first file does not listen to. */
export async function open(source: BufferSource | Response, { kinds, listen, say, capture }: Host) {
  const bytes = source instanceof Response ? await source.arrayBuffer() : source;
  const { instance } = await WebAssembly.instantiate(bytes, core.imports);
  core.bind(instance.exports);

  function take(lines: string, at: number) {
    if (lines === UNREADABLE) return say("the second module cannot read what the page told it");
    for (const line of lines.split("\n")) {
      const [name = "", properties = ""] = line.split("\t");
      if (name) capture(name, properties, at);
    }
  }
  function read([kind, event, at, url]: Occurrence) {
    const cells = known[kind]!.read(event);
    if (cells) take(core.read(kind, cells, url, event.timeStamp), at);
  }
  for (const kind of kinds) {
    for (const name of known[kind]!.late) listen(document, name, (event) => read([kind, event, Date.now(), location.href]));
  }
  return {
    read,
    /** The page is left: what only the end decides. */
    leave: () => take(core.leave(location.href, performance.now()), Date.now()),
  };
}
