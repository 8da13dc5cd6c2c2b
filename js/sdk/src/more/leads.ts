/**
 * Where GET forms lead. The browser writes what a visitor typed into such an address, so `page.ts` cuts it out of every address
 * that it reads. In: an address and the names in its query. Out: a line for `page.ts`, kept for the tab with consent only.
 */
import * as core from "hilo-more-wasm";

import type { Hilo } from "../types.ts";

/** What the first file lends. */
export interface Tab {
  /** Learns where a GET form of this document leads: a line for `bare` of `page.ts`. */
  learnLead(lead: string): void;
  /** The visitor's id; empty without consent, and until the collector has answered. */
  anonymousId(): string;
  consent: Hilo["consent"];
  /** Keeps errors of `act` from the page. */
  guarded(act: () => void): void;
}

/** The purposes of which each allows something to be stored. */
const ALLOWING = ["functional", "analytics", "personalization", "advertising"] as const;
/** Characters that are learned in one tab. */
const LEADS_MAX = 4_000;

/** Gives the function that learns where a form leads. A visitor who withdraws leaves nothing in the tab's storage. */
export function leadsOf({ consent, guarded, learnLead }: Tab) {
  // The choices count, not the id: a form may be sent before the collector has answered whose the id is.
  const mayStore = () => ALLOWING.some((purpose) => consent.state()[purpose] === "granted");
  const forget = () => guarded(() => mayStore() || core.forget_leads());
  forget();
  consent.on(forget);
  const learned = new Set<string>();
  let length = 0;
  return (page: string, names: string[]) =>
    guarded(() => {
      const line = `${page}?${names.map(encoded).join("|")}\n`;
      if (learned.has(line) || (length += line.length) > LEADS_MAX) return;
      learned.add(line);
      learnLead(line);
      if (mayStore()) core.store_lead(line);
    });
}

/** A name as the browser writes it into a query, safe in an expression. */
function encoded(name: string): string {
  return new URLSearchParams([[name, ""]]).toString().slice(0, -1).replace(/[.*+]/g, "\\$&");
}
