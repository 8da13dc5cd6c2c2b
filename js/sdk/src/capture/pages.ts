/**
 * Page views of single-page apps: tells the module when the address may have changed. The module decides what a view is.
 */
import { watchAddress } from "../address.ts";
import { HAPPENED_NAVIGATED, HAPPENED_READY, HAPPENED_REPLACED } from "../codes.ts";
import { act, guarded, listen } from "../page.ts";

/** A page whose pictures still load is ready this long after its document. Frameworks run, and set the title, in between. */
const SCRIPTS_MS = 500;

/** Tells when the page is ready, and follows the address until the tracker stops. Where a visitor is `handed` over, `more/domains/arrival.ts` tells that. */
export function watchPages(handed: unknown) {
  const readyIn = (ms: number) => handed || setTimeout(act, ms, HAPPENED_READY);
  // The page's own listeners to the same event run first.
  if (document.readyState === "complete") readyIn(0);
  else listen(window, "load", () => readyIn(0));
  if (document.readyState === "interactive") readyIn(SCRIPTS_MS);
  else listen(document, "DOMContentLoaded", () => readyIn(SCRIPTS_MS));
  watchAddress(listen, guarded, (way) => act(way === "replace" ? HAPPENED_REPLACED : HAPPENED_NAVIGATED));
}
