/**
 * Page views of single-page apps: tells the module when the address may have changed. The module decides what a view is.
 */
import { watchAddress } from "../address.ts";
import { HAPPENED_NAVIGATED, HAPPENED_READY, HAPPENED_REPLACED } from "../codes.ts";
import { act, guarded, listen } from "../page.ts";
import { whenReady } from "../ready.ts";

/** Tells when the page is ready, and follows the address until the tracker stops. Where a visitor is `handed` over, `more/domains/arrival.ts` tells that. */
export function watchPages(handed: unknown) {
  if (!handed) whenReady(listen, () => act(HAPPENED_READY));
  watchAddress(listen, guarded, (way) => act(way === "replace" ? HAPPENED_REPLACED : HAPPENED_NAVIGATED));
}
