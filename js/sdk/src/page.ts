/**
 * The half of the tracker's page that calls back: listeners, timers and requests.
 *
 * In: what happens in the page. Out: calls of the module, and what the module asked for. It is TypeScript because closures and
 * futures in wasm cost the visitor more than the tracker itself. It decides nothing, and the page never sees an error from here.
 */
import * as core from "./core.ts";

import {
  ASK_CHANGED, ASK_ISO, ASK_KEYS, ASK_PLACE, ASK_STORED, HAPPENED_HIDDEN, HAPPENED_ONLINE, HAPPENED_RESTORED, HAPPENED_SHOWN, HAPPENED_STORED_ELSEWHERE, HAPPENED_TASK_ENDED, HAPPENED_WOKE,
} from "./codes.ts";
import { changed as changedEvent } from "./changes.ts";
import { json } from "./json.ts";
import type { Pack } from "./parts.ts";
import { isConsentNew } from "./said.ts";
import { keys, random, stored } from "./storage.ts";
import { fail, report, say } from "./voice.ts";

export { say };

/** How long an answer may take (protocol.md). */
const TIMEOUT_MS = 10_000;

/** This page's number among the pages that share its storage. */
export const tab = random();
const ending = new AbortController();
let endpoint = "";
/** The token of the visitor whom the shop's backend vouches for. */
let user: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let onConsent = () => {};
/** Gives this tab's lock back. */
let release = () => {};
let pack: Pack | undefined;
/** The cookies of other services that the site's destinations need. */
let cookies: string[] | "" = "";
/** The browser's description of itself. */
let description = "";
/** The place when the module last asked. */
let lastPlace = "";
/** Where the GET forms of this tab lead: addresses, a line each, with the names in their queries as an expression. `more.ts` has the rest. */
let leads = "";
/** How often the collector has missed a proof on this page, and has seen none but the page's own. */
let missed = 0;
let spared = 0;
/** Where no cookie keeps the proof of the id: the token that does, or the wish for one. */
let proof = navigator.cookieEnabled ? "" : "new";
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
    if (isConsentNew()) onConsent();
    return result;
  } catch (error) {
    say(error);
    return otherwise;
  }
}

/** Does what [`quietly`] does, for an act without a result. */
export const guarded = (act: () => void) => quietly(act, undefined);

/** A guarded call that takes no more than a text: one of the `HAPPENED_` or `CALL_` codes. */
export const act = (what: number, text?: string) => void guarded(() => core.happen(what, text));

/** Listens to the page until [`stop`]. The collector is at `collector`; `changed` is called when the choices changed, and the site names cookies. */
export function watch(collector: string, changed: () => void, named = "") {
  endpoint = collector;
  cookies = named && named.split(" ");
  onConsent = changed;
  guarded(describe);
  hold();
  listen(window, "pagehide", () => (core.happen(HAPPENED_HIDDEN), release()));
  listen(window, "pageshow", (event) => (event as PageTransitionEvent).persisted && (hold(), core.happen(HAPPENED_RESTORED)));
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
  release();
}

/** Holds a lock while this tab's stored events are its own to send: `more/tabs.ts`. */
function hold() {
  void navigator.locks?.request(`hilo.q.${tab}.`, () => new Promise<void>((resolve) => (release = resolve))).catch(() => {});
}

/** Gives the lock back: another tab may take what this one has stored. */
export const free = () => release();

/** The proof, or from now on another one. */
export const prove = (other?: string) => (proof = other ?? proof);

/** From now on large bodies are sent as `by` makes them. */
export const packBy = (by: Pack) => void (pack = by);

/** Listens until [`stop`]. */
export function listen(target: EventTarget, kind: string, heard: (event: Event) => unknown) {
  // `capture` comes before the page's own listeners, which may stop the event; `passive` never delays scrolling.
  target.addEventListener(kind, (event) => guarded(() => void heard(event)), { capture: true, passive: true, signal: ending.signal });
}

/** Calls `act` once, at [`stop`]. */
export function atEnd(act: () => void) {
  ending.signal.addEventListener("abort", act);
}

function describe() {
  const { width, height } = screen;
  description = JSON.stringify({ locale: navigator.language, screen: { width, height } }).slice(1, -1);
}

/** Address, referrer and title, a line each. None of them can hold a line break. */
const place = () => `${bare(location.href)}\n${bare(document.referrer)}\n${document.title}`;

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

/** The address without what a visitor typed into a GET form, and without the token of `more/domains`. */
function bare(url: string): string {
  url = url.split("#hilo=")[0]!;
  for (const lead of leads.split("\n")) {
    const [page, names] = lead.split("?");
    if (names && url.startsWith(page + "?")) return url.replace(RegExp(`([?&](${names})=)[^&#]*`, "g"), "$1");
  }
  return url;
}

/** The last moment a Date can hold (ECMA-262, time values). */
const DATE_MS_MAX = 8.64e15;

/** The text that the module asks for with one of the `ASK_` codes, about a key of the storage, a time or an event. */
export const ask = (what: number, key: string, ms: number) =>
  what === ASK_ISO
    ? new Date(Math.max(-DATE_MS_MAX, Math.min(ms, DATE_MS_MAX))).toISOString()
    : what === ASK_STORED
      ? stored(key)
      : what === ASK_KEYS
        ? keys(key)
        : what === ASK_PLACE
          ? place()
          : what === ASK_CHANGED
            ? changedEvent(key)
            : description + (cookies && `,"cookies":${json(quietly(() => document.cookie.split("; ").filter((one) => cookies.includes(one.split("=")[0]!) && key.includes(one.slice(0, 3))), []))}`);

/** Wakes the module once, in `ms`. A later call replaces an earlier one. */
export function wakeIn(ms: number) {
  clearTimeout(timer);
  timer = setTimeout(act, ms, HAPPENED_WOKE);
}

/** Tells the module when the page's current task is over. */
export function noticeTaskEnd() {
  void Promise.resolve().then(() => act(HAPPENED_TASK_ENDED));
}

/** From now on choices count for this visitor too, or for nobody but the device. */
export const vouch = (token?: string) => void (user = token);

/** Sends a request to the collector. The module is told of every end: an answer, no network, no answer in time. */
export function post(ticket: number, path: string, body: string) {
  const answered: Judge = (...answer) => quietly(() => core.answered(ticket, ...answer), true);
  send(ticket, path, body, answered).catch(() => answered(0, -1, ""));
}

/** Tells the module of an answer. Returns whether the answer is the collector's own. */
type Judge = (status: number, retryAfter: number, words: string) => boolean;

async function send(ticket: number, path: string, body: string, answered: Judge) {
  // A batch is plain text, so it needs no preflight. A hello on it, which stands first, shows and takes the cookie all the same.
  // The other calls change something, so they carry a field that a foreign page cannot send without one.
  const isBatch = path.endsWith("batch");
  const packed = pack?.(body);
  const request: RequestInit = {
    method: "POST",
    body: packed ? await packed : body,
    // Without `keepalive` a browser drops the request together with the page.
    keepalive: true,
    credentials: isBatch && body[2] !== "h" ? "same-origin" : "include",
    headers: isBatch ? {} : { "x-hilo": "1", ...(proof && { "x-hilo-auth": proof }), ...(user && { "x-hilo-user-token": user }) },
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
  };
  // Browsers refuse `keepalive` where too much of it is under way, and for reasons of their own: a page that lives does without it.
  const response = await fetch(endpoint + path, request).catch(() => fetch(endpoint + path, { ...request, body, keepalive: false }));
  const { status, headers } = response;
  const retryAfter = headers.get("retry-after") ?? "";
  const answer = (await response.json().catch(() => 0)) || {};
  // A portal, a firewall or a service worker may answer in the collector's place: what is not the collector's own is no answer.
  const isTaken = status === 200;
  const isWhole = !isTaken || "accepted" in answer || "receipt" in answer || "settings" in answer;
  const { code, message } = answer.error ?? 0;
  const { anonymousId, token, revision, denied, rejected, settings, spareProof } = answer;
  // A choice that came too late is judged too: what is recorded counts.
  const isLate = code === "consent_outdated";
  // The hello that follows brings a cookie. In the frame of another site the browser drops that without a word: then a token.
  if (spareProof ? spared++ : code === "not_yours" && missed++) proof ||= "new";
  if (denied && isWhole && (isTaken || isLate)) {
    // A proof that comes after a denial is not kept. Without an id there is nothing to prove any more.
    const isOfUse = quietly(() => core.recorded(ticket, revision, denied.join(" ")), false);
    proof = (isOfUse && token) || (proof && (anonymousId ? proof : "new"));
    if (isOfUse && token) guarded(() => (localStorage["hilo.p"] = token));
  }
  const words = [code ?? rejected?.[0]?.code, spareProof ? `${anonymousId} ${spareProof}` : anonymousId, settings?.askAgainMonths, settings?.noticeVersion].join("|");
  // Only seconds are obeyed, no date.
  const isOurs = answered(isLate ? 200 : isWhole ? status : 0, /^\d+$/.test(retryAfter) ? +retryAfter : -1, words);
  // The collector's own failures have a code, and end by themselves.
  if (!(isOurs && isTaken) && (status < 429 || !code)) fail(isOurs ? code : "foreign_answer", isOurs ? message : `${status} ${response.url}`);
  if (isBatch) report(body, isOurs ? status : 0, answer);
}
