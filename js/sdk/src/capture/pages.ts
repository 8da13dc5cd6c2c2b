/**
 * Page views of single-page apps: tells the module when the address may have changed. The module decides what a view is.
 */
import * as core from "hilo-wasm";

import { HAPPENED_NAVIGATED } from "../codes.ts";
import { guarded, listen } from "../page.ts";

/** How long a single-page app gets to set its title after it changed the address. */
const TITLE_MS = 20;

/** Follows the address until the tracker stops. */
export function watchPages() {
  if ("navigation" in window) return listen(window.navigation as EventTarget, "currententrychange", navigated);
  // Where the Navigation API is missing, single-page apps are followed through the History API.
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      guarded(navigated);
    };
  }
  listen(window, "popstate", navigated);
}

function navigated() {
  setTimeout(() => guarded(() => core.happen(HAPPENED_NAVIGATED)), TITLE_MS);
}
