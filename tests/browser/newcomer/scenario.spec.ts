/**
 * Promise: a new visitor's first event is the first request, on another site too. The collector's answer tells whose events they are,
 * so a wiped storage, a lost answer and a start without a network all end with one person.
 */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";

import { type Json, timeline } from "../../collector/envelopes.ts";
import { eventually, startCollector } from "../../collector/mf.ts";
import { startBrowser, startSite, withSnippet } from "../scenario.ts";

/** One request as it came over the wire, preflights too. */
interface Seen {
  what: string;
  body: Json;
  headers: IncomingMessage["headers"];
}

const [collector, browser] = await Promise.all([startCollector(), startBrowser()]);
const seen: Seen[] = [];
/** What becomes of an answer: milliseconds until it leaves; less than none for never. */
let fate = (_: Seen) => 0;
/** The network before the collector. */
const network = createServer((request, response) => void carry(request, response).catch(() => request.socket.destroy()));
await new Promise<void>((resolve) => network.listen(0, "127.0.0.1", resolve));
const endpoint = `http://127.0.0.1:${(network.address() as AddressInfo).port}`;
const html = () => withSnippet("", `data-endpoint="${endpoint}/_h"`, "wk_shop").replace("/_h/hilo.js", `${collector.url}/_h/hilo.js`);
const site = await startSite(html);
/** The collector is at 127.0.0.1: for a browser `localhost` is another site. */
const FOREIGN = site.url.replace("127.0.0.1", "localhost");
after(async () => {
  await browser.close();
  await site.close();
  network.closeAllConnections();
  network.close();
  await collector.dispose();
});

async function carry(request: IncomingMessage, response: ServerResponse) {
  // The collector serves no page, so those of its own host come from here.
  if (request.url === "/page") return void response.writeHead(200, { "content-type": "text/html" }).end(html());
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const one: Seen = { what: `${request.method} ${request.url}`, body: body.length ? JSON.parse(body.toString()) : {}, headers: request.headers };
  seen.push(one);
  const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
  const answer = await collector.fetch(request.url!, { method: request.method!, headers: headers as Record<string, string>, ...(body.length && { body }) });
  const text = Buffer.from(await answer.arrayBuffer());
  const wait = fate(one);
  if (wait < 0) return void request.socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, wait));
  const { "content-encoding": ____, "transfer-encoding": _____, "content-length": ______, ...fields } = Object.fromEntries(answer.headers);
  response.writeHead(answer.status, fields).end(text);
}

/** A browser without any memory of the shop. `home` is where its pages are. */
async function visitor(home: string) {
  seen.length = 0;
  fate = () => 0;
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    await page.goto(`${home}/page`);
    await page.waitForFunction(() => !(window as any).hilo.q);
    return page;
  };
  return { context, open };
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof visitor>>["open"]>>;
const grant = (page: Page) => page.evaluate(() => (window as any).hilo.consent.grant("analytics", "functional"));
const tracked = (page: Page, name: string) => page.evaluate((name) => (window as any).hilo.track(name), name);
const idOf = (page: Page) => eventually(async () => ((await page.evaluate(() => (window as any).hilo.anonymousId())) as string | null) ?? undefined);
const greeting = () => seen.find((one) => one.body["hello"])!;
const names = async (id: string) => (await timeline(collector, id)).map((event) => event["event"] ?? event["type"]).sort();

/** Resolves once nothing waits in the page's storage. */
const isEmpty = (page: Page) => page.waitForFunction(() => Object.keys(localStorage).every((key) => !/^hilo\.[qr]\./.test(key)), null, { timeout: 30_000 });

for (const home of [FOREIGN, endpoint]) {
  const place = home === FOREIGN ? "on another site" : "on the collector's own host";

  test(`a new visitor ${place} sends the first event with the first request`, async () => {
    const { open, context } = await visitor(home);
    // A slow link: no answer leaves before the first event is there.
    fate = () => 1_000;
    const page = await open();
    await grant(page);
    await eventually(async () => seen[0]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(seen.map((one) => one.what), ["POST /_h/v1/batch"]);
    const [{ body, headers }] = seen as [Seen];
    assert.equal(body["batch"][0].type, "page");
    assert.equal(headers["x-hilo"], undefined, "a simple request has no field of ours");
    const id = await idOf(page);
    assert.equal(id, body["hello"].spareId);
    await isEmpty(page);
    assert.deepEqual(await names(id), ["page"]);
    const kept = await page.evaluate(() => localStorage["hilo.id"]);
    assert.equal(kept, id, "the page's own proof is needed no more");
    const token = await page.evaluate(() => localStorage["hilo.p"]);
    const cookies = (await context.cookies()).map((one: Json) => one["name"]);
    assert.deepEqual([token !== undefined, cookies], home === FOREIGN ? [true, []] : [false, ["hilo"]]);
    await context.close();
  });

  test(`an answer that is lost ${place} costs nothing, and the person stays one`, async () => {
    const { open, context } = await visitor(home);
    let lost = 1;
    fate = (one) => (one.body["hello"] && lost-- > 0 ? -1 : 0);
    const page = await open();
    await grant(page);
    await tracked(page, "Product Viewed");
    await isEmpty(page);
    const id = await idOf(page);
    const hellos = seen.filter((one) => one.body["hello"]);
    assert.ok(hellos.length >= 2);
    assert.deepEqual(new Set(hellos.map((one) => one.body["hello"].spareProof)).size, 1);
    assert.equal(id, hellos[0]!.body["hello"].spareId);
    assert.deepEqual(await names(id), ["Product Viewed", "page"]);
    await context.close();
  });

  test(`a visit ${place} that begins without a network arrives as one person's`, async () => {
    const { open, context } = await visitor(home);
    const page = await open();
    await context.setOffline(true);
    await grant(page);
    for (let i = 0; i < 5; i += 1) await tracked(page, `Offline ${i}`);
    await page.waitForTimeout(1_000);
    await context.setOffline(false);
    await isEmpty(page);
    const id = await idOf(page);
    assert.deepEqual(await names(id), ["Offline 0", "Offline 1", "Offline 2", "Offline 3", "Offline 4", "page"]);
    await context.close();
  });
}

test("a page whose storage was wiped goes on under the cookie's id, and so does what waits", async () => {
  const { open, context } = await visitor(endpoint);
  const first = await open();
  await grant(first);
  await isEmpty(first);
  const id = await idOf(first);
  await first.evaluate(() => (window as any).hilo.destroy());
  await first.evaluate(() => localStorage.clear());
  seen.length = 0;
  fate = (one) => (one.body["hello"] ? 1_000 : 0);
  const page = await open();
  await grant(page);
  await eventually(async () => seen[0]);
  await tracked(page, "While the answer was on its way");
  assert.equal(await idOf(page), id);
  assert.notEqual(greeting().body["hello"].spareId, id);
  await page.evaluate(() => (window as any).hilo.flush());
  await isEmpty(page);
  assert.deepEqual(await names(id), ["While the answer was on its way", "page", "page"]);
  assert.deepEqual(await names(greeting().body["hello"].spareId), []);
  assert.equal(await page.evaluate(() => localStorage["hilo.id"]), id);
  await context.close();
});

test("two tabs in which a new visitor is known at once are one person", async () => {
  const { open, context } = await visitor(endpoint);
  const [one, two] = [await open(), await open()];
  await grant(one);
  await two.waitForFunction(() => (window as any).hilo.consent.state().analytics === "granted");
  await tracked(two, "In the second tab");
  await two.evaluate(() => (window as any).hilo.flush());
  await Promise.all([isEmpty(one), isEmpty(two)]);
  const id = await idOf(one);
  await two.waitForFunction((id) => (window as any).hilo.anonymousId() === id, id);
  assert.deepEqual(await names(id), ["In the second tab", "page", "page"]);
  await context.close();
});

test("where the browser drops the cookie without a word, the page's own proof keeps the person one", async () => {
  const { open, context } = await visitor(endpoint);
  const page = await open();
  await grant(page);
  await isEmpty(page);
  const id = await idOf(page);
  await context.close();
  const blocked = await visitor(endpoint);
  // The frame of another site: each answer sets a cookie, and no request brings one.
  await blocked.context.route(`${endpoint}/_h/v1/**`, async (route: any) => {
    const response = await route.fetch();
    const { "set-cookie": _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  const frame = await blocked.open();
  await grant(frame);
  await isEmpty(frame);
  const own = await idOf(frame);
  assert.notEqual(own, id);
  await frame.evaluate(() => (window as any).hilo.consent.grant("personalization"));
  await tracked(frame, "Product Viewed");
  await frame.evaluate(() => (window as any).hilo.flush());
  await isEmpty(frame);
  assert.equal(await idOf(frame), own);
  assert.deepEqual(await names(own), ["Product Viewed", "page"]);
  assert.equal((await collector.admin(`/admin/v1/profiles/a:${own}`)).consent.personalization, "granted");
  await blocked.context.unrouteAll({ behavior: "ignoreErrors" });
  await blocked.context.close();
});
