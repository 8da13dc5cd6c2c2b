/**
 * The second file: every capture kind that the first event does not need. It reads the document for the second module, which
 * decides, and hands what the module answers to the first file. `tag_manager.ts` reads what the shop pushes for the cart.
 */
import * as core from "hilo-more-wasm";

import * as kinds from "../capture/index.ts";
import { UNREADABLE } from "../codes.ts";
import type { Host } from "./host.ts";
import type { CaptureKind, Occurrence, Page } from "./kind.ts";
import { leadsOf } from "./leads.ts";
import { watchLayers } from "./tag_manager.ts";

export { fail, report, say } from "./words.ts";

const known: Record<string, CaptureKind> = kinds;

/** Binds the module and listens to what the first file does not listen to. */
export async function open(source: BufferSource | Response, host: Host) {
  const { kinds, listen, atEnd, guarded, say, capture } = host;
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
  function read([kind, event, target, at, url]: Occurrence) {
    const cells = known[kind]!.read(event, target, pages[kind]!);
    if (cells) take(core.read(kind, cells, url, event.timeStamp), at);
  }
  const learnLead = leadsOf(host);
  const pages: Record<string, Page> = {};
  for (const kind of kinds) {
    const page: Page = (pages[kind] = {
      listen: (target, name) => listen(target, name, (event) => read([kind, event, event.composedPath()[0], Date.now(), location.href])),
      happened: (type, target) => guarded(() => read([kind, { type, timeStamp: performance.now() }, target, Date.now(), location.href])),
      atEnd,
      learnLead,
    });
    for (const name of known[kind]!.late) page.listen(document, name);
    known[kind]!.start?.(page);
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
