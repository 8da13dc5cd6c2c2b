/**
 * The address of a single-page app: tells when the site or the visitor may have changed it. Judges nothing.
 */

/**
 * Tells of each change of the address, with the word `replace` where the site put an address into the place of another. The page lends
 * listeners that end with the tracker, and a guard against errors.
 */
export function watchAddress(
  listen: (target: EventTarget, name: string, heard: (event: Event) => unknown) => void,
  guarded: (act: () => void) => void,
  happened: (way: unknown) => void,
) {
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
