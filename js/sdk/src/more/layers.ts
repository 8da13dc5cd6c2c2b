/**
 * The page's `dataLayer`s: wraps `push` of each, and hands on every entry. The page's own `push` comes first, so that order and results
 * stay the page's. A layer that the page assigns anew is found at the next look.
 */
import type { Host } from "./host.ts";

/** When the page's layers are looked for again (and whenever the page is shown or hidden). */
const LOOKS_MS = [1_000, 5_000];

/** The names of the page's layers: Google's scripts may name another one. */
export function names(): Set<string> {
  const found = [...document.scripts].map(({ src }) => /\/(?:gtm\.js|gtag\/js)\?.*\bl=(\w+)/.exec(src)?.[1] ?? "dataLayer");
  return new Set(["dataLayer", ...found]);
}

/**
 * Gives entries to `read` until the tracker stops, with the time of their push; -1 for one from before. An entry may be given twice.
 * Returns what looks for entries at once.
 */
export function watchEntries({ listen, guarded }: Pick<Host, "listen" | "guarded">, read: (entry: unknown, at: number) => void) {
  const wrapped = new WeakSet<object>();

  function wrap(layer: unknown[]) {
    wrapped.add(layer);
    const { push } = layer;
    layer.push = function (...entries) {
      const result = push.apply(this, entries);
      for (const entry of entries) guarded(() => read(entry, performance.now()));
      return result;
    };
  }

  function look() {
    for (const name of names()) {
      const layer = ((window as any)[name] ??= []) as unknown;
      if (!Array.isArray(layer)) continue;
      if (!wrapped.has(layer)) guarded(() => wrap(layer));
      // Before the wrapper, and past it where a script put its own `push` in the wrapper's place.
      for (const entry of layer) guarded(() => read(entry, -1));
    }
  }

  look();
  for (const ms of LOOKS_MS) setTimeout(() => guarded(look), ms);
  listen(window, "load", look);
  listen(document, "visibilitychange", look);
  return look;
}
