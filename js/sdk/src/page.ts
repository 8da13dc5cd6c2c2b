/**
 * The half of the tracker's page that calls back: listeners, timers and requests.
 *
 * In: what happens in the page. Out: calls of the module, and what the module asked for. It is TypeScript because closures and
 * futures in wasm cost the visitor more than the tracker itself. It decides nothing, and the page never sees an error from here.
 */
import * as core from "hilo-wasm";

import {
  HAPPENED_HIDDEN, HAPPENED_ONLINE, HAPPENED_RESTORED, HAPPENED_SHOWN, HAPPENED_STORED_ELSEWHERE, HAPPENED_TASK_ENDED, HAPPENED_WOKE,
} from "./codes.ts";
import { fail, report, say } from "./voice.ts";

export { say };

/** How long an answer may take (protocol.md). */
const TIMEOUT_MS = 10_000;
/** When the time zone is asked for. Its name wakes a library of the browser's, and the first event does not wait for that. */
const ZONE_MS = 1_000;

const ending = new AbortController();
let endpoint = "";
/** The token of the visitor whom the shop's backend vouches for. */
let user: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let onConsent = () => {};
/** The browser's description of itself. */
let description = "";
/** The place when the module last asked. */
let lastPlace = "";
/** Where the GET forms of this tab lead: addresses, a line each, with the names in their queries as an expression. `more.ts` has the rest. */
let leads = "";
/** How often the collector has missed a proof on this page. */
let missed = 0;
/** Where no cookie keeps the proof of the id: the token that does, or the wish for one. */
export let proof = navigator.cookieEnabled ? "" : "new";
try {
  proof = localStorage["hilo.p"] ?? proof;
  leads = sessionStorage["hilo.f"] ?? "";
} catch {
  // The storage is blocked, so this document's own forms count alone.
}

/** Calls `act`, then tells the site where the choices changed. An error never reaches the page: `otherwise` is returned. */
export function quietly<T>(act: () => T, otherwise: T): T {
  if (ending.signal.aborted) return otherwise;
  try {
    const result = act();
    if (core.is_consent_new()) onConsent();
    return result;
  } catch (error) {
    say(error);
    return otherwise;
  }
}

/** Does what [`quietly`] does, for an act without a result. */
export const guarded = (act: () => void) => quietly(act, undefined);

/** Listens to the page until [`stop`]. The collector is at `collector`; `changed` is called when the choices changed. */
export function watch(collector: string, changed: () => void) {
  endpoint = collector;
  onConsent = changed;
  guarded(describe);
  setTimeout(() => guarded(() => describe(Intl.DateTimeFormat().resolvedOptions().timeZone)), ZONE_MS);
  listen(window, "pagehide", () => core.happen(HAPPENED_HIDDEN));
  listen(window, "pageshow", (event) => (event as PageTransitionEvent).persisted && core.happen(HAPPENED_RESTORED));
  listen(window, "online", () => core.happen(HAPPENED_ONLINE));
  listen(window, "storage", (event) => {
    // The keys of consent, id, session and claim. An event without a key says that everything was cleared.
    if (/^hilo\.(c|id|s|u)$/.test((event as StorageEvent).key ?? "hilo.c")) core.happen(HAPPENED_STORED_ELSEWHERE);
  });
  listen(document, "visibilitychange", () => core.happen(document.hidden ? HAPPENED_HIDDEN : HAPPENED_SHOWN));
}

/** Stops for good: no listener and no timer is left. */
export function stop() {
  ending.abort();
  clearTimeout(timer);
}

/** Listens until [`stop`]. */
export function listen(target: EventTarget, kind: string, heard: (event: Event) => unknown) {
  // `capture` comes before the page's own listeners, which may stop the event; `passive` never delays scrolling.
  target.addEventListener(kind, (event) => guarded(() => void heard(event)), { capture: true, passive: true, signal: ending.signal });
}

/** Calls `act` once, at [`stop`]. */
export function atEnd(act: () => void) {
  ending.signal.addEventListener("abort", act);
}

/** The browser's description of itself, as fields of an envelope's context. */
export const surroundings = () => description;

function describe(timezone?: string) {
  const { width, height } = screen;
  description = JSON.stringify({ locale: navigator.language, timezone, screen: { width, height } }).slice(1, -1);
}

/** Address, referrer and title, a line each. None of them can hold a line break. */
export const place = () => `${bare(location.href)}\n${bare(document.referrer)}\n${document.title}`;

/** Whether the place changed since the last call. Comparing texts costs less than carrying them into the module. */
export function moved(): boolean {
  const before = lastPlace;
  return (lastPlace = place()) !== before;
}

/** The first same-origin address in this tab's history, where the browser tells. */
export function firstInHistory(): string | undefined {
  const url = window.navigation?.entries()[0]?.url;
  return url ? bare(url) : undefined;
}

/** Learns where a GET form of this document leads. */
export const learnLead = (lead: string) => void (leads += lead);

/** The address without what a visitor typed into a GET form. */
function bare(url: string): string {
  for (const lead of leads.split("\n")) {
    const [page, names] = lead.split("?");
    if (names && url.startsWith(page + "?")) return url.replace(RegExp(`([?&](${names})=)[^&#]*`, "g"), "$1");
  }
  return url;
}

/** A time in RFC 3339, UTC, with milliseconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Wakes the module once, in `ms`. A later call replaces an earlier one. */
export function wakeIn(ms: number) {
  clearTimeout(timer);
  timer = setTimeout(() => guarded(() => core.happen(HAPPENED_WOKE)), ms);
}

/** Tells the module when the page's current task is over. */
export function noticeTaskEnd() {
  void Promise.resolve().then(() => guarded(() => core.happen(HAPPENED_TASK_ENDED)));
}

/** From now on choices count for this visitor too, or for nobody but the device. */
export const vouch = (token?: string) => void (user = token);

/** Sends a request to the collector. The module is told of every end: an answer, no network, no answer in time. */
export function post(ticket: number, path: string, body: string) {
  const answered: Judge = (...answer) => quietly(() => core.answered(ticket, ...answer), true);
  send(ticket, path, body, answered).catch(() => answered(0, -1, ""));
}

/** Tells the module of an answer. Returns whether the answer is the collector's own. */
type Judge = (status: number, retryAfter: number, word: string) => boolean;

async function send(ticket: number, path: string, body: string, answered: Judge) {
  // A batch is plain text, so it needs no preflight. The other calls change something, so they carry a field that a foreign
  // page cannot send without one.
  const isBatch = path.endsWith("batch");
  const response = await fetch(endpoint + path, {
    method: "POST",
    body,
    // Without `keepalive` a browser drops the request together with the page.
    keepalive: true,
    credentials: isBatch ? "same-origin" : "include",
    headers: isBatch ? {} : { "x-hilo": "1", ...(proof && { "x-hilo-auth": proof }), ...(user && { "x-hilo-user-token": user }) },
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
  });
  const { status, headers } = response;
  const retryAfter = headers.get("retry-after") ?? "";
  const answer = (await response.json().catch(() => 0)) || {};
  // A portal, a firewall or a service worker may answer in the collector's place: what is not the collector's own is no answer.
  const isTaken = status === 200;
  const isWhole = !isTaken || "accepted" in answer || "receipt" in answer || "settings" in answer;
  const { code, message } = answer.error ?? 0;
  const { anonymousId, token, revision, denied, rejected, settings } = answer;
  // A choice that came too late is judged too: what is recorded counts.
  const isLate = code === "consent_outdated";
  // The hello that follows brings a cookie. In the frame of another site the browser drops that without a word: then a token.
  if (code === "not_yours" && missed++) proof ||= "new";
  if (denied && isWhole && (isTaken || isLate)) {
    // A proof that comes after a denial is not kept. Without an id there is nothing to prove any more.
    const isOfUse = quietly(() => core.recorded(ticket, revision, denied.join(" ")), false);
    proof = (isOfUse && token) || (proof && (anonymousId ? proof : "new"));
    if (isOfUse && token) guarded(() => (localStorage["hilo.p"] = token));
  }
  const word = settings ? [anonymousId, settings.askAgainMonths, settings.noticeVersion].join("|") : `${code ?? rejected?.[0]?.code}`;
  // Only seconds are obeyed, no date.
  const isOurs = answered(isLate ? 200 : isWhole ? status : 0, /^\d+$/.test(retryAfter) ? +retryAfter : -1, word);
  // The collector's own failures have a code, and end by themselves.
  if (!(isOurs && isTaken) && (status < 429 || !code)) fail(isOurs ? code : "foreign_answer", isOurs ? message : `${status} ${response.url}`);
  if (isBatch) report(body, isOurs ? status : 0, answer);
}
