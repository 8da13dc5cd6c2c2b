/**
 * What every page has of the second file: which capture kinds are on, what happened before the file is there, and what loads it.
 *
 * The file loads when the page is idle or with the first event that a kind waits for. Where events wait for a consent tool, which the
 * file reads, it loads at once. Where the shop's file reads what the page tells, which the second file loads, or an earlier page left
 * events, it does not wait for the page's other files: what was pushed or stored stands there until then. Before consent it may load, because it is
 * a file of the site's own; it stores and sends nothing, and what it captures passes the gate like any other draft.
 */
import * as core from "./core.ts";

import { shop } from "./cart.ts";
import { CALL_TAKE_UP, DRAFT_TRACK } from "./codes.ts";
import { json } from "./json.ts";
import type { LatePart } from "./more/host.ts";
import type { Occurrence } from "./more/kind.ts";
import { act, atEnd, free, guarded, learnLead, listen, packBy, say, tab } from "./page.ts";
import { instantiate, type Part } from "./parts.ts";
import { keys } from "./storage.ts";
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

/** Whether the site switches something off, by an option or an attribute. */
export const isOff = (wish: unknown) => /^(off|false)$/.test(wish as string);

/**
 * Whether a consent tool of the IAB speaks for this page: its function or its locator frame is here or in a window above. A window of
 * another origin that has none throws.
 */
export function hasTool(at: any = window): boolean {
  return at.__tcfapi || at.__gpp || at.__tcfapiLocator || at.__gppLocator || (at !== at.parent && hasTool(at.parent));
}

/**
 * Listens for the kinds that `capture` leaves on; without a kind and without another use, nothing is ever loaded. Comes before the
 * tracker's listeners. Where events wait for consent tools (`isAwaited`), or for a visitor who is `handed` over, the file loads at once.
 */
export function watchKinds({ module }: Part<MoreFile>, shopPart: LatePart, { capture = {}, consent: settings = {} }: Options, consent: Hilo["consent"], isAwaited: boolean, handed: unknown) {
  const isUrgent = isAwaited || !!settings.emit || !!handed;
  const kinds = Object.entries(HILO_KINDS).filter(([kind, [usual]]) => !isOff(capture[kind as keyof typeof HILO_KINDS] ?? usual));
  // What the shop's page may tell at any time: its `dataLayer`, its own cart, its products.
  const hasShop = !!capture.products || /^(dataL|sho|w)/.test(capture.cart!);
  const isNeeded = kinds.length || hasShop || isUrgent || capture.domains; // It settles which tab sends, too.
  if (!isNeeded || !navigator.locks) act(CALL_TAKE_UP);
  if (!isNeeded) return;
  const early: Occurrence[] = [];
  let opened: Awaited<ReturnType<MoreFile["open"]>> | undefined;
  let opening: Promise<void> | undefined;
  let retries = 0;

  async function open() {
    const [loaded, source] = await Promise.all([loadWith<MoreFile>(), module()]);
    opened = await loaded.open(source, {
      options: capture,
      kinds: kinds.map(([kind]) => kind),
      ...{ listen, atEnd, instantiate, json, learnLead, guarded, say },
      anonymousId: core.anonymous_id,
      consent,
      settings,
      hear: (...told) => guarded(() => core.hear(...told)),
      shop: shop(),
      reader: hasShop && shopPart,
      queue: [tab, keys, free, core.happen, packBy],
      capture: (name, properties, at) => guarded(() => core.tell(DRAFT_TRACK, name, properties, at)),
    });
    for (const occurrence of early.splice(0)) guarded(() => opened!.read(occurrence));
  }
  const load = () =>
    guarded(() => {
      opening ??= open().catch((error) => {
        act(CALL_TAKE_UP);
        // No network: an event after the pause tries again. A push or a consent tool wakes nobody, so their readers try by themselves.
        setTimeout(() => {
          opening = undefined;
          if ((hasShop || isUrgent) && retries++ < RETRIES_MAX) load();
        }, RETRY_MS);
        fail("no_file", error);
      });
    });

  for (const [kind, [, targets, ...names]] of kinds) {
    for (const name of names) {
      listen(document, name, (event) => {
        // An event keeps the element inside a shadow root only while it is on its way.
        const path = event.composedPath();
        const occurrence: Occurrence = [kind, event, path[0], Date.now(), location.href];
        if (opened) return opened.read(occurrence);
        if (!path.some((node) => (node as Element).matches?.(targets!))) return;
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
  if (isUrgent) load();
  else whenIdle(load, hasShop || !!keys("hilo.q."));
}

/** Calls `load` when the page is idle: from now on, or once the page's other files are there. */
function whenIdle(load: () => void, isEarly: boolean) {
  const loadIdle = () => ("requestIdleCallback" in window ? requestIdleCallback(load, { timeout: BUSY_MS_MAX }) : load());
  if (isEarly) loadIdle();
  else setTimeout(() => (document.readyState === "complete" ? loadIdle() : listen(window, "load", loadIdle)), START_MS);
}
