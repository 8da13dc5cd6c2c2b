/**
 * Promise: what a person does on one day by every channel stands in one timeline, in order, each touchpoint with its source and its place
 * under the lenses, also what a device did that nobody knew then. Telephone, mail service and messenger call in their own forms, the till's sales
 * come as a file, and none of them knows the shop's id of the person. Orders and refunds come to the right sum in whatever order they arrive.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { GRANTED, type Json, pageView, post, send } from "./envelopes.ts";
import { importConfig, reader, upload } from "./imports.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";

const SECRET = "a secret of the vendor";
const TWILIO = "https://shop.example/_h/v1/in/telephone";
/** A vendor's webhook: its signature proves the vendor, and the vendor knows the addresses. */
const webhook = (name: string, preset: string, more = "") =>
  `[[source]]\nname = "${name}"\nkind = "webhook"\nverify = "${preset}"\nmap = "${preset}"\nidentity = "trusted"\n` +
  `secrets = [{ secret = "VENDOR_SECRET" }]\nconsent_basis = { basis = "contract", purposes = ["analytics"] }\n${more}`;
const config = [
  importConfig,
  webhook("telephone", "twilio", `public_url = "${TWILIO}"\n`),
  webhook("mail", "klaviyo"),
  webhook("whatsapp", "meta", 'challenge = { secret = "META_CHALLENGE" }\n'),
].join("\n");

const program = reader();
const collector = await startCollector({ assets: false, config, vars: { VENDOR_SECRET: SECRET, META_CHALLENGE: "a token of the page" } });
const folder = mkdtempSync(join(tmpdir(), "hilo-day-"));
after(async () => {
  await collector.dispose();
  rmSync(folder, { recursive: true });
});

const [USER, PHONE, EMAIL, LOYALTY] = ["day-customer", "+34600111222", "ana@shop.example", "L-000917"];
const MORNING = Math.floor(Date.now() / 1_000) - 14 * 3_600;
const at = (minute: number) => new Date((MORNING + minute * 60) * 1_000).toISOString();
const hmac = (hash: string, text: string, form: "hex" | "base64") => createHmac(hash, SECRET).update(text).digest(form);

/** Sends events as the company's own systems do. */
async function report(event: Json): Promise<void> {
  const headers = { origin: undefined, authorization: "Bearer sk_dev_backend" };
  const { status, body } = await post(collector, "/_h/v1/batch", { batch: [event], context: { consent: GRANTED } }, headers);
  assert.deepEqual([status, body["accepted"]], [200, 1], JSON.stringify(body));
}

/** Calls as a vendor does. */
async function call(source: string, body: string, headers: Record<string, string>): Promise<void> {
  const answer = await post(collector, `/_h/v1/in/${source}`, body, { origin: undefined, "content-type": "application/json", ...headers });
  assert.deepEqual([answer.status, answer.body], [200, { duplicate: false }], source);
}

/** Twilio tells the end of a call. */
function telephone(minute: number): Promise<void> {
  const fields: Record<string, string> = {
    CallSid: "CA0018", CallStatus: "completed", Direction: "inbound", From: PHONE, To: "+34910000000", CallDuration: "240",
    Timestamp: new Date(at(minute)).toUTCString().replace("GMT", "+0000"),
  };
  const signed = Object.keys(fields).sort().map((name) => `${name}${fields[name]}`).join("");
  const headers = { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": hmac("sha1", `${TWILIO}${signed}`, "base64") };
  return call("telephone", new URLSearchParams(fields).toString(), headers);
}

/** Klaviyo tells that an e-mail was opened. */
function mail(minute: number): Promise<void> {
  const attributes = { datetime: at(minute), event_properties: { $message: "mail-7", "Campaign Name": "Care" } };
  const included = [{ type: "profile", attributes: { email: EMAIL } }];
  const body = JSON.stringify({ data: [{ external_id: "k-1", topic: "event:klaviyo.opened_email", payload: { data: { type: "event", attributes }, included } }] });
  const stamp = String(Math.floor(Date.now() / 1_000));
  return call("mail", body, { "klaviyo-timestamp": stamp, "klaviyo-signature": hmac("sha256", `${body}${stamp}`, "hex") });
}

/** Meta tells of a message by WhatsApp. */
function whatsapp(minute: number): Promise<void> {
  const message = { from: PHONE.slice(1), id: "wamid.18", timestamp: String(MORNING + minute * 60), type: "text", text: { body: "May I change the color?" } };
  const value = { messaging_product: "whatsapp", messages: [message] };
  const body = JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: "1", changes: [{ field: "messages", value }] }] });
  return call("whatsapp", body, { "x-hub-signature-256": `sha256=${hmac("sha256", body, "hex")}` });
}

/** The till's sales are imported as `cargo xtask import` does. */
async function till(minute: number): Promise<void> {
  const path = join(folder, "till.csv");
  writeFileSync(path, `order_id,occurred_at,total,currency,sku,quantity,store,loyalty\nS-1,${at(minute)},89.90,EUR,MUG-BLU,1,Sol,${LOYALTY}\n`);
  const { code, counts, told } = await upload(collector, program, path, ["till", "orders"]).done;
  assert.deepEqual([code, counts.accepted, counts.rejected], [0, 1, 0], told);
}

test("a day of one person is read in order, with lenses and figures", async () => {
  const id = anonymousId();
  const visit = (minute: number, session: string, url: string, referrer?: string) =>
    pageView(id, { timestamp: at(minute), context: { page: { url, referrer }, hilo: { session: { id: session } } } });
  const visits = [visit(60, "1", "https://shop.example/?utm_source=news&utm_medium=email"), visit(270, "2", "https://shop.example/", "https://www.google.com/")];
  assert.equal((await send(collector, visits)).body["accepted"], 2);
  const traits = { email: EMAIL, phone: PHONE, loyalty_id: LOYALTY };
  await report({ type: "identify", messageId: `${USER}-link`, userId: USER, anonymousId: id, timestamp: at(275), traits });
  // The refund comes first, and the call comes last.
  const back = { order_id: "S-1", refund_id: "R-1", total: "20.00", currency: "EUR" };
  await report({ type: "track", messageId: `${USER}-refund`, userId: USER, timestamp: at(730), event: "Order Refunded", properties: back });
  await till(555);
  await mail(600);
  await whatsapp(690);
  await telephone(300);
  const events: Json[] = await eventually(async () => {
    const page = await collector.admin(`/admin/v1/profiles/u:${USER}/events`);
    return page.events.length === 8 ? page.events.reverse() : undefined;
  }, 60_000);
  const shown = events.map(({ source, touchpoint, lens }) => [source, touchpoint.kind, touchpoint.channel, touchpoint.state, lens.stage, lens.cycle, lens.experience]);
  assert.deepEqual(shown, [
    ["shop", "Visit Started", "Email", "new", "precompra", "atraccion", "explora"],
    ["shop", "Visit Started", "Organic Search", "known", "precompra", "consideracion", "descubre"],
    ["backend", "identify", undefined, shown[2]![3], "unplaced", "unplaced", null],
    ["telephone", "Call Received", "Phone", "known", "precompra", "consideracion", "conversa"],
    ["till", "Order Completed", "Store", "known", "compra", "conversion", "decide"],
    ["mail", "Email Opened", "Email", "fresh", "relacion", "retencion", "explora"],
    ["whatsapp", "Message Received", "Chat", "fresh", "relacion", "retencion", "conversa"],
    // It came before the order that made a customer.
    ["backend", "Order Refunded", undefined, shown[7]![3], "poscompra", "retencion", "resuelve"],
  ]);
  const minutes = events.map(({ timestamp }) => Math.floor((Date.parse(timestamp) / 1_000 - MORNING) / 60));
  assert.deepEqual(minutes, [60, 270, 275, 300, 555, 600, 690, 730]);
  const { profile, figures } = await collector.admin(`/admin/v1/profiles/u:${USER}`);
  assert.deepEqual([profile.userId, profile.anonymousIds], [USER, [id]]);
  assert.deepEqual(figures.net, { EUR: "6990" });
  assert.deepEqual([figures.state, figures.openQuestions, figures.orders.counted, figures.orders.refunded], ["fresh", 1, 1, 1]);
  assert.deepEqual(figures.messages, { email: { opened: 1 } });
  assert.deepEqual(Object.keys(profile.channels).sort(), ["Chat", "Email", "Organic Search", "Phone", "Store"]);
});

test("the device, the telephone, the address and the card lead to the same person", async () => {
  const whole = await collector.admin(`/admin/v1/profiles/u:${USER}/events`);
  const { profile } = await collector.admin(`/admin/v1/profiles/u:${USER}`);
  assert.deepEqual((await collector.admin(`/admin/v1/profiles/a:${profile.anonymousIds[0]}/events`)).events, whole.events);
  for (const who of [{ phone: PHONE }, { email: EMAIL }, { loyaltyId: LOYALTY }]) {
    const { found, waiting } = await collector.admin("/admin/v1/profiles/find", { method: "POST", body: JSON.stringify(who) });
    assert.deepEqual([found, waiting], [[`u:${USER}`], []], JSON.stringify(who));
  }
});
