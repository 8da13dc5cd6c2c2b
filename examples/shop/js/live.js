/**
 * The live panel: each touchpoint with its outcome at the collector, newest first. The last touchpoints from before the panel was opened
 * come first. Properties have the values that the collector sends; of all others the panel has only the type.
 *
 * Reads server-sent events with fetch, because an EventSource cannot carry the admin token. Shows text, never markup.
 */
import { make } from "./dom.js";
import { lang, link, t } from "./words.js";

/** Rows that stay on the page. */
const ROWS_MAX = 200;
/** Waits between attempts, in milliseconds. */
const WAITS = [500, 1000, 2000, 5000, 10000];

const words = t.live;
const list = document.querySelector("#events");
const state = make("p", { id: "state", role: "status" });
const token = make("input", { id: "token", value: "dev-admin", autocomplete: "off", spellcheck: "false" });
const clear = make("button", { id: "clear", type: "button", onclick: () => list.replaceChildren() }, words.clear);
let stop = new AbortController();
let seen = 0;

function say(kind, text) {
  state.className = kind;
  state.textContent = text;
}

/** Enough of an id to tell two apart. */
const shortened = (id) => id && (id.length > 8 ? `${id.slice(0, 8)}…` : id);
const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function properties(event) {
  const all = Object.entries(event.properties ?? {});
  const one = ([name, value]) => make("span", { class: "property" }, make("b", {}, name), ` ${text(value)}`);
  return all.length > 0 && make("div", {}, make("dt", {}, words.properties), make("dd", { class: "properties" }, ...all.map(one)));
}

function show(event) {
  seen = Math.max(seen, event.seq ?? 0);
  const label = event.name ? `${event.type} · ${event.name}` : (event.type ?? "—");
  const facts = [
    [words.page, event.page], [words.channel, event.channel], [words.session, event.session], [words.destinations, event.destinations?.join(", ")], [words.code, event.code], [words.device, shortened(event.anonymousId)], [words.user, shortened(event.userId)],
  ].filter(([, value]) => value);
  const meaning = words.meanings[event.outcome];
  list.prepend(
    make(
      "li",
      { class: event.outcome },
      make("div", { class: "head" }, make("strong", {}, label), make("span", { class: "outcome" }, words.outcomes[event.outcome] ?? event.outcome)),
      make("time", { datetime: event.at }, new Date(event.at).toLocaleTimeString(lang)),
      meaning && make("p", { class: "meaning" }, meaning),
      make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))), properties(event)),
    ),
  );
  while (list.children.length > ROWS_MAX) list.lastChild.remove();
  say("watching", words.watching);
}

/** Shows a line that is no event. */
function note(text) {
  list.prepend(make("li", { class: "missed" }, text));
}

async function watch(signal) {
  const headers = { authorization: `Bearer ${token.value}` };
  const response = await fetch(`/admin/v1/live?after=${seen}`, { headers, signal });
  if (response.status === 401) return say("failed", words.wrongToken);
  if (!response.ok) throw new Error(`status ${response.status}`);
  say("watching", list.children.length ? words.watching : words.nothing);
  let pending = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    pending += chunk;
    const frames = pending.split("\n\n");
    pending = frames.pop();
    for (const frame of frames) {
      const data = frame.split("\n").find((line) => line.startsWith("data: "));
      if (!data) continue;
      if (frame.startsWith("event: missed\n")) note(words.missed(JSON.parse(data.slice(6)).missed));
      else show(JSON.parse(data.slice(6)));
    }
  }
  throw new Error(words.ended);
}

async function run() {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const began = Date.now();
    try {
      say("connecting", words.connecting);
      await watch(signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (Date.now() - began > 30000) attempt = 0;
      const wait = WAITS[Math.min(attempt, WAITS.length - 1)];
      say("failed", words.lost(error.message, wait / 1000));
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

token.addEventListener("change", run);
document.documentElement.lang = lang;
document.title = `${words.title} · Hebra`;
// Beside the shop the way back is there already.
const back = self === top && make("a", { href: link("/") }, words.shop);
document.querySelector("header").append(...[back, make("h1", {}, words.title, clear), make("label", {}, words.token, token), state].filter(Boolean));
void run();
