/**
 * Promise: what was ordered leaves every tab and device at once and stays away, and the order itself is never lost, whatever answers
 * and however late.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { cart, close, collector, CUP, end, forgetSeen, holdOrders, MUG, open, passed, quantities, seen, settled, shows, signIn, until, type Json } from "./site.ts";

after(end);

test("an answer in the hub's place loses no order: not a firewall's, not a portal's", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await settled(page);
  const foreign = [
    { status: 404, body: "<h1>Not Found</h1>" },
    { status: 400, body: '{"error":{"code":"bad_request","message":"Bad Request"}}' },
    { status: 200, body: "<h1>Sign in to the network</h1>" },
    { status: 200, body: '{"success":true}' },
  ];
  let asked = 0;
  await page.route("**/v1/cart/ordered", (route: Json) => {
    asked += 1;
    const reply = foreign.shift();
    return reply ? route.fulfill(reply) : route.continue();
  });
  void cart(page, "ordered", "o-foreign");
  await shows(page, {});
  await settled(page);
  assert.equal(asked, 5, "the hub itself took the order");
  page.problems.length = 0; // the browser reports the answers 404 and 400
  await close(page);
});

test("what was ordered leaves every tab at once and stays away, and later edits survive, while the hub does not answer and when it does", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await cart(page, "add", CUP);
  await settled(page);
  const other = await open(page.context());
  await shows(other, { mug: 2, cup: 1 });
  const release = await holdOrders(page.context());
  for (const tab of [page, other]) await forgetSeen(tab);
  void cart(page, "ordered", "o-part", [{ ...MUG, quantity: 2 }]).catch(() => {}); // the page is left before the call is done
  assert.deepEqual(await quantities(page), { cup: 1 }, "at once");
  await shows(other, { cup: 1 });
  await cart(other, "add", MUG);
  for (const tab of [page, other]) await shows(tab, { mug: 1, cup: 1 });
  await cart(page, "set", CUP, 3);
  assert.ok((await seen(page)).every(({ mug = 0 }) => mug <= 1));
  await page.reload();
  for (const tab of [page, other]) await shows(tab, { mug: 1, cup: 3 });
  release();
  for (const tab of [page, other]) await settled(tab);
  for (const tab of [page, other]) assert.ok((await seen(tab)).every(({ mug = 0 }) => mug <= 1), JSON.stringify(await seen(tab)));
  await page.reload();
  await shows(page, { mug: 1, cup: 3 });
  await close(page);
});

test("an order of a tab that does not lead leaves its cart at once, and an order without a network waits", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  const other = await open(page.context());
  await shows(other, { mug: 2 });
  await page.context().setOffline(true);
  await forgetSeen(other);
  void cart(other, "ordered", "o-offline").catch(() => {});
  for (const tab of [page, other]) await shows(tab, {});
  await cart(other, "add", CUP);
  await page.context().setOffline(false);
  for (const tab of [page, other]) await settled(tab);
  for (const tab of [page, other]) await shows(tab, { cup: 1 });
  // The tab may tell that the network is gone before its order arrives at the leader.
  const all: Json[] = await seen(other);
  const ordered = all.findIndex(({ mug }) => !mug);
  assert.ok(ordered >= 0 && all.slice(ordered).every(({ mug }) => !mug), JSON.stringify(all));
  page.problems.length = other.problems.length = 0; // the browser reports the requests that failed
  await close(page);
});

test("an order that is placed while its checkout begins ends the checkout, and the next order takes its own goods", async () => {
  for (const path of ["", "/checkout"]) {
    const page = await open();
    await cart(page, "add", MUG);
    await settled(page);
    const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: ask } = Promise.withResolvers<void>();
    const { pathname } = new URL(`${collector.url}/_h/v1/cart${path}`);
    await page.route((url: URL) => url.pathname === pathname, async (route: Json) => {
      const response = await route.fetch();
      ask();
      await isOver;
      await route.fulfill({ response });
    });
    const checkout = cart(page, "checkout");
    await isAsked;
    const order = cart(page, "ordered", "o-fast");
    await shows(page, {});
    release();
    assert.equal(await checkout, null, `${pathname} was slow`);
    await order;
    await cart(page, "add", CUP);
    await cart(page, "ordered", "o-next");
    assert.deepEqual(await quantities(page), {}, `${pathname} was slow`);
    await close(page);
  }
});

test("an order of goods that are not in the cart leaves the goods of the next order hidden", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  const asked: string[] = [];
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/ordered", async (route: Json) => {
    const { order_id } = route.request().postDataJSON();
    asked.push(order_id);
    if (order_id === "o-mugs") await isOver;
    await route.continue();
  });
  const voucher = cart(page, "ordered", "o-voucher", [{ product_id: "voucher", currency: "EUR" }]);
  const mugs = cart(page, "ordered", "o-mugs", [{ ...MUG, quantity: 2 }]);
  await shows(page, {});
  await forgetSeen(page);
  await until(async () => assert.deepEqual(asked, ["o-voucher", "o-mugs"]));
  assert.deepEqual(await quantities(page), {});
  release();
  await Promise.all([voucher, mugs]);
  await settled(page);
  assert.deepEqual([...(await seen(page)), await quantities(page)].filter(({ mug }) => mug), []);
  await close(page);
});

test("an order of a part of a line counts once, while the hub has told of it and its answer is still to come", async () => {
  const page = await open();
  const frames: Json[] = [];
  page.on("websocket", (socket: Json) => socket.on("framereceived", ({ payload }: Json) => frames.push(payload)));
  await cart(page, "add", MUG, 9);
  await settled(page);
  await until(async () => assert.match(frames.join(), /"t":"view"/));
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/ordered", async (route: Json) => {
    const response = await route.fetch();
    await isOver;
    await route.fulfill({ response });
  });
  frames.length = 0;
  await forgetSeen(page);
  const order = cart(page, "ordered", "o-told", [{ ...MUG, quantity: 2 }]);
  await until(async () => assert.match(frames.join(), /"t":"(delta|view)"/));
  await passed(page, 200); // for the page to take the frame
  assert.deepEqual(await quantities(page), { mug: 7 });
  release();
  await order;
  await settled(page);
  assert.deepEqual((await seen(page)).filter(({ mug }) => mug !== 7), []);
  await close(page);
});

test("an order that is refused because its cart has moved is tried again with patience", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  let asked = 0;
  let hasMoved = true;
  await page.route("**/v1/cart/ordered", (route: Json) => {
    asked += 1;
    return hasMoved ? route.fulfill({ status: 410, json: { error: { code: "cart_merged" } } }) : route.continue();
  });
  for (const [id, line] of [["o-moved", MUG], ["o-moved-voucher", { product_id: "voucher", currency: "EUR" }]] as const) {
    asked = 0;
    hasMoved = true;
    await cart(page, "ordered", id, [line]);
    await shows(page, { mug: 1 });
    await until(async () => assert.ok(asked > 0));
    await passed(page, 2_000);
    assert.ok(asked < 12, `${id} was sent ${asked} times`);
    hasMoved = false;
    await page.evaluate(() => (window as Json).hilo.flush());
    await settled(page);
    await shows(page, { mug: 1 });
  }
  page.problems.length = 0; // the browser reports the answers 410
  await close(page);
});

test("an order that is told again takes nothing more", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await cart(page, "ordered", "o-again");
  await cart(page, "add", CUP);
  await settled(page);
  const release = await holdOrders(page.context());
  await page.reload(); // the page after the payment, which tells its order
  await shows(page, { cup: 1 });
  await cart(page, "ordered", "o-again");
  assert.deepEqual(await seen(page), [{ cup: 1 }]);
  release();
  await close(page);
});

test("an order that the hub refuses leaves the cart all the same, on other devices too, and the console names the reason", async () => {
  const user = `r${Date.now()}`;
  const [page, desk] = [await open(undefined, "?debug="), await open()];
  const said: string[] = [];
  page.on("console", (message: Json) => said.push(message.text()));
  await signIn(page, user);
  await cart(page, "add", MUG, 2);
  await cart(page, "add", CUP);
  await settled(page);
  await signIn(desk, user);
  await shows(desk, { mug: 2, cup: 1 });
  await forgetSeen(page);
  await cart(page, "ordered", "x".repeat(129), [{ ...MUG, quantity: 1 }, CUP]);
  for (const device of [page, desk]) await shows(device, { mug: 1 });
  await settled(page);
  assert.ok((await seen(page)).every(({ mug, cup }) => mug === 1 && !cup), JSON.stringify(await seen(page)));
  assert.match(said.join(), /refused this: bad_order/);
  page.problems.length = 0;
  await close(page, desk);
});
