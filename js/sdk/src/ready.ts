/**
 * When a document is ready for its first view. In: how to listen. Out: one call or more, each in a task of its own. Has no state: both
 * files of the tracker have it.
 */

/** A page whose pictures still load is ready this long after its document. Frameworks run, and set the title, in between. */
const SCRIPTS_MS = 500;

type Listen = (target: EventTarget, kind: string, heard: () => unknown) => void;

/** Calls `ready` when the document is. The page's own listeners to the same event run first. */
export function whenReady(listen: Listen, ready: () => void) {
  const readyIn = (ms: number) => setTimeout(ready, ms);
  if (document.readyState === "complete") readyIn(0);
  else listen(window, "load", () => readyIn(0));
  if (document.readyState === "interactive") readyIn(SCRIPTS_MS);
  else listen(document, "DOMContentLoaded", () => readyIn(SCRIPTS_MS));
}
