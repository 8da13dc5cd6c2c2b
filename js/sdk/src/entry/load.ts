/**
 * What `load` of the package gives. Where no tracker can start (on a server, without a network, and `inline` without WebAssembly)
 * every call is there and does nothing, but an answer about consent is kept for the next page. A page with the snippet has the stub for
 * this.
 */
import { answers, keepAnswer } from "../answers.ts";
import { noChoices, start, type Parts } from "../index.ts";
import { claim } from "../own.ts";
import type { Hilo, Options, Purpose } from "../types.ts";

/** Starts the tracker on this page, once. Always resolves. */
export async function loadFrom(options: Options, parts: Parts): Promise<Hilo> {
  const isPage = typeof document !== "undefined";
  if (isPage) claim();
  const hilo = isPage && (await start(options, parts));
  if (!hilo) return inert(isPage);
  for (const [name, purposes] of answers()) hilo.consent[name.replace("consent.", "") as "grant"](...(purposes as Purpose[]));
  return hilo;
}

/** A tracker whose calls do nothing. A page keeps the visitor's answers. */
function inert(isPage: boolean): Hilo {
  const nothing = () => {};
  const answer = (name: "grant" | "deny" | "withdraw") => (...purposes: unknown[]) => {
    if (isPage) keepAnswer(name, purposes);
  };
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
    consent: { grant: answer("grant"), deny: answer("deny"), state: noChoices, on: () => nothing, withdraw: answer("withdraw") },
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
    on: () => nothing,
    flush: nothing,
    debug: nothing,
    destroy: nothing,
  };
  return hilo;
}
