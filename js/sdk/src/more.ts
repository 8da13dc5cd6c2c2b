/**
 * What every page has of the second file: which capture kinds are on, what happened before the file is there, and what loads it.
 *
 * The file loads when the page is idle or with the first event that a kind waits for. Where it reads the cart from the tag manager,
 * it does not wait for the page's other files: what was pushed stands in the page until then. Before consent it may load, because it is
 * a file of the site's own; it stores and sends nothing, and what it captures passes the gate like any other draft.
 */
import * as core from "hilo-wasm";

import type { Shop } from "./cart.ts";
import { DRAFT_TRACK } from "./codes.ts";
import type { Occurrence } from "./more/kind.ts";
import { atEnd, guarded, learnLead, listen, say } from "./page.ts";
import type { Part } from "./parts.ts";
import type { Hilo, Options } from "./types.ts";
import { fail, loadWith } from "./voice.ts";

/** The file that loads: `more/entry.ts`. */
export type MoreFile = typeof import("./more/entry.ts");

/** Events that may wait for the file. */
const EARLY_MAX = 100;
/** The first event of a page and the page's own start do not compete with the file. */
const START_MS = 1_000;
/** How long a busy page may put the file off. */
const BUSY_MS_MAX = 5_000;
/** How long the next attempt waits where the file did not load. Each attempt of a page that blocks the file is reported to the site. */
const RETRY_MS = 2_000;
/** Attempts that no event of the page asks for. */
const RETRIES_MAX = 5;

/** Listens for the kinds that `capture` leaves on; without one, nothing is ever loaded. Comes before the tracker's listeners. */
export function watchKinds({ file, module }: Part<MoreFile>, capture: NonNullable<Options["capture"]>, consent: Hilo["consent"], shop: Shop) {
  const kinds = Object.entries(HILO_KINDS).filter(([kind]) => capture[kind as keyof typeof HILO_KINDS] !== false);
  const hasLayer = capture.cart === "dataLayer";
  if (!kinds.length && !hasLayer) return;
  const early: Occurrence[] = [];
  let opened: Awaited<ReturnType<MoreFile["open"]>> | undefined;
  let opening: Promise<void> | undefined;
  let retries = 0;

  async function open() {
    const [loaded, source] = await Promise.all([loadWith(file), module()]);
    opened = await loaded.open(source, {
      kinds: kinds.map(([kind]) => kind),
      listen,
      atEnd,
      learnLead,
      anonymousId: core.anonymous_id,
      consent,
      guarded,
      say,
      ...(hasLayer && { shop, currency: capture.currency }),
      capture: (name, properties, at) => guarded(() => core.tell(DRAFT_TRACK, name, properties, at)),
    });
    for (const occurrence of early.splice(0)) guarded(() => opened!.read(occurrence));
  }
  const load = () =>
    guarded(() => {
      opening ??= open().catch((error) => {
        // No network: an event after the pause tries again. A push wakes nobody, so its reader tries by itself.
        setTimeout(() => {
          opening = undefined;
          if (hasLayer && retries++ < RETRIES_MAX) load();
        }, RETRY_MS);
        fail("no_file", error);
      });
    });

  for (const [kind, names] of kinds) {
    for (const name of names) {
      listen(document, name, (event) => {
        // An event keeps the element inside a shadow root only while it is on its way.
        const occurrence: Occurrence = [kind, event, event.composedPath()[0], Date.now(), location.href];
        if (opened) return opened.read(occurrence);
        if (early.length < EARLY_MAX && core.admits()) early.push(occurrence);
        load();
      });
    }
  }
  // A denial reaches what waits here as it reaches what waits at the gate.
  consent.on(() => core.admits() || early.splice(0));
  // Called before the tracker's own listener, which sends what waits.
  listen(window, "pagehide", () => {
    if (opened) opened.leave();
    else if (early.length) core.lose(false, early.splice(0).length);
  });
  const loadIdle = () => ("requestIdleCallback" in window ? requestIdleCallback(load, { timeout: BUSY_MS_MAX }) : load());
  if (hasLayer) loadIdle();
  else setTimeout(() => (document.readyState === "complete" ? loadIdle() : listen(window, "load", loadIdle)), START_MS);
}
