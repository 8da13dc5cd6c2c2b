/**
 * The page's state → facts for the panel: who gave each choice, ids, queue, signals, files. Reads, and changes nothing.
 */
import type { Page } from "../more/debugger.ts";
import type { Choice, ConsentState, Purpose } from "../types.ts";
import type { Events } from "./events.ts";
import type { Words } from "./words.ts";

/** A fact: its name and its value. */
export type Fact = [name: string, value: string];

const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
/** The purposes that signals of the browser deny. */
const BY_GPC: Purpose[] = ["advertising", "sale_share"];
/** The methods that are a tool's own name. */
const NAMED = ["tcf", "gpp", "consent_mode"];
/** Where the tracker keeps events (`hilo-tracker/src/queue`). */
const QUEUE = "hilo.q.";
/** Characters of an id that are shown. */
export const ID_MAX = 8;
/** Characters of a signal that are shown. */
const SIGNAL_MAX = 60;

/** A text of at most `max` characters, and a sign where it was longer. */
export const shortened = (text: string, max: number) => (text.length > max ? `${text.slice(0, max)}…` : text);
const browser = navigator as { globalPrivacyControl?: boolean; doNotTrack?: string | null };
const time = (at: number) => new Date(at).toTimeString().slice(0, 8);

/** What the tools told, by name. */
function signalsOf({ report }: Page): Record<string, string> {
  const signals = report()?.lines.split("\n")[0]?.split("\t")[2] ?? "";
  return signals ? (JSON.parse(`{${signals.slice(1)}}`) as { signals: Record<string, string> }).signals : {};
}

/** Who gave the choice about the purpose at `place`. */
function speaker(page: Page, purpose: Purpose, place: number, choice: Choice, words: Words): string {
  if (choice === "unset") return words.who.nobody;
  const [codes = "0", methods = ""] = page.report()?.lines.split("\t") ?? [];
  const bit = 1 << (place + 1);
  // A byte of granted purposes, and above it one of denied ones (`codes.ts`).
  const [grants, denies] = [Number(codes) & bit, (Number(codes) >> 8) & bit];
  const method = methods.split(" ")[place];
  if (method && (choice === "granted" ? grants && !denies : denies && !grants)) {
    return method === "tool" ? Object.keys(signalsOf(page)).filter((name) => !NAMED.includes(name)).join(", ") : method;
  }
  if (choice === "denied" && browser.globalPrivacyControl && BY_GPC.includes(purpose)) return words.who.gpc;
  return words.who.site;
}

/** Each purpose with the visitor's choice and who gave it. */
export const consentOf = (page: Page, state: ConsentState, words: Words): Fact[] =>
  PURPOSES.map((purpose, place) => [purpose, `${words.choices[state[purpose]]}: ${speaker(page, purpose, place, state[purpose], words)}`]);

export const identityOf = ({ hilo }: Page, state: ConsentState, { facts, places, unknown }: Words): Fact[] => [
  [facts.anonymousId, shortened(hilo.anonymousId() ?? unknown, ID_MAX)],
  [facts.session, hilo.sessionId() ?? unknown],
  [facts.persistence, state.persistence ? places[state.persistence] : unknown],
  [facts.revision, String(state.revision)],
];

/** The events in the storage, of all tabs: number, bytes and the oldest's time. */
function stored() {
  const found = { count: 0, bytes: 0, oldest: 0 };
  for (const name of ["localStorage", "sessionStorage"] as const) {
    try {
      for (const key of Object.keys(window[name]).filter((key) => key.startsWith(QUEUE))) {
        for (const text of (window[name].getItem(key) ?? "").split("\r")) {
          const at = parseInt(text);
          found.count++;
          found.bytes += text.length;
          found.oldest = Math.min(found.oldest || at, at);
        }
      }
    } catch {
      // The browser blocks this storage, so nothing is there.
    }
  }
  return found;
}

export function queueOf(events: Events, { facts, unknown, steps }: Words): Fact[] {
  const { count, bytes, oldest } = stored();
  const { answer, lost } = events;
  const reasons = Object.entries(lost).map(([reason, count]) => `${reason} ${count}`);
  return [
    [facts.waiting, String(count)],
    [facts.bytes, String(bytes)],
    [facts.oldest, oldest ? time(oldest) : unknown],
    [facts.answer, answer ? `${answer.status || steps.unanswered}, ${time(answer.at)}` : unknown],
    [facts.lost, reasons.join(", ") || unknown],
  ];
}

export function signalFacts(page: Page, { facts, yes, no, unknown }: Words): Fact[] {
  const at = page.report()?.at;
  return [
    [facts.tools, [...page.found].join(", ") || unknown],
    ...Object.entries(signalsOf(page)).map(([name, text]): Fact => [name, shortened(text, SIGNAL_MAX)]),
    [facts.told, at && page.found.size ? time(at) : unknown],
    [facts.gpc, browser.globalPrivacyControl ? yes : no],
    [facts.dnt, browser.doNotTrack === "1" ? yes : no],
  ];
}

/** hilo's own files with the bytes that came for them, and the library's version. */
export const filesOf = (events: Events, { facts, unknown }: Words): Fact[] => [
  ...(performance.getEntriesByType("resource") as PerformanceResourceTiming[])
    .map((entry): Fact => [/\/([^/?#]*)(?:[?#].*)?$/.exec(entry.name)?.[1] ?? "", `${entry.encodedBodySize} B`])
    .filter(([name]) => /^hilo\b/.test(name)),
  [facts.version, events.version || unknown],
];
