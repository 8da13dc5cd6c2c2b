/**
 * Promise: what a page tells counts once at the real collector when an answer is lost after the commit (N3) and when every batch comes five
 * times in any order (N4), and a hundred slow uploads do not hold a page's requests up (N7).
 *
 * Prints its seed and replays from `HILO_SEED`. A body that is cut at every byte (N5) has `keeps_valid_events_beside_bad_ones.spec.ts` of
 * the collector, repeated and reordered cart deltas (N4) have `tests/browser/cart_storm` and `tests/laws`.
 */
import assert from "node:assert/strict";
import { createConnection, type Socket } from "node:net";
import { after, test } from "node:test";

import { eventually, startCollector } from "../../collector/mf.ts";
import { type Json, startBrowser, withSnippet } from "../scenario.ts";
import { burst, drained, grantedPage, pageErrors, record } from "./visits.ts";

const SEED = Number(process.env["HILO_SEED"] ?? Date.now() % 1_000_000);
const TIMES = 5;
const SOCKETS = 100;
const REQUESTS = 100;

const browser = await startBrowser();
const collector = await startCollector({ rates: false });
after(async () => {
  await browser.close();
  await collector.dispose();
});

/** A granted page on the collector's own host. */
async function visit() {
  const context = record(await browser.newContext());
  await context.route(`${collector.url}/`, (route) => route.fulfill({ contentType: "text/html", body: withSnippet("", "", "wk_shop") }));
  const page = await grantedPage(context, `${collector.url}/`);
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  return { context, page, id };
}

/** The named acts in the profile, each once. */
async function acts(id: string): Promise<Json[]> {
  const { events } = await collector.admin(`/admin/v1/profiles/a:${id}/events?limit=200`);
  return events.filter((event: Json) => event["type"] === "track");
}

/** Numbers from 0 to 1, after Mulberry32. */
function chance(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("N3: an answer that is lost after the commit leads to a repeat that counts once", async () => {
  const { context, page, id } = await visit();
  const answers: Json[] = [];
  let lost = 0;
  await context.route("**/v1/batch", async (route) => {
    const response = await route.fetch();
    answers.push(await response.json());
    // The page asks once more without keepalive, at once.
    if (lost++ < 2) return route.abort("connectionreset");
    return route.fulfill({ response });
  });
  await page.evaluate(() => ((window as any).hilo.track("Kept"), (window as any).hilo.flush()));
  await drained(page);
  assert.deepEqual(answers.map(({ accepted, duplicate }) => [accepted, duplicate]), [[1, 0], [0, 1], [0, 1]]);
  assert.equal((await acts(id)).length, 1);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("N4: batches that come five times in any order leave the same profile", async () => {
  console.log(`HILO_SEED=${SEED}`);
  const { context, page, id } = await visit();
  const bodies: Buffer[] = [];
  page.on("request", (request) => /v1\/batch$/.test(request.url()) && bodies.push(request.postDataBuffer()!));
  for (let n = 0; n < TIMES; n++) {
    await burst(page, `Batch ${n}`, 10);
    await page.evaluate(() => (window as any).hilo.flush());
    await drained(page);
  }
  const before = await eventually(async () => ((await acts(id)).length === 10 * TIMES ? acts(id) : undefined));
  const next = chance(SEED);
  const repeats = bodies.flatMap((body) => Array.from({ length: TIMES }, () => ({ body, at: next() }))).sort((a, b) => a.at - b.at);
  for (const { body } of repeats) {
    const answer = await collector.fetch("/_h/v1/batch", { method: "POST", headers: { origin: collector.url, "content-type": "text/plain" }, body: body as BodyInit });
    const { accepted } = (await answer.json()) as Json;
    assert.equal(accepted, 0);
  }
  const idsOf = (events: Json[]) => events.map((event) => event["messageId"]).sort();
  assert.deepEqual(idsOf(await acts(id)), idsOf(before));
  assert.deepEqual(pageErrors, []);
  await context.close();
});

/** The slowest but one of a hundred batches that a page sends one after another, in milliseconds. */
const slowest = (page: Json): Promise<number> =>
  page["evaluate"](async (count: number) => {
    const took = [];
    for (let n = 0; n < count; n++) {
      const began = performance.now();
      await (await fetch("/_h/v1/batch", { method: "POST", body: JSON.stringify({ writeKey: "wk_shop", batch: [] }) })).text();
      took.push(performance.now() - began);
    }
    return took.sort((a, b) => a - b).at(-2)!;
  }, REQUESTS);

test("N7: a hundred uploads that drip do not hold a page's requests up", async () => {
  const { context, page } = await visit();
  const quiet = await slowest(page);
  const { port } = new URL(collector.url);
  const sockets: Socket[] = [];
  for (let n = 0; n < SOCKETS; n++) {
    const socket = createConnection(Number(port), "127.0.0.1").on("error", () => {});
    socket.write(`POST /_h/v1/batch HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\norigin: ${collector.url}\r\ncontent-length: 100000\r\n\r\n{`);
    sockets.push(socket);
  }
  const dripping = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write(" ")), 100);
  // The uploads do not end, so a request that had to wait for one of them would not end either.
  const slow = await slowest(page);
  await burst(page, "Beside", 10);
  await page.evaluate(() => (window as any).hilo.flush());
  await drained(page);
  assert.ok(sockets.every((socket) => socket.writable), "each upload is still on its way");
  clearInterval(dripping);
  sockets.forEach((socket) => socket.destroy());
  console.log(`p99 ${quiet.toFixed(1)} ms, beside ${SOCKETS} slow uploads ${slow.toFixed(1)} ms`);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
