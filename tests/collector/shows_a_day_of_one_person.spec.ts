/**
 * Promise: what a person does on one day by every channel stands in one timeline, in order, each touchpoint with its place under the
 * lenses, also what a device did that nobody knew then. Orders and refunds come to the right sum in whatever order they arrive.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { GRANTED, type Json, pageView, post, send } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";

const collector = await startCollector({ assets: false });
after(() => collector.dispose());

const USER = "day-customer";
const MORNING = Date.now() - 14 * 3_600_000;
const at = (minute: number) => new Date(MORNING + minute * 60_000).toISOString();

/** Sends events as the company's own systems do. */
async function report(...batch: Json[]): Promise<void> {
  const headers = { origin: undefined, authorization: "Bearer sk_dev_backend" };
  const { status, body } = await post(collector, "/_h/v1/batch", { batch, context: { consent: GRANTED } }, headers);
  assert.deepEqual([status, body["accepted"]], [200, batch.length], JSON.stringify(body));
}

const act = (minute: number, event: string, properties: Json): Json => ({ type: "track", messageId: `${USER}-${minute}`, userId: USER, timestamp: at(minute), event, properties });

test("a day of one person is read in order, with lenses and figures", async () => {
  const id = anonymousId();
  const visit = (minute: number, session: string, url: string, referrer?: string) =>
    pageView(id, { timestamp: at(minute), context: { page: { url, referrer }, hilo: { session: { id: session } } } });
  const visits = [visit(60, "1", "https://shop.example/?utm_source=news&utm_medium=email"), visit(270, "2", "https://shop.example/", "https://www.google.com/")];
  assert.equal((await send(collector, visits)).body["accepted"], 2);
  await report({ type: "identify", messageId: `${USER}-link`, userId: USER, anonymousId: id, timestamp: at(275), traits: {} });
  // The refund comes first, and the call comes last.
  await report(act(730, "Order Refunded", { order_id: "S-1", refund_id: "R-1", total: "20.00", currency: "EUR" }));
  await report(
    act(555, "Order Completed", { order_id: "S-1", affiliation: "store", total: 89.9, currency: "EUR" }),
    act(600, "Email Opened", { message_id: "mail-7" }),
    act(690, "Message Received", { channel: "whatsapp" }),
  );
  await report(act(300, "Call Received", { duration_s: 240 }));
  const events: Json[] = await eventually(async () => {
    const page = await collector.admin(`/admin/v1/profiles/u:${USER}/events`);
    return page.events.length === 8 ? page.events.reverse() : undefined;
  }, 60_000);
  const shown = events.map(({ touchpoint, lens }) => [touchpoint.kind, touchpoint.channel, touchpoint.state, lens.stage, lens.cycle, lens.experience]);
  assert.deepEqual(shown, [
    ["Visit Started", "Email", "new", "precompra", "atraccion", "explora"],
    ["Visit Started", "Organic Search", "known", "precompra", "consideracion", "descubre"],
    ["identify", undefined, shown[2]![2], "unplaced", "unplaced", null],
    ["Call Received", "Phone", "known", "precompra", "consideracion", "conversa"],
    ["Order Completed", "Store", "known", "compra", "conversion", "decide"],
    ["Email Opened", "Email", "fresh", "relacion", "retencion", "explora"],
    ["Message Received", "Chat", "fresh", "relacion", "retencion", "conversa"],
    // It came before the order that made a customer.
    ["Order Refunded", undefined, shown[7]![2], "poscompra", "retencion", "resuelve"],
  ]);
  const { profile, figures } = await collector.admin(`/admin/v1/profiles/u:${USER}`);
  assert.deepEqual([profile.userId, profile.anonymousIds], [USER, [id]]);
  assert.deepEqual(figures.net, { EUR: "6990" });
  assert.deepEqual([figures.state, figures.openQuestions, figures.orders.counted, figures.orders.refunded], ["fresh", 1, 1, 1]);
  assert.deepEqual(figures.messages, { email: { opened: 1 } });
  assert.deepEqual(Object.keys(profile.channels).sort(), ["Chat", "Email", "Organic Search", "Phone", "Store"]);
});
