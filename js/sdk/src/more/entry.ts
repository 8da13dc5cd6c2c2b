/**
 * The second file: every capture kind that the first event does not need. It reads the document for the second module, which
 * decides, and hands what the module answers to the first file. `shop.ts` reads what the shop tells, and `consent/` what the page's
 * consent tools say. `domains/` hands visitors over between the owner's sites. `tabs.ts` and `pack.ts` serve the queue.
 */
import * as core from "hilo-more-wasm";

import { watchAddress } from "../address.ts";
import { forgetTraits, withValues } from "../capture/forms/values.ts";
import * as kinds from "../capture/index.ts";
import { UNREADABLE } from "../codes.ts";
import type { Given } from "../parts.ts";
import { emitConsentMode } from "./consent/consent_mode.ts";
import { watchSources } from "./consent/watch.ts";
import { watchDomains, withoutToken } from "./domains/index.ts";
import { isElsewhere, watchFrames } from "./frames.ts";
import type { Host } from "./host.ts";
import type { CaptureKind, Occurrence, Page } from "./kind.ts";
import { leadsOf } from "./leads.ts";
import { marksOf } from "./marks.ts";
import { packBatches } from "./pack.ts";
import { plain } from "./plain.ts";
import { watchShop } from "./shop.ts";
import { watchTabs } from "./tabs.ts";

export { fail, queued, report, say, tap } from "./words.ts";

const known: Record<string, CaptureKind> = kinds;

/** Binds the module and listens to what the first file does not listen to. */
export async function open(given: Given, host: Host) {
  const { options, kinds, listen, atEnd, guarded, say, capture, shop } = host;
  core.bind(await host.instantiate(given, core.imports));

  // Before everything else: the page's events may wait for it.
  const arrival = watchDomains(host);
  watchSources({ ...host, hear: arrival.hear });
  if (host.settings.emit) emitConsentMode(host);
  guarded(() => watchTabs(host));
  const leavePlain = packBatches(host);

  function take(lines: string, at: number, target?: EventTarget) {
    if (lines === UNREADABLE) return say("the second module cannot read what the page told it");
    for (const line of lines.split("\n")) {
      const [name, properties = ""] = line.split("\t");
      const whole = withValues(properties, target, shop);
      if (name) capture(name, whole, at);
    }
  }
  function read([kind, event, target, at, url, elapsed = event.timeStamp]: Occurrence) {
    if (isElsewhere(target)) return; // a frame may start its tracker after it has loaded
    const cells = known[kind]!.read(event, target, pages[kind]!);
    if (Array.isArray(cells)) capture(cells[0], host.json(cells[1])!, at);
    else if (cells) take(core.read(kind, plain(cells), withoutToken(url), elapsed), at, target);
  }
  /** Tells every kind of a happening that is no event of the document. */
  const tellAll = (type: string) => Object.values(pages).forEach((page) => page.happened(type, document));
  const learnLead = leadsOf(host);
  host.consent.on(({ analytics }) => analytics === "denied" && forgetTraits());
  const pages: Record<string, Page> = {};
  for (const kind of kinds) {
    const page: Page = (pages[kind] = {
      options,
      // A frame's events have a clock of their own.
      listen: (target, name) => listen(target, name, (event) => read([kind, event, event.composedPath()[0], Date.now(), location.href, performance.now()])),
      happened: (type, target, more = {}) =>
        guarded(() => read([kind, { type, timeStamp: performance.now(), ...more }, target, more.at ?? Date.now(), more.url ?? location.href])),
      prepareOptIn: () => void shop.use(() => {}),
      atEnd,
      learnLead,
    });
    for (const name of known[kind]!.late) page.listen(document, name);
    known[kind]!.start?.(page);
    known[kind]!.enter?.(document, page);
  }
  watchAddress(listen, guarded, (way) => tellAll(way === "replace" ? "replaced" : "navigated"));
  const readMarks = marksOf(host);
  readMarks(document);
  watchFrames(host, (inside) => {
    readMarks(inside);
    for (const kind of kinds) {
      const { early, late, enter } = known[kind]!;
      for (const name of [...early, ...late]) pages[kind]!.listen(inside, name);
      enter?.(inside, pages[kind]!);
    }
  });
  const leaveShop = watchShop(host);
  guarded(() => performance.mark("hilo-more")); // for the browser's own timeline
  return {
    read,
    /** The page is left: what only the end decides. */
    leave() {
      arrival.leave();
      leavePlain();
      tellAll("pagehide");
      take(core.leave(location.href, performance.now()), Date.now());
      leaveShop();
    },
  };
}
