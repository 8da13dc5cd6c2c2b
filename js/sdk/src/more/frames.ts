/**
 * Frames of the page's own origin, and the frames in them: finds their documents, each once. A frame with a tracker of its own captures
 * itself, and what a frame of another origin holds is out of reach.
 */
import type { Host } from "./host.ts";

/** Calls `found` with the document of each frame, now and after each load. */
export function watchFrames({ listen, guarded }: Host, found: (inside: Document) => void) {
  const seen = new WeakSet<Document>();
  const enter = (target: EventTarget | null) => {
    const { contentDocument: inside, contentWindow } = target as HTMLIFrameElement;
    // A document that still loads may yet start a tracker of its own, and it tells when it has loaded.
    if (!inside || seen.has(inside) || contentWindow?.hilo || inside.readyState !== "complete") return;
    seen.add(inside);
    found(inside);
    follow(inside);
  };
  const follow = (outer: Document) => {
    guarded(() => outer.querySelectorAll("iframe").forEach(enter));
    // A load does not bubble, but it begins at the document.
    listen(outer, "load", ({ target }) => enter(target));
  };
  follow(document);
}
