/**
 * A page with the tracker, and a collector that only records requests: *action, expected, refuted*, and then nothing else.
 *
 * Serves a scenario's page and the built SDK on loopback. A check waits until the tracker is quiet, so that a request that must not
 * happen had time to happen. No wait stands for "it has happened by now": a machine may be slow. The real collector has its own specs;
 * `tests/browser/shop` drives both together.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import type { Browser, BrowserContext, Page } from "../../js/node_modules/playwright-core/index.d.ts";
import { chromium } from "../packages.ts";

const dist = fileURLToPath(new URL("../../js/sdk/dist/", import.meta.url));
/** The arguments of Chromium. */
export const ARGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" ");
const TYPES: Record<string, string> = { js: "text/javascript", mjs: "text/javascript", wasm: "application/wasm", html: "text/html; charset=utf-8" };
/** Longer than each timer of the tracker that leads to a request in these scenarios. */
const QUIET_MS = 5_600;
/** How long after the page's start the tracker asks for its second file. The file itself makes no quiet longer than this. */
const FILES_MS = 1_000;
/** How much longer a page may take that has stored events to send, and how long one is waited for that does not answer. */
const STORED_MS = 3_000;
const SILENT_MS = 10_000;
/** How long the last request of a closed page may be on its way. */
const LAST_MS = 400;
/** How long a browser or a context may take to end. */
const ENDS_MS = 20_000;
/** How long a call to a page may take that Playwright does not limit. A spec file that waits for ever names no test. */
const CALL_MS = 180_000;

/** JSON of any shape. */
export type Json = Record<string, any>;

/** One request to the collector. */
export interface Sent {
  call: string;
  body: Json;
  headers: IncomingMessage["headers"];
  /** The length of the body as it came, compressed or not. */
  bytes: number;
}

/** How the recording collector answers. Text in place of a body is what something else answers in the collector's place. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: Json;
  text?: string;
}

/** Whether no page may run WebAssembly, so that each scenario runs on the tracker as JavaScript. */
export const IS_PLAIN = process.env["HILO_PAGE"] === "js";
/** A part of the tracker as WebAssembly, as the collector serves it or a site's bundle: not the first module, which is tried once. */
const WASM_PART = /\/hilo-\w+(\.\w+)?\.wasm$/;

/** How many times slower each page runs, for a run in place of a slow machine; 0 for as it is. */
const SLOWER = Number(process.env["HILO_SLOWER"] ?? 0);

/** A content security policy that lets the snippet in, and neither WebAssembly nor another file: no tracker starts. */
export const SHUT = "default-src 'self'; script-src 'unsafe-inline' http://127.0.0.1:*/_h/hilo.js";

/** What the spec file has opened, and when a page last asked for a document or a file. */
const contexts = new Set<BrowserContext>();
const sites: { events(): Json[] }[] = [];
let asked = 0;

/** Starts a browser, for one spec file. */
export async function startBrowser(options: { ignoreDefaultArgs?: string[] } = {}) {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ARGS, ...options });
  const [open, close] = [browser.newContext.bind(browser), browser.close.bind(browser)];
  browser.close = async () => {
    // A browser that does not end when it is told to would keep its spec file, and all files after it, from ending.
    const late = setTimeout(() => execFileSync("pkill", ["-KILL", "-P", `${process.pid}`, "chrom"]), ENDS_MS);
    await close();
    clearTimeout(late);
  };
  browser.newContext = async (details) => {
    const context = await open(details);
    // A page takes long to load where a machine has much to do.
    context.setDefaultTimeout(60_000);
    contexts.add(context.on("close", () => contexts.delete(context)));
    context.on("page", (page) => limit(page, "evaluate"));
    const closed = context.close.bind(context);
    context.close = async (details) => {
      // Chromium may never tell the end of a context whose page is just being left. What is left of it ends with the browser.
      await within(ENDS_MS, closed(details)).catch(() => {});
      // What a page sends as it is closed must not reach the site in the next test.
      await new Promise((resolve) => setTimeout(resolve, LAST_MS));
    };
    context.on("request", (request) => void (/\/v1\//.test(request.url()) || (asked = Date.now())));
    if (SLOWER) context.on("page", (page) => void context.newCDPSession(page).then((session) => session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER })).catch(() => {}));
    if (IS_PLAIN) {
      await context.addInitScript(() => void delete (globalThis as Json)["WebAssembly"]);
      // A document that kept WebAssembly would run the usual tracker, and its scenario would pass for the wrong reason.
      context.on("request", (request) => assert.doesNotMatch(request.url(), WASM_PART, "a page of HILO_PAGE=js loads JavaScript alone"));
    }
    return context;
  };
  return browser;
}

/** Lets the call `name` of `target` fail where it has no answer in time. */
function limit(target: Json, name: string) {
  const call = target[name].bind(target);
  target[name] = (...given: unknown[]) => within(CALL_MS, call(...given), `${name}(${String(given[0] ?? "")})`);
}

/** The result of `work`, or a failure where it takes longer than `ms`. */
async function within<T>(ms: number, work: Promise<T>, what = "a call"): Promise<T> {
  let late: NodeJS.Timeout;
  const over = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`${what} had no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, over]).finally(() => clearTimeout(late));
}

/** What the collector tells a page whose call is fine. */
export function usualAnswer(call: string, body: Json): Json | undefined {
  const named = (said: Json = {}) => ({ anonymousId: said["anonymousId"] ?? said["spareId"] ?? null, revision: 0, denied: [], settings: { askAgainMonths: 6 } });
  const answers: Record<string, Json> = {
    batch: { success: true, accepted: body["batch"]?.length ?? 0, duplicate: 0, rejected: [], ...(body["hello"] && named(body["hello"])) },
    hello: { ...named(body), session: null },
    // A token of the collector's is sealed. This one shows whose it is.
    handoff: { token: `tok_${body["anonymousId"]}`, expiresIn: 60 },
    adopt: { ...named({ anonymousId: String(body["token"]).slice(4) }), session: null },
    consent: { receipt: {}, revision: 0, denied: [], anonymousId: (body["keepsId"] && (body["anonymousId"] ?? body["spareId"])) || null },
  };
  return answers[call];
}

/** Starts a site: `page(path)` gives the HTML of any path but the SDK's, which has the policy `csp` and the `fields` of its header. */
export async function startSite(page: (path: string) => string, csp?: string, fields: Record<string, string> = {}) {
  const sent: Sent[] = [];
  let answer = (_: Sent): Reply | null => ({ status: 200 });
  let last = Date.now();

  async function collect(request: IncomingMessage, response: ServerResponse, call: string) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const text = raw[0] === 0x1f ? gunzipSync(raw) : raw;
    const one: Sent = { call, body: JSON.parse(text.toString("utf8")), headers: request.headers, bytes: raw.length };
    sent.push(one);
    last = Date.now();
    const reply = answer(one);
    if (reply === null) return void request.socket.destroy();
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    const error = { code: reply.status === 410 ? "key_revoked" : "malformed_body", message: "the collector's own sentence" };
    response.end(reply.text ?? JSON.stringify(reply.body ?? (reply.status === 200 ? usualAnswer(call, one.body) : { ...error, error })));
  }

  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const call = /^\/_h\/v1\/(\w+)$/.exec(path)?.[1];
    if (call) return void collect(request, response, call);
    const file = path.startsWith("/_h/") ? join(dist, "cdn", path.slice(4)) : "";
    if (file && !existsSync(file)) return void response.writeHead(404).end();
    const kind = file ? path.split(".").pop()! : "html";
    const headers: Record<string, string> = { "content-type": TYPES[kind] ?? "text/plain", "access-control-allow-origin": "*", ...(!file && fields) };
    if (csp && !file) headers["content-security-policy"] = csp;
    if (path.endsWith(".js")) headers["content-type"] = TYPES["js"]!;
    response.writeHead(200, headers).end(file ? readFileSync(file) : page(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A test that failed before it closed its site must not keep its file from ending.
  server.unref();
  // What the envelope holds counts for each of its events, unless the event has a value of its own.
  const whole = ({ batch, context, anonymousId, ...rest }: Json) =>
    batch.map((event: Json) => ({
      ...(!event["anonymousId"] && { anonymousId, ...("userId" in rest && { userId: rest["userId"] }) }),
      ...event,
      context: { page: context.page, ...event["context"], hilo: { ...context.hilo, ...event["context"]?.hilo } },
    })) as Json[];
  const events = () => sent.filter((one) => one.call === "batch").flatMap((one) => whole(one.body));
  sites.push({ events });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    events,
    /** Sets the answer from now on; `null` breaks the connection. */
    answer: (reply: (sent: Sent) => Reply | null) => void (answer = reply),
    /** Resolves once no request has come for a while, and no page has yet to do what was due in that time. */
    async quiet() {
      const began = (last = Date.now());
      const isOver = () => Date.now() > Math.max(last, asked - FILES_MS) + QUIET_MS;
      do {
        while (!isOver()) await pause();
        // A page that has stored events may only be late with them. Some scenarios keep it from sending them at all.
        while (isOver() && (await isWaited()) && Date.now() - Math.max(last, began) < QUIET_MS + STORED_MS) await pause();
      } while (!isOver());
    },
    close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Runs in a page. Timers that are due and idle callbacks come first, in the order of their calls. Returns whether events wait to be sent. */
const TURN = `new Promise((done) => setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => done(), { timeout: 5000 })))
  .then(() => { try { return Object.keys(localStorage).some((key) => key.startsWith("hilo.q.")); } catch { return false; } })`;

/** Lets every page do what is due there. Resolves with whether events wait in one of them. */
async function isWaited(): Promise<boolean> {
  const pages = [...contexts].flatMap((context) => context.pages());
  // A page that is left meanwhile has nothing to wait for, and one whose clock stands still or that crashed does not answer.
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, SILENT_MS, false).unref());
  const turn = (page: Page) => Promise.race([page.evaluate<boolean>(TURN).catch(() => false), late]);
  return (await Promise.all(pages.map(turn))).includes(true);
}

/** A page with the snippet, and `body` in it. */
export function withSnippet(body: string, attributes = "", key = "wk_t"): string {
  const stub = readFileSync(join(dist, "stub.js"), "utf8").trim();
  return `<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
<script>${stub}</script><script async src="/_h/hilo.js" data-key="${key}" ${attributes}></script>${body}`;
}

/** The code of the second file, as the collector names it, and its module. */
export const MORE = /\/hilo-more\.\w+\.js$/;
export const MORE_MODULE = /\/hilo-more\.\w+\.(wasm|mjs)$/;

/** Opens a page in a context of its own, with the second file bound. `prepare` comes before the first request. */
export async function openBound(browser: Browser, url: string, prepare: (page: Page) => Promise<unknown> = async () => {}) {
  const page = await (await browser.newContext()).newPage();
  await prepare(page);
  await bound(page, () => page.goto(url));
  return page;
}

/** Goes to another document by `act`, and resolves once the second file is bound there. */
export async function bound(page: Page, act: () => Promise<unknown>) {
  await Promise.all([page.waitForResponse((response) => MORE_MODULE.test(response.url())), act()]);
  await isBound(page);
}

/** Resolves once the second file of the document that `page` shows listens. */
export const isBound = (page: Json) => until(() => page["evaluate"](() => performance.getEntriesByName("hilo-more").length).catch(() => 0));

/**
 * Resolves once `ms` have passed in the page. A timer of the page fires after the page's timers that were due before it, however slow the
 * machine is; a timer of this process does not know them.
 */
export const passed = (page: Json, ms: number): Promise<void> => page["evaluate"]((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)), ms);

/**
 * Watches what the page sends. The function that it gives resolves with whether the page sent something with `word` before a timer of the
 * page fired that began now and takes `ms`.
 */
export async function sendsWithin(page: Page, word: string, ms: number) {
  await page.evaluate(
    ([word, ms]) => {
      const own = window.fetch;
      (window as Json)["isSent"] = new Promise((resolve) => {
        setTimeout(() => resolve(false), ms);
        window.fetch = (url, init) => (String(init?.body).includes(word) && resolve(true), own(url, init));
      });
    },
    [word, ms] as const,
  );
  return () => page.evaluate(() => (window as Json)["isSent"] as Promise<boolean>);
}

/** The named acts that came, each once: a page that is left hands what is not answered to the next page. */
export function actsOf(site: { events(): Json[] }): Json[] {
  const once = new Map(site.events().map((event) => [event["messageId"], event]));
  return [...once.values()].filter((event) => event["type"] === "track");
}

/** The errors that `page` writes to the console from now on, without what the browser itself reports. */
export function watchErrors(page: { on(kind: "console", heard: (message: { type(): string; text(): string }) => void): unknown }): string[] {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && message.text().startsWith("hilo") && errors.push(message.text()));
  return errors;
}

/** Resolves when `holds` does, and fails where that takes longer than `msMax`, also where it gives no answer at all. */
export async function until(holds: () => unknown, msMax = 15_000) {
  const end = Date.now() + msMax;
  const over = new Promise<undefined>((resolve) => setTimeout(resolve, msMax + 100, undefined).unref());
  for (; !(await Promise.race([holds(), over])); await pause()) {
    if (Date.now() > end) assert.fail(`not within ${msMax} ms: ${holds}\nThese events came: ${sites.flatMap((site) => site.events()).map(nameOf).join(", ")}`);
  }
}

/** Lets the page itself go elsewhere. A task later, because an evaluation has no answer once its page is gone. */
export async function leave(page: { evaluate(act: (code: string) => void, code: string): Promise<void> }, code: string) {
  await page.evaluate((act) => void setTimeout(() => new Function(act)()), code);
}

const nameOf = ({ type, event }: Json): string => (event ? `${type} ${event}` : type);

/** Asserts that exactly these events came, by type and name, in any order. */
export function expectEvents(events: Json[], expected: string[]) {
  assert.deepEqual(events.map(nameOf).sort(), [...expected].sort());
}
