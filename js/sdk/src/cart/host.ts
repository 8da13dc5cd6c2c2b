/**
 * The page that this cart stands in. A page has one cart, so what the cart's files share are variables of modules: passed on in
 * objects, the same was a tenth more code.
 */
import { random } from "./page.ts";
import type { Host } from "./types.ts";

/** Set once, when the cart opens. */
export let host: Host;
/** The name of this tab among the tabs: a number for each page load. */
export const own = random().toString(36);

/** The cart opens on this page. */
export function enter(page: Host) {
  host = page;
}
