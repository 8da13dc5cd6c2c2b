/**
 * Promise: the example shop's cart shows the same in every tab, without disturbing who edits it; what was paid does not come back; and
 * each checkout and order is one event.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { DEV_SECRETS, eventually } from "../../collector/mf.ts";
import { startBrowser } from "../scenario.ts";
import { serveShop } from "./served.ts";

const browser = await startBrowser();
const shop = await serveShop();
const { url } = shop;
after(async () => {
  await browser.close();
  await shop.dispose();
});

const tab = async (context: any, path: string) => {
  const page = await context.newPage();
  await page.goto(url + path);
  return page;
};
const addFrom = async (page: any, id: string) => {
  await page.goto(`${url}/product/?id=${id}`);
  await page.click("[data-add]");
};
const badge = (page: any, text: string) => page.waitForSelector(`.badge:text-is("${text}")`);
/** Pays, as slowly as a visitor: the checkout has begun. */
const pay = async (page: any) => {
  const checkout = page.waitForResponse("**/v1/cart/checkout");
  await page.goto(`${url}/checkout/`);
  for (const name of ["name", "address", "city"]) await page.fill(`[name=${name}]`, "x");
  await page.fill("[name=email]", "someone@example.com");
  await checkout;
  await page.waitForFunction(() => JSON.parse(localStorage["hilo.cart"].split("\n")[0]).checkout);
  await page.click("form .button");
  await page.waitForSelector(".thanks");
};

test("the cart page follows another tab, and keeps the focus and a number that is being typed", async () => {
  const context = await browser.newContext({ locale: "en-US" });
  const page = await tab(context, "/cart/");
  await page.waitForSelector(".empty");
  const other = await tab(context, "/");
  await addFrom(other, "H-101");
  await page.waitForSelector('[data-line="H-101"]');
  const input = page.locator('[data-line="H-101"] input');
  await input.focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("7");
  await addFrom(other, "H-203");
  await page.waitForSelector('[data-line="H-203"]');
  await addFrom(other, "H-101");
  await page.waitForSelector('[data-line="H-101"] > .price:text-is("€17.80")');
  assert.match(await page.textContent(".sums"), /Subtotal€37\.70/);
  assert.deepEqual([await input.inputValue(), await input.evaluate((it: Element) => it === document.activeElement)], ["7", true]);
  await page.keyboard.press("Enter");
  await badge(other, "8");
  await page.waitForSelector('[data-line="H-101"] > .price:text-is("€62.30")');

  await page.focus('[data-line="H-203"] button');
  await other.goto(`${url}/cart/`);
  await other.click('[data-line="H-203"] button');
  await page.waitForSelector('[data-line="H-203"]', { state: "detached" });
  assert.equal(await input.evaluate((it: Element) => it === document.activeElement), true, "the focus goes to the next line");
  await other.fill('[data-line="H-101"] input', "0");
  await other.keyboard.press("Enter");
  for (const one of [page, other]) await one.waitForSelector(".empty");
  assert.equal(await page.evaluate(() => document.activeElement!.tagName), "H1");
  await context.close();
});

test("what was paid does not come back to the cart page, though the order is still on its way", async () => {
  const context = await browser.newContext({ locale: "en-US" });
  const page = await tab(context, "/");
  await addFrom(page, "H-101");
  await badge(page, "1");
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await context.route("**/v1/cart/ordered", async (route: any) => (await isOver, route.continue().catch(() => {}))); // the page may be gone
  await pay(page);
  await page.click(".top nav a >> nth=-1");
  await page.waitForSelector("h1:text-is('Cart')");
  await page.waitForFunction(() => new Promise((resolve) => (window as any).hilo.cart.on(() => resolve(true))));
  assert.deepEqual([await page.locator(".line").count(), await page.locator(".empty").count()], [0, 1]);
  release();
  await page.waitForFunction(() => new Promise((resolve) => (window as any).hilo.cart.on(({ status }: any) => status.pending === 0 && resolve(true))));
  assert.deepEqual([await page.locator(".line").count(), await page.locator(".empty").count()], [0, 1]);
  await context.close();
});

test("an article, a checkout and an order are one event each, and the order has the shop's sums", async () => {
  const context = await browser.newContext({ locale: "en-US" });
  const page = await tab(context, "/");
  await page.click("hilo-banner section [part=accept]");
  await page.waitForFunction(() => (window as any).hilo.anonymousId?.());
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  await addFrom(page, "H-203");
  await badge(page, "1");
  await pay(page);
  await page.evaluate(() => (window as any).hilo.track("Afterwards"));
  await page.evaluate(() => (window as any).hilo.flush());
  const events = await eventually(async () => {
    const answer = await fetch(`${url}/admin/v1/profiles/a:${id}/events`, { headers: { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` } });
    const { events } = (await answer.json()) as any;
    const names = events.map((event: any) => event.event);
    return ["Afterwards", "Order Completed", "Checkout Started"].every((name) => names.includes(name)) ? (events as any[]) : undefined;
  });
  const named = (name: string) => events.filter((event) => event.event === name).map((event) => event.properties);
  assert.deepEqual(["Product Added", "Checkout Started", "Order Completed"].map((name) => named(name).length), [1, 1, 1]);
  const [order] = named("Order Completed");
  assert.match(order.order_id, /^P-/);
  assert.deepEqual([order.currency, order.revenue, order.shipping, order.total], ["EUR", 19.9, 3.9, 23.8]);
  assert.deepEqual(order.products.map((one: any) => [one.product_id, one.quantity, one.price]), [["H-203", 1, 19.9]]);
  const [begun] = named("Checkout Started");
  assert.deepEqual([begun.currency, begun.value], ["EUR", 19.9]);
  await context.close();
});
