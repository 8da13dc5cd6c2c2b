/**
 * The half of the tracker's page that calls back: listeners, timers, requests, and forms as the document has them.
 *
 * In: what happens in the page, told to the module; out: what the module asks for. Stands in TypeScript because closures and
 * futures in wasm cost the visitor more than the tracker itself. Decides nothing, and the page never sees an error from here.
 */
import * as core from "hilo-wasm";

/** How long an answer may take (protocol.md). */
const TIMEOUT_MS = 10_000;
/** How long a single-page app gets to set its title after it changed the address. */
const TITLE_MS = 20;
/** When the time zone is asked for: its name wakes a library of the browser's, and the first event does not wait for that. */
const ZONE_MS = 1_000;
/** Fields of one form that are looked at. */
const FIELDS_MAX = 100;
const FIELDS = "input,select,textarea";
/** The steps of a form, as `form` in the module knows them. */
const FOCUSED = 0;
const BLURRED = 1;
const SUBMITTED = 2;
/** What happens, as `happen` in the module knows it. */
const NAVIGATED = 0;
const RESTORED = 1;
const HIDDEN = 2;
const LEFT = 3;
const ONLINE = 4;
const WOKE = 5;
const STORED_ELSEWHERE = 6;
const SETTLED = 7;

const end = new AbortController();
let endpoint = "";
let isDebug = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let onConsent = () => {};
let fields = "";
/** Where the document was when the module last asked. */
let seen = "";

/** Tells the developer what is wrong from now on, or not. */
export function debug(on: boolean) {
  isDebug = on;
}

/** Tells the developer, in debug mode. */
export function say(what: unknown) {
  if (isDebug) console.warn("hilo:", what);
}

/** Does something with the module and tells a change of consent; whatever goes wrong, the page does not notice. */
export function quietly<T>(act: () => T, otherwise: T): T {
  if (end.signal.aborted) return otherwise;
  try {
    const result = act();
    if (core.is_consent_new()) onConsent();
    return result;
  } catch (error) {
    say(error);
    return otherwise;
  }
}

const tell = (act: () => void) => quietly(act, undefined);

/** Listens to the page until [`stop`]. The collector is at `collector`; `changed` is called when the choices changed. */
export function watch(collector: string, hasForms: boolean, changed: () => void) {
  endpoint = collector;
  onConsent = changed;
  tell(look);
  setTimeout(() => tell(() => look(Intl.DateTimeFormat().resolvedOptions().timeZone)), ZONE_MS);
  on(window, "pagehide", () => core.happen(LEFT));
  on(window, "pageshow", (event) => (event as PageTransitionEvent).persisted && core.happen(RESTORED));
  on(window, "online", () => core.happen(ONLINE));
  on(window, "storage", (event) => {
    // Consent, id, session or claim; no key: everything was cleared.
    if (/^hilo\.(c|id|s|u)$/.test((event as StorageEvent).key ?? "hilo.c")) core.happen(STORED_ELSEWHERE);
  });
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && core.happen(HIDDEN));
  if (hasForms) {
    on(document, "focusin", (event) => readForm(event, FOCUSED));
    on(document, "focusout", (event) => readForm(event, BLURRED));
    on(document, "submit", (event) => readForm(event, SUBMITTED));
  }
  if ("navigation" in window) return on(window.navigation as EventTarget, "currententrychange", navigated);
  // Where the Navigation API is missing, single-page apps are followed through the History API.
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      tell(navigated);
    };
  }
  on(window, "popstate", navigated);
}

/** The end: nothing is listened to any more. */
export function stop() {
  end.abort();
  clearTimeout(timer);
}

function on(target: EventTarget, kind: string, heard: (event: Event) => unknown) {
  // Before the page's own listeners, which may stop the event; and never in the way of scrolling.
  target.addEventListener(kind, (event) => tell(() => void heard(event)), { capture: true, passive: true, signal: end.signal });
}

function navigated() {
  setTimeout(() => tell(() => core.happen(NAVIGATED)), TITLE_MS);
}

/** What the browser says about itself, as fields of an envelope's context. */
export const surroundings = () => fields;

function look(timezone?: string) {
  const { width, height } = screen;
  fields = JSON.stringify({ locale: navigator.language, timezone, screen: { width, height } }).slice(1, -1);
}

/** Whether address, referrer or title are others than before: to look costs less than to carry them into the module. */
export function moved(): boolean {
  const before = seen;
  seen = location.href + "\n" + document.referrer + "\n" + document.title;
  return seen !== before;
}

/** The first same-origin address in this tab's history, where the browser tells. */
export function firstInHistory(): string | undefined {
  return window.navigation?.entries()[0]?.url ?? undefined;
}

/** A time in RFC 3339, UTC, with milliseconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Wakes the module once, in `ms`; replaces an earlier wish. */
export function wakeIn(ms: number) {
  clearTimeout(timer);
  timer = setTimeout(() => tell(() => core.happen(WOKE)), ms);
}

/** Tells the module when the page's current task is over. */
export function settle() {
  void Promise.resolve().then(() => tell(() => core.happen(SETTLED)));
}

/** Sends a request to the collector; what comes back is told to the module, whatever it is. */
export function post(ticket: number, path: string, body: string) {
  void send(path, body).then(
    ([status, retryAfter, id, rejected]) => tell(() => core.answered(ticket, status, retryAfter, id, rejected)),
    () => tell(() => core.answered(ticket, 0, -1, "", 0)),
  );
}

async function send(path: string, body: string): Promise<[number, number, string, number]> {
  // Text, so that a batch needs no preflight; calls that change something carry what a foreign page cannot send unasked.
  const isBatch = path.endsWith("batch");
  const response = await fetch(endpoint + path, {
    method: "POST",
    body,
    // Without it a browser drops the request together with the page.
    keepalive: true,
    credentials: isBatch ? "same-origin" : "include",
    headers: isBatch ? {} : { "x-hilo": "1" },
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
  });
  const { status, headers } = response;
  const retryAfter = headers.get("retry-after") ?? "";
  const answer = status === 200 ? await response.json().catch(() => 0) : 0;
  const { anonymousId, rejected } = answer || {};
  return [
    status,
    // A date or rubbish is not obeyed.
    /^\d+$/.test(retryAfter) ? +retryAfter : -1,
    typeof anonymousId === "string" ? anonymousId : "",
    Array.isArray(rejected) ? rejected.length : 0,
  ];
}

function readForm({ target }: Event, step: number) {
  const form = target instanceof Element && target.closest("form");
  if (!form) return;
  // Buttons and the like are no fields.
  if (step === SUBMITTED) core.form(step, table(form), "");
  else if (target.matches(FIELDS)) core.form(step, table(form), nameOf(target));
}

/** A form without a single value: lines of cells. First the form, then its fields; `FormAct` in the module says which cells. */
function table(form: Element): string {
  const [id, name] = [attribute(form, "id"), attribute(form, "name")];
  // Nothing to call it by: where it sends to is the best there is.
  const lines = [[id || name || attribute(form, "action"), id, name, mark(form)]];
  for (const field of [...form.querySelectorAll(FIELDS)].slice(0, FIELDS_MAX)) {
    lines.push([nameOf(field), attribute(field, "type"), attribute(field, "autocomplete"), mark(field)]);
  }
  return lines.map((cells) => cells.map((cell) => cell.replace(/[\t\n]/g, " ")).join("\t")).join("\n");
}

function nameOf(field: Element): string {
  return attribute(field, "name") || attribute(field, "id");
}

function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? "";
}

/** The site's mark for what must stay invisible. */
function mark(element: Element): string {
  return element.closest("[data-hilo-private]") ? "private" : "";
}
