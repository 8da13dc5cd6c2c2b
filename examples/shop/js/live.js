/**
 * The live panel: each touchpoint with its outcome at the collector, newest first.
 *
 * Reads server-sent events with fetch, because an EventSource cannot carry the admin token. Shows text, never markup.
 */
import { make } from "./dom.js";

/** Rows that stay on the page. */
const ROWS_MAX = 200;
/** Waits between attempts, in milliseconds. */
const WAITS = [500, 1000, 2000, 5000, 10000];

const list = document.querySelector("#events");
const state = document.querySelector("#state");
const token = document.querySelector("#token");
let stop = new AbortController();
let seen = 0;

function say(kind, text) {
  state.className = kind;
  state.textContent = text;
}

function show(event) {
  seen = Math.max(seen, event.seq ?? 0);
  const label = event.name ? `${event.type} · ${event.name}` : (event.type ?? "—");
  const facts = [
    ["channel", event.channel], ["session", event.session], ["sent to", event.destinations?.join(", ")], ["page", event.page], ["code", event.code], ["device", event.anonymousId?.slice(0, 8)],
  ].filter(([, value]) => value);
  list.prepend(
    make(
      "li",
      { class: event.outcome },
      make("div", { class: "head" }, make("strong", {}, label), make("span", { class: "outcome" }, event.outcome)),
      make("time", { datetime: event.at }, new Date(event.at).toLocaleTimeString()),
      make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))),
    ),
  );
  while (list.children.length > ROWS_MAX) list.lastChild.remove();
  say("watching", "Watching");
}

async function watch(signal) {
  const headers = { authorization: `Bearer ${token.value}` };
  const response = await fetch(`/admin/v1/live?after=${seen}`, { headers, signal });
  if (response.status === 401) return say("failed", "The token is wrong. On a developer's machine it is dev-admin.");
  if (!response.ok) throw new Error(`status ${response.status}`);
  say("watching", list.children.length ? "Watching" : "Nothing yet: open the shop, accept the banner and click around.");
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const frames = text.split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const data = frame.split("\n").find((line) => line.startsWith("data: "));
      if (data) show(JSON.parse(data.slice(6)));
    }
  }
  throw new Error("the stream ended");
}

async function run() {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const began = Date.now();
    try {
      say("connecting", "Connecting …");
      await watch(signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (Date.now() - began > 30000) attempt = 0;
      const wait = WAITS[Math.min(attempt, WAITS.length - 1)];
      say("failed", `No connection (${error.message}). Is \`cargo xtask dev\` running? Trying again in ${wait / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

token.addEventListener("change", run);
document.querySelector("#clear").addEventListener("click", () => list.replaceChildren());
void run();
