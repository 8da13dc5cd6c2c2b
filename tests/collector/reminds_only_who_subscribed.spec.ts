/**
 * Promise: a destination that writes to people gets an abandoned cart exactly once if its customer is subscribed, and never
 * otherwise, even when workerd is killed in between. An order afterwards is reported once as a recovery.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, MUG } from "./carts.ts";
import { GRANTED, post } from "./envelopes.ts";
import { anonymousId, configWith, eventually, type Received, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const SECONDS = 3;
const sink = await startSink();
const config = configWith(sink.url)
  .replace("abandoned_minutes = 60", `abandoned_seconds = ${SECONDS}`)
  .replace(/^confirm_by = .*$/m, "")
  .replace("email = { double = true }", "email = { double = false }")
  .replace('name = "webhook"', 'name = "reminders"\nchannel = "email"\nevents = { names = ["Cart Abandoned", "Cart Recovered"] }');
const collector = await startCollector({ config });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const about = (name: string, device: Device) => (request: Received) => request.body.includes(name) && request.body.includes(device.cart);
const ids = (name: string, device: Device) => new Set(sink.received.filter(about(name, device)).map((request) => request.headers["webhook-id"]));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const alive = () => eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));

/** A signed-in customer with a line in the cart, on a device with consent for analytics. */
async function customer(name: string): Promise<Device> {
  const device = new Device(collector, signToken(claimsOf(name)));
  device.capability = "";
  const answer = await device.add(MUG, 2, { person: { anonymousId: anonymousId(), consent: GRANTED } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return device;
}

test("a subscribed customer's abandoned cart is sent once, and another customer's never", async () => {
  const subscribe = { writeKey: "wk_shop", channel: "email", state: "subscribed", text: "Write to me.", version: "2026-11" };
  const headers = { "x-hilo": "1", "x-hilo-user-token": signToken(claimsOf("cust_yes")) };
  assert.equal((await post(collector, "/_h/v1/optin", subscribe, headers)).status, 200);
  const yes = await customer("cust_yes");
  const no = await customer("cust_no");
  collector.kill();
  await alive();
  await sink.until((received) => received.some(about("Cart Abandoned", yes)));
  collector.kill();
  await alive();
  for (const device of [yes, no]) await device.look();
  // This wait is longer than one more idle period.
  await pause(SECONDS * 1_000 + 2_000);
  const order = { lines: [{ line: MUG, quantity: 2 }] };
  for (const device of [yes, no]) await device.call("/v1/cart/ordered", { order_id: `order-of-${device.cart}`, ...order });
  await sink.until((received) => received.some(about("Cart Recovered", yes)));
  collector.kill();
  await alive();
  await pause(3_000);
  assert.deepEqual([ids("Cart Abandoned", yes).size, ids("Cart Recovered", yes).size], [1, 1]);
  assert.deepEqual(sink.received.filter((request) => request.body.includes(no.cart)), []);
  const { events } = await collector.admin("/admin/v1/profiles/u:cust_no/events");
  assert.deepEqual(events.map((event: { event: string }) => event.event).sort(), ["Cart Abandoned", "Cart Recovered"], "known, and told to nobody");
});
