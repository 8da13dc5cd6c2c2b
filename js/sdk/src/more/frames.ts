/**
 * Frames of the page's own origin, and the frames in them: finds their documents, each once. A frame with a tracker of its own captures
 * itself, from the moment that it has one. What a frame of another origin holds is out of reach.
 */
import { isClaimed } from "../own.ts";
import type { Host } from "./host.ts";

/** Whether `target` is in a frame that a tracker of its own captures, or in a frame in such a frame. */
export function isElsewhere(target: EventTarget | undefined): boolean {
  const node = target as Document | undefined;
  if (!node?.nodeType) return false;
  // A field called `ownerDocument` would hide the form's document.
  const inside: Document = Reflect.get(Node.prototype, "ownerDocument", node) ?? node;
  for (let view: Window | null = inside.defaultView; view && view !== window && view !== view.parent; view = view.parent) if (isClaimed(view)) return true;
  return false;
}

/** Calls `found` with the document of each frame, now and after each load. */
export function watchFrames({ listen, guarded }: Host, found: (inside: Document) => void) {
  const seen = new WeakSet<Document>();
  const enter = (target: EventTarget | null) => {
    const { contentDocument: inside } = target as HTMLIFrameElement;
    // A document that still loads may yet start a tracker of its own, and it tells when it has loaded.
    if (!inside || seen.has(inside) || isElsewhere(inside) || inside.readyState !== "complete") return;
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
