/**
 * The second file: every capture kind that the first event does not need. It reads the document for the second module, which
 * decides, and hands what the module answers to the first file. `tag_manager.ts` reads what the shop pushes for the cart.
 */
import * as core from "hilo-more-wasm";

import * as kinds from "../capture/index.ts";
import { UNREADABLE } from "../codes.ts";
import type { Host } from "./host.ts";
import type { CaptureKind, Occurrence } from "./kind.ts";
import { watchLayers } from "./tag_manager.ts";

const known: Record<string, CaptureKind> = kinds;

/** Binds the module and listens to what the first file does not listen to. */
export async function open(source: BufferSource | Response, host: Host) {
  const { kinds, listen, say, capture } = host;
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
  const leaveLayers = host.shop && watchLayers(host, host.shop);
  return {
    read,
    /** The page is left: what only the end decides. */
    leave() {
      take(core.leave(location.href, performance.now()), Date.now());
      leaveLayers?.();
    },
  };
}
