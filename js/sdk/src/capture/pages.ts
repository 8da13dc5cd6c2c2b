/**
 * Page views of single-page apps: tells the module when the address may have changed. The module decides what a view is.
 */
import * as core from "hilo-wasm";

import { HAPPENED_NAVIGATED, HAPPENED_READY, HAPPENED_REPLACED } from "../codes.ts";
import { guarded, listen } from "../page.ts";

/** A page whose pictures still load is ready this long after its document. Frameworks run, and set the title, in between. */
const SCRIPTS_MS = 500;

/** Tells when the page is ready, and follows the address until the tracker stops. */
export function watchPages() {
  const readyIn = (ms: number) => void setTimeout(() => guarded(() => core.happen(HAPPENED_READY)), ms);
  // The page's own listeners to the same event run first.
  if (document.readyState === "complete") readyIn(0);
  else listen(window, "load", () => readyIn(0));
  if (document.readyState === "interactive") readyIn(SCRIPTS_MS);
  else listen(document, "DOMContentLoaded", () => readyIn(SCRIPTS_MS));
  const happened = (way: unknown) => core.happen(way === "replace" ? HAPPENED_REPLACED : HAPPENED_NAVIGATED);
  if ("navigation" in window) {
    return listen(window.navigation as EventTarget, "currententrychange", (event) => happened((event as NavigationCurrentEntryChangeEvent).navigationType));
  }
  // Where the Navigation API is missing, single-page apps are followed through the History API.
  for (const way of ["push", "replace"] as const) {
    const original = history[`${way}State`];
    history[`${way}State`] = function (...args) {
      original.apply(this, args);
      guarded(() => happened(way));
    };
  }
  listen(window, "popstate", happened);
}
