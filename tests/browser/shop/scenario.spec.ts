/**
 * Promise: the example shop, the tracker, the collector and a destination work together, as `cargo xtask dev` serves them. Nothing
 * is sent before consent, the first touch is right although consent came late, and a restart loses nothing.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { DEV_SECRETS, eventually } from "../../collector/mf.ts";
import { startBrowser } from "../scenario.ts";
import { serveShop } from "./served.ts";

const browser = await startBrowser();
const shop = await serveShop();
const { url, start, stop } = shop;
after(async () => {
  await browser.close();
  await shop.dispose();
});

const admin = async (path: string) =>
  (await fetch(url + path, { headers: { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` } })).json() as Promise<any>;
const webhooks = async () => (await (await fetch(`${url}/dev/webhook`)).json()) as any[];

let id = "";

test("before consent nothing is sent; after it the visit has a channel and a first touch, and a signed webhook goes out", async () => {
  const page = await (await browser.newContext({ locale: "es-ES" })).newPage();
  const calls: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => /\/(v1|admin)\//.test(request.url()) && calls.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${url}/?utm_source=boletin&utm_medium=email&utm_campaign=otono`);
  await page.waitForSelector("hilo-banner section [part=accept]", { state: "visible" });
  await page.click("main a.button");
  await page.waitForURL("**/list/");
  await page.click(".card");
  await page.waitForSelector("hilo-banner section [part=accept]", { state: "visible" });
  assert.deepEqual(calls, []);
  assert.deepEqual(await page.context().cookies(), []);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);

  await page.click("hilo-banner section [part=accept]");
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  id = await page.evaluate(() => (window as any).hilo.anonymousId());
  await page.click("[data-add]");
  const events = await eventually(async () => {
    const { events } = await admin(`/admin/v1/profiles/a:${id}/events`);
    return events.some((event: any) => event.event === "Product Added") ? (events as any[]) : undefined;
  });
  const view = events.find((event) => event.type === "page")!;
  assert.equal(view.context.hilo.channel, "Email");
  assert.ok(view.context.hilo.session.id);
  const { firstTouch } = (await admin(`/admin/v1/profiles/a:${id}`)).profile;
  assert.deepEqual(
    [firstTouch.source, firstTouch.medium, firstTouch.campaign, firstTouch.channel, firstTouch.via],
    ["boletin", "email", "otono", "Email", "history"],
  );
  const hook = await eventually(async () => (await webhooks()).find((one) => one.id === view.messageId));
  assert.ok(hook.verified);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a restart keeps the profile, and an event that a dead receiver missed arrives once when the receiver is back", async () => {
  await fetch(`${url}/dev/webhook/down`, { method: "POST" });
  const messageId = randomUUID();
  const event = { type: "track", event: "While Down", messageId, anonymousId: id, properties: {} };
  const consent = { categoryPreferences: { analytics: true }, revision: 1 };
  const body = JSON.stringify({ writeKey: "wk_shop", sentAt: new Date().toISOString(), context: { consent }, batch: [event] });
  const answer = await fetch(`${url}/_h/v1/batch`, { method: "POST", body, headers: { origin: url } });
  assert.equal(((await answer.json()) as any).accepted, 1);
  await eventually(async () => {
    const { deliveries } = await admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return deliveries.find((row: any) => row.messageId === messageId && row.attempts > 0);
  });
  const before = (await admin(`/admin/v1/profiles/a:${id}`)).events;
  await stop();
  // The receiver is a part of the process that was stopped, so it is up again.
  await start();
  assert.equal((await admin(`/admin/v1/profiles/a:${id}`)).events, before);
  await eventually(async () => (await webhooks()).find((one) => one.id === messageId), 40_000);
  await eventually(async () => {
    const { deliveries } = await admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return deliveries.every((row: any) => row.state === "delivered") ? true : undefined;
  });
  assert.equal((await webhooks()).filter((one) => one.id === messageId).length, 1);
});

test("two phones of one person show the same cart after edits without a network", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 1000 } })).newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${url}/two-devices/?lang=en`);
  const verdict = (text: string) => page.waitForSelector(`.verdict:has-text("${text}")`, { timeout: 45_000 });
  /** `HILO_SHOTS=DIR` keeps a series of pictures. */
  const shot = (name: string) => process.env["HILO_SHOTS"] && page.screenshot({ path: join(process.env["HILO_SHOTS"], `${name}.png`) });
  const [one, two] = page.frames().filter((frame) => frame.url().includes("/phone/"));
  const add = (frame: typeof one, id: string) => frame!.click(`[data-add="${id}"]`);
  await verdict("Both carts are one");
  await add(one, "H-101");
  await add(one, "H-101");
  await two!.waitForSelector('[data-line="H-101"] output:has-text("2")');
  await verdict("Both carts are one");
  await shot("1-together");
  await page.click(".cable");
  await add(one, "H-303");
  await add(two, "H-201");
  await two!.click('[data-line="H-101"] button >> nth=0');
  await verdict("its own way");
  assert.match((await one!.textContent(".phone-state"))!, /^Offline · 1 change/);
  await shot("2-apart");
  await page.click(".cable");
  await verdict("Both carts are one");
  await shot("3-converged");
  for (const frame of [one, two]) {
    const lines = await frame!.$$eval("[data-line]", (rows) => rows.map((row) => [row.getAttribute("data-line"), row.querySelector("output")!.textContent]));
    assert.deepEqual(lines, [["H-101", "1"], ["H-201", "1"], ["H-303", "1"]]);
  }
  // Only one phone loses its network; the other phone goes on.
  await page.click('[data-network="Phone 1"]');
  await add(two, "H-303");
  await verdict("its own way");
  await page.click('[data-network="Phone 1"]');
  await verdict("Both carts are one");
  await shot("4-again");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a guest's article is in the cart after signing in, on another device too, and leaves the cart once it is bought", async () => {
  const device = async () => (await browser.newContext({ locale: "en-US" })).newPage();
  const badge = (page: any, text: string) => page.waitForSelector(`.badge:has-text("${text}")`, { timeout: 15_000 });
  const signIn = async (page: any) => {
    await page.goto(`${url}/account/?lang=en`);
    await page.fill("[name=email]", "someone@example.com");
    await page.click("form .button");
    await page.waitForSelector("text=Signed in as");
  };
  const [phone, desk] = [await device(), await device()];
  await phone.goto(`${url}/product/?id=H-203&lang=en`);
  await phone.fill("#quantity", "2");
  await phone.click("[data-add]");
  await badge(phone, "2");
  await signIn(phone);
  await badge(phone, "2");
  await signIn(desk);
  await badge(desk, "2");
  await desk.goto(`${url}/checkout/?lang=en`);
  for (const name of ["name", "address", "city"]) await desk.fill(`[name=${name}]`, "x");
  await desk.fill("[name=email]", "someone@example.com");
  await desk.click("form .button");
  await desk.waitForSelector(".thanks");
  await phone.waitForSelector(".badge[hidden]", { state: "attached", timeout: 15_000 });
  for (const page of [phone, desk]) await page.context().close();
});

test("no page of the shop is wider than a phone", async () => {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true })).newPage();
  for (const path of ["/", "/list/", "/product/?id=H-101", "/cart/", "/checkout/", "/contact/", "/account/", "/two-devices/", "/live/", "/nowhere"]) {
    await page.goto(url + path);
    await page.waitForSelector("h1");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path);
  }
  await page.context().close();
});

test("every page of the shop has the snippet of this build, and its content security policy lets the stub run", () => {
  const folder = fileURLToPath(new URL("../../../examples/shop/", import.meta.url));
  const snippet = readFileSync(fileURLToPath(new URL("../../../js/sdk/snippet.html", import.meta.url)), "utf8");
  const [comment, stub, tag] = snippet.trim().split("\n");
  const hash = /'sha256-[^']+'/.exec(comment!)![0];
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".html") && !/^(live|two-devices)/.test(file));
  assert.equal(pages.length, 9);
  for (const page of pages) {
    const html = readFileSync(join(folder, page), "utf8");
    // Behind the key stand options of the page's own.
    for (const part of [hash, stub!, tag!.replace("></script>", "")]) assert.ok(html.includes(part), `${page} lacks ${part.slice(0, 60)}`);
  }
});
