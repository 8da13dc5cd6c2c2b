/**
 * A large request body → the same body compressed. The collector knows gzip by its first bytes, so no header field says it, and a
 * request to another site needs no preflight.
 */
import type { Host } from "./host.ts";

/** Characters from which compressing is worth its time. */
const LENGTH_MIN = 4_096;

/** Compresses what the first file sends from now on. Returns what is to be done when the page is left: what it sends then must not wait. */
export function packBatches({ listen, queue: [, , , , packBy] }: Host): () => void {
  const isUnable = !("CompressionStream" in window);
  let isLeaving = isUnable;
  // One event alone goes plain: a collector of an earlier version, which takes no compressed batch, gets it so in the end.
  const isOne = (body: string) => body.split('"messageId"').length < 3;
  const pack = async (body: string) => new Response(new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  // A stream that a library of the page put in the browser's place may fail.
  packBy((body) => (body.length < LENGTH_MIN || isOne(body) || isLeaving || document.hidden ? undefined : pack(body).catch(() => body)));
  listen(window, "pageshow", () => (isLeaving = isUnable));
  return () => void (isLeaving = true);
}
