/**
 * Promise: no line of the log holds what a visitor or a shop carries: not the address of a request with its keys and cart labels, no
 * header field, no id. hilo writes its own lines, and wrangler.jsonc keeps Cloudflare's from being written.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";

import { wrangler } from "../packages.ts";
import { Device, MUG, SERVER_KEY, cartCall } from "./carts.ts";
import { cookieOf, envelope, hello, pageView, post, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const sink = await startSink();
const lines: string[] = [];
const collector = await startCollector({ config: configWith(sink.url), onLine: (line) => lines.push(line) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("wrangler.jsonc switches off the lines that Cloudflare writes about each request, and redacts their queries", () => {
  const config = fileURLToPath(new URL("../../crates/hilo-collector/wrangler.jsonc", import.meta.url));
  const { observability } = wrangler.unstable_readConfig({ config }) as { observability: Record<string, any> };
  assert.deepEqual([observability["logs"]?.invocation_logs, observability["redact_query_string"]], [false, true]);
});

test("requests that succeed, are refused or fail leave nothing of themselves in the log", async () => {
  const id = anonymousId();
  const token = signToken(claimsOf(`user-${id}`));
  const device = new Device(collector, token);
  await hello(collector, id);
  await send(collector, [pageView(id)]);
  await device.whole();
  await device.add(MUG, 1, { person: { anonymousId: id } });
  const secrets = [id, token, cookieOf(id)!, device.cart, device.live, "wk_shop", "wk_unknown", SERVER_KEY, "forged-text", "198.51.100.77"];
  assert.ok(secrets.every((secret) => secret.length > 0));
  // Each of these is refused at another door.
  const from = { "cf-connecting-ip": "198.51.100.77", "x-hilo": "1", "x-hilo-auth": "forged-text" };
  await collector.fetch("/_h/v1/batch?writeKey=wk_unknown", { method: "POST", headers: from, body: JSON.stringify(envelope([pageView(id)])) });
  await post(collector, "/_h/v1/consent", { writeKey: "wk_unknown", anonymousId: id }, from);
  await post(collector, "/_h/v1/hello", "{", { ...from, cookie: "hilo=forged-text" });
  await cartCall(collector, `/v1/cart/live?cart=${device.cart}`, { headers: { "x-hilo-cart-token": "forged-text" } });
  await collector.fetch(`/_h/v1/optin/confirm?token=forged-text`);
  await collector.fetch(`/_h/admin/v1/profiles/a:${id}`, { headers: { authorization: "Bearer forged-text" } });
  // A destination that hilo.toml does not know any more makes the collector write a line.
  sink.answer(503);
  await send(collector, [pageView(id)]);
  await sink.until((received) => received.length > 1);
  await collector.configure(configWith(sink.url).replace('name = "webhook"', 'name = "another"').replace('confirm_by = "webhook"', 'confirm_by = "another"'));
  collector.kill();
  await eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));
  await send(collector, [pageView(id)]);
  await eventually(async () => (lines.some((line) => line.includes("no destination called")) ? true : undefined), 60_000);
  for (const line of lines) for (const secret of secrets) assert.ok(!line.includes(secret), `${secret} in ${line}`);
});
