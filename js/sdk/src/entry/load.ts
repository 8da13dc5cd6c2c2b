/**
 * What `load` of the package gives where no tracker can start: on a server, without WebAssembly, without a network. Every call is
 * there and does nothing. A page with the snippet has the stub for this.
 */
import { noChoices, start, type Parts } from "../index.ts";
import type { Hilo, Options } from "../types.ts";

/** Starts the tracker on this page, once. Always resolves. */
export const loadFrom = async (options: Options, parts: Parts): Promise<Hilo> => (typeof document === "undefined" ? undefined : await start(options, parts)) ?? inert();

/** A tracker whose calls do nothing. */
function inert(): Hilo {
  const nothing = () => {};
  const hilo: Hilo = {
    page: nothing,
    track: nothing,
    identify: nothing,
    group: nothing,
    reset: nothing,
    anonymousId: () => null,
    sessionId: () => null,
    ready(callback) {
      try {
        callback(hilo);
      } catch {
        // The callback of the page failed. The page has to report that.
      }
    },
    consent: { grant: nothing, deny: nothing, state: noChoices, on: () => nothing, withdraw: nothing },
    cart: {
      add: nothing,
      set: nothing,
      dec: nothing,
      remove: nothing,
      clear: nothing,
      lines: () => [],
      totals: () => ({}),
      unpriced: () => 0,
      on: () => nothing,
      checkout: () => Promise.resolve(null),
      ordered: () => Promise.resolve(),
    },
    optIn: () => Promise.resolve(null),
    optOut: () => Promise.resolve(null),
    use: nothing,
    flush: nothing,
    debug: nothing,
    destroy: nothing,
  };
  return hilo;
}
