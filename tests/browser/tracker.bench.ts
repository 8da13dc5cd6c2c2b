/**
 * The cost of the tracker for a page, beside a floor of plain JavaScript, all in one run on one machine: `cargo xtask bench`.
 *
 * The floor batches events and sends them with `fetch(keepalive)`: no smaller code sends events. Only the ratios to the floor count;
 * the last column (must) has the budgets. The visitor comes back and has consented; the HTTP cache is empty.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "../../js/node_modules/playwright-core/index.d.ts";
import { startBrowser } from "./scenario.ts";

const RUNS = 15;
const CALLS = 1_000;
const ENCODED: Record<string, string> = { js: "text/javascript", wasm: "application/wasm" };
const dist = fileURLToPath(new URL("../../js/sdk/dist/", import.meta.url));

const FLOOR = `
(function () {
  var queue = [], timer = 0, sent = 0;
  function flush() {
    clearTimeout(timer); timer = 0;
    if (!queue.length) return;
    sent = Date.now();
    fetch("/_h/v1/batch", { method: "POST", keepalive: true, body: JSON.stringify({ writeKey: "wk_t", sentAt: new Date(), batch: queue }) }).catch(function () {});
    queue = [];
  }
  function add(type, event, properties) {
    queue.push({ type: type, event: event, messageId: crypto.randomUUID(), anonymousId: "a", timestamp: new Date(), properties: properties });
    if (!timer) timer = setTimeout(flush, Date.now() - sent > 2000 ? 50 : 2000);
  }
  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") flush(); });
  add("page", undefined, { url: location.href, referrer: document.referrer, title: document.title });
  window.hilo = { track: function (event, properties) { add("track", event, properties); }, flush: flush };
})();`;

const stub = readFileSync(join(dist, "stub.js"), "utf8").trim();
const form = '<form id="contact"><input name="email"><button>send</button></form>';
const html = (head: string) => `<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">${head}${form}`;
const PAGES: Record<string, string> = {
  "/empty": html(""),
  "/floor": html('<script async src="/floor.js"></script>'),
  "/hilo": html(`<script>${stub}</script><script async src="/_h/hilo.js" data-key="wk_t"></script>`),
};
/** What a returning visitor has stored. */
const STORED = [
  { name: "hilo.c", value: `1|functional analytics |||${Date.now()}||6|1|${Date.now()}` },
  { name: "hilo.id", value: "11111111-1111-4111-8111-111111111111" },
];

/** The envelopes that arrived, with their times. */
let arrived: { at: number; events: number }[] = [];
let bytes = 0;

const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? "/", "http://x").pathname;
  if (request.method === "POST") {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    // The request line and header fields as they came, and the body.
    const head = request.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
    bytes += `POST ${request.url} HTTP/1.1`.length + 4 + head + Buffer.concat(chunks).length;
    arrived.push({ at: performance.now(), events: body.batch?.length ?? 0 });
    response.writeHead(200, { "content-type": "application/json" }).end('{"success":true,"accepted":1,"duplicate":0,"rejected":[]}');
    return;
  }
  const page = PAGES[path];
  if (page !== undefined) return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  if (path === "/floor.js") return void response.writeHead(200, { "content-type": "text/javascript" }).end(FLOOR);
  const kind = path.split(".").pop() ?? "";
  if (!path.startsWith("/_h/") || !ENCODED[kind]) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": ENCODED[kind], "content-encoding": "br" }).end(readFileSync(join(dist, "cdn", `${path.slice(4)}.br`)));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
server.on("connection", (socket: Socket) => socket.setNoDelay(true));
const browser = await startBrowser();

/** A page of a returning visitor, without a cache. */
async function visitor(): Promise<Page> {
  const storageState = { cookies: [], origins: [{ origin: url, localStorage: STORED }] };
  return (await browser.newContext({ storageState })).newPage();
}

async function until(condition: () => boolean) {
  for (let i = 0; i < 5_000 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  if (!condition()) throw new Error("the page sent nothing within 10 s");
}

const eventsArrived = () => arrived.reduce((sum, one) => sum + one.events, 0);

/** Main-thread milliseconds of a page from the navigation until its first event is sent. */
async function loadMs(path: string): Promise<number> {
  const page = await visitor();
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  arrived = [];
  await page.goto(url + path);
  if (path === "/empty") await page.waitForTimeout(150);
  else await until(() => eventsArrived() > 0);
  const { metrics } = await session.send("Performance.getMetrics");
  await page.context().close();
  return metrics.find((metric) => metric.name === "TaskDuration")!.value * 1_000;
}

/** Milliseconds from the navigation to the first event at the collector. */
async function coldMs(path: string, slowdown: number, isSlowLink: boolean): Promise<number> {
  const page = await visitor();
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  // Lighthouse's "slow 4G": 1.6 Mbit/s down, 750 kbit/s up, 150 ms.
  const slow = { offline: false, latency: 150, downloadThroughput: 204_800, uploadThroughput: 96_000 };
  if (isSlowLink) await session.send("Network.emulateNetworkConditions", slow);
  arrived = [];
  const began = performance.now();
  await page.goto(url + path, { waitUntil: "commit" });
  await until(() => eventsArrived() > 0);
  const ms = arrived.find((one) => one.events > 0)!.at - began;
  await page.context().close();
  return ms;
}

/** Microseconds of one call, with its work at the end of the task, and milliseconds of the longest call. */
async function callCost(path: string): Promise<{ us: number; longestMs: number }> {
  const page = await visitor();
  arrived = [];
  await page.goto(url + path);
  await until(() => eventsArrived() > 0);
  const cost = await page.evaluate(async (calls) => {
    const { hilo } = window as any;
    let longestMs = 0;
    const act = (i: number) => hilo.track("Product Viewed", { product_id: `p${i}`, price: 12.5, currency: "EUR" });
    for (let i = 0; i < 100; i += 1) act(i);
    await Promise.resolve().then(() => {});
    const began = performance.now();
    let last = began;
    for (let i = 0; i < calls; i += 1) {
      act(i);
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
    // This promise is done after the promises that were made before it.
    await Promise.resolve().then(() => {});
    const end = performance.now();
    return { us: ((end - began) / calls) * 1_000, longestMs: Math.max(longestMs, end - last) };
  }, CALLS);
  await page.context().close();
  return cost;
}

/** The acts of a visit behind its first view: 20 on articles, a form begun, sent and left, one order. */
const ACTS: [name: string, properties: object][] = [
  ...Array.from({ length: 20 }, (_, i): [string, object] => {
    const name = ["Product Viewed", "Product Added", "Product Removed"][i % 3]!;
    return [name, { product_id: `p${i}`, name: `Article ${i}`, price: 12.5, currency: "EUR", quantity: 1 }];
  }),
  ...["Form Started", "Form Submitted", "Form Abandoned"].map((name): [string, object] => [
    name,
    { form_id: "contact", path: "/contact", fields: [{ name: "email", type: "email" }] },
  ]),
  ["Order Completed", { order_id: "o1", total: 99.5, currency: "EUR", products: [{ product_id: "p1", price: 12.5, quantity: 2 }] }],
];

/** Bytes of a visit per event, and its requests; an act each `gapMs`, or all at once. */
async function visitBytes(path: string, gapMs: number): Promise<{ perEvent: number; requests: number }> {
  const page = await visitor();
  arrived = [];
  bytes = 0;
  await page.goto(url + path);
  await until(() => eventsArrived() > 0);
  for (const acts of gapMs ? ACTS.map((act) => [act]) : [ACTS]) {
    await page.waitForTimeout(gapMs);
    await page.evaluate((acts) => acts.forEach(([name, properties]) => (window as any).hilo.track(name, properties)), acts);
  }
  await page.waitForTimeout(2_500);
  await page.goto("about:blank");
  await until(() => eventsArrived() > ACTS.length);
  const requests = arrived.length;
  await page.context().close();
  return { perEvent: bytes / (ACTS.length + 1), requests };
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Medians of floor and tracker, measured in turn so that a machine that becomes slower slows both. */
async function pair(one: (path: string) => Promise<number>, runs = RUNS): Promise<[number, number]> {
  const floor: number[] = [];
  const hilo: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    floor.push(await one("/floor"));
    hilo.push(await one("/hilo"));
  }
  return [median(floor), median(hilo)];
}

function line(what: string, unit: string, floor: number, hilo: number, must: string) {
  const digits = Math.max(floor, hilo) < 100 ? 1 : 0;
  const ratio = `×${(hilo / floor).toFixed(2)}`;
  console.log(`${what.padEnd(38)}${floor.toFixed(digits).padStart(8)}${hilo.toFixed(digits).padStart(9)} ${unit.padEnd(3)}${ratio.padStart(8)}   ${must}`);
}

console.log(`${"".padEnd(38)}${"floor".padStart(8)}${"hilo".padStart(9)}               must`);
const loads: Record<string, number[]> = { "/empty": [], "/floor": [], "/hilo": [] };
for (let i = 0; i < RUNS; i += 1) for (const path in loads) loads[path]!.push(await loadMs(path));
const beyondEmpty = (path: string) => median(loads[path]!) - median(loads["/empty"]!);
line("load + init on the main thread", "ms", beyondEmpty("/floor"), beyondEmpty("/hilo"), "×4");
for (const [label, slowdown, isSlow] of [["cold start, processor 1×", 1, false], ["cold start, processor ÷4", 4, false], ["cold start, ÷4 on a slow link", 4, true]] as const) {
  const [floor, hilo] = await pair((path) => coldMs(path, slowdown, isSlow), isSlow ? 7 : RUNS);
  line(label, "ms", floor, hilo, "×1.4");
}
const calls = { floor: [] as { us: number; longestMs: number }[], hilo: [] as { us: number; longestMs: number }[] };
for (let i = 0; i < 5; i += 1) {
  calls.floor.push(await callCost("/floor"));
  calls.hilo.push(await callCost("/hilo"));
}
line("one track() call", "µs", median(calls.floor.map((c) => c.us)), median(calls.hilo.map((c) => c.us)), "×10");
line("the longest of 1,000", "ms", median(calls.floor.map((c) => c.longestMs)), median(calls.hilo.map((c) => c.longestMs)), "4 ms");
// A little less than the time for which the floor waits for a second event.
for (const [label, gapMs, mustBytes, mustRequests] of [["a visit", 0, "×1.4", "4"], ["an act each 2 s", 1_900, "×1.2", "12"]] as const) {
  const [floor, hilo] = [await visitBytes("/floor", gapMs), await visitBytes("/hilo", gapMs)];
  line(`${label}: bytes per event`, "B", floor.perEvent, hilo.perEvent, mustBytes);
  line(`${label}: requests`, "", floor.requests, hilo.requests, mustRequests);
}

await browser.close();
server.closeAllConnections();
server.close();
