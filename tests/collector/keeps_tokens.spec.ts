/**
 * Promise: a destination's access token is renewed once for all deliveries, a crash in the middle loses no grant that the service still
 * honors, and nothing that is stored shows a token.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { post } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, type Collector } from "./mf.ts";
import { type OAuthService, startKeyService, startOAuthService, startRotatingService } from "./oauth_service.ts";

/** The dialogue of `cargo xtask connect`. */
const script = fileURLToPath(new URL("../../js/connect.ts", import.meta.url));

const configured = (more: string) => `${configWith("http://127.0.0.1:9/")}
[[destination]]
name = "crm"
type = "hubspot"
purposes = ["analytics"]
[destination.app]
client_id = { secret = "CRM_ID" }
client_secret = { secret = "CRM_SECRET" }
${more}
`;

/** A service and a collector that sends contacts to it. */
async function start(more: string) {
  const service = await startOAuthService();
  const vars = { CRM_ID: "client-1", CRM_SECRET: "s3cret", CRM_REFRESH: service.first };
  const collector = await startCollector({ config: configured(more), vars, stubs: service.url });
  after(async () => {
    await collector.dispose();
    await service.close();
  });
  return { service, collector };
}

const FIRST = `refresh_token = { secret = "CRM_REFRESH" }`;

/** Identifies so many people, each in a call of its own, all at once. Returns their addresses. */
async function identify(collector: Collector, people: number): Promise<string[]> {
  const emails = Array.from({ length: people }, () => `${anonymousId()}@mail.example`);
  const calls = emails.map((email) => {
    const event = { type: "identify", userId: email, messageId: anonymousId(), traits: { email } };
    return post(collector, "/_h/v1/batch", { batch: [event] }, { origin: undefined, authorization: "Bearer sk_dev_backend" });
  });
  for (const answer of await Promise.all(calls)) assert.equal(answer.body["accepted"], 1, JSON.stringify(answer.body));
  return emails;
}

const standing = async (collector: Collector, name = "crm") =>
  (await collector.admin("/admin/v1/destinations")).destinations.find((one: any) => one.name === name);

/** Whether all of `emails` arrived. */
const arrived = (contacts: string[], emails: string[]) => (emails.every((email) => contacts.includes(email)) ? true : undefined);

test("fifty deliveries at once with an expired token renew it once", async () => {
  const { service, collector } = await start(FIRST);
  const [one] = await identify(collector, 1);
  await eventually(async () => arrived(service.contacts, [one!]));
  assert.deepEqual(service.shown, [service.first]);
  service.expire();
  const emails = await identify(collector, 50);
  await eventually(async () => arrived(service.contacts, emails), 60_000);
  assert.ok(service.refused > 0, "the expired token was tried");
  assert.deepEqual(service.shown, [service.first, service.first]);
  const counts = new Map(service.contacts.map((email) => [email, service.contacts.filter((other) => other === email).length]));
  assert.ok([...counts.values()].every((count) => count === 1), "nothing came twice");
  assert.equal((await standing(collector)).connected, true);
});

test("a kill between the service's answer and the object's storage loses no grant that the service still honors", async () => {
  const { service, collector } = await start(FIRST);
  service.beforeAnswer = () => collector.kill();
  const emails = await identify(collector, 3);
  await eventually(async () => arrived(service.contacts, emails), 180_000);
  assert.ok(service.shown.length >= 2 && service.shown.every((shown) => shown === service.first));
  assert.equal(service.isRevoked, false);
  assert.equal((await standing(collector)).connected, true);
});

/** Kills the collector during the first token request to a service whose refresh tokens are good once. */
async function killed(when: "before" | "after") {
  const service = await startRotatingService();
  const posts = `[[destination]]
name = "posts"
type = "buffer"
purposes = ["analytics"]
organization = "66b1f0c2a1b2c3d4e5f60700"
channels = ["66b1f0c2a1b2c3d4e5f60718"]
text = "New in the shop: {name}"
when = ["Product Published"]
client_id = { secret = "POSTS_ID" }
client_secret = { secret = "POSTS_SECRET" }
refresh_token = { secret = "POSTS_REFRESH" }
`;
  const vars = { POSTS_ID: "client-1", POSTS_SECRET: "s3cret", POSTS_REFRESH: service.first };
  const collector = await startCollector({ config: `${configWith("http://127.0.0.1:9/")}\n${posts}`, vars, stubs: service.url });
  after(async () => {
    await collector.dispose();
    await service.close();
  });
  const event = { type: "track", event: "Product Published", userId: "editor-7", messageId: anonymousId(), properties: { name: "Mug" } };
  service.interrupt = { when, run: () => collector.kill() };
  const sent = await post(collector, "/_h/v1/batch", { batch: [event] }, { origin: undefined, authorization: "Bearer sk_dev_backend" });
  assert.equal(sent.body["accepted"], 1);
  await eventually(async () => (service.shown.length >= 2 ? true : undefined), 180_000);
  return { service, collector };
}

test("a kill before the service has used a refresh token that is good once costs no grant", async () => {
  const { service, collector } = await killed("before");
  const shown = await eventually(async () => {
    const shown = await standing(collector, "posts");
    return shown.refreshAt ? shown : undefined;
  });
  assert.equal(shown.connected, true);
  assert.deepEqual(service.shown, [service.first, service.first]);
  assert.equal(service.isRevoked, false);
});

test("a kill after the service has used it is told with its remedy, and the refresh token is shown no more", async () => {
  const { service, collector } = await killed("after");
  const shown = await eventually(async () => {
    const shown = await standing(collector, "posts");
    return shown.lastError ? shown : undefined;
  });
  assert.equal(shown.connected, false);
  assert.match(shown.lastError, /an earlier request with this refresh token had no answer/);
  const { faults } = await collector.admin("/health");
  assert.ok(faults.some((fault: any) => fault.code === "destination_disconnected" && /cargo xtask connect/.test(fault.remedy)));
  assert.deepEqual(service.shown, [service.first, service.first]);
});

/** Runs `cargo xtask connect crm`, and returns the address that it prints, its input, and its end. */
async function connect(collector: Collector, ...more: string[]) {
  const args = [script, "crm", `${collector.url}/_h`, ...more];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) {
    if (line.startsWith("https://")) return { authorizeUrl: line, input: child.stdin, ended };
  }
  throw new Error("no address was printed");
}

/** The address at which a person ends who has granted access. */
function wayBack(service: OAuthService, authorizeUrl: string): URL {
  const asked = new URL(authorizeUrl).searchParams;
  const back = new URL(asked.get("redirect_uri")!);
  back.searchParams.set("code", service.grant(authorizeUrl));
  back.searchParams.set("state", asked.get("state")!);
  return back;
}

test("a person connects the destination, and nothing that is stored shows a token", async () => {
  const { service, collector } = await start("");
  const before = await collector.admin("/health");
  assert.ok(before.faults.some((fault: any) => fault.code === "destination_disconnected" && /cargo xtask connect/.test(fault.remedy)));
  const { authorizeUrl, ended } = await connect(collector);
  const back = wayBack(service, authorizeUrl);
  assert.ok(back.href.startsWith(`${collector.url}/_h/v1/oauth/callback?`));
  const page = await fetch(back, { headers: { "accept-language": "es" } });
  const text = await page.text();
  assert.equal(page.status, 200, text);
  assert.match(text, /El destino crm está conectado/);
  assert.equal((await fetch(back)).status, 410, "the address is good once");
  assert.deepEqual(await ended, [0, null]);
  const [email] = await identify(collector, 1);
  await eventually(async () => arrived(service.contacts, [email!]));
  const shown = await standing(collector);
  assert.equal(shown.connected, true);
  const files = readdirSync(collector.state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stored = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
  for (const secret of [...service.given, "s3cret"]) {
    assert.ok(!JSON.stringify(shown).includes(secret));
    assert.ok(stored.every((bytes) => !bytes.includes(secret)), "a secret is stored in clear");
  }
});

test("a person whom the service cannot send back pastes the address", async () => {
  const { service, collector } = await start("");
  const { authorizeUrl, input, ended } = await connect(collector, "https://elsewhere.example/done");
  const back = wayBack(service, authorizeUrl);
  assert.equal(back.host, "elsewhere.example");
  input.write(`${back.href}\n`);
  assert.deepEqual(await ended, [0, null]);
});

test("a service account's assertion is signed by its key", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const service = await startKeyService(publicKey);
  const rows = `[[destination]]
name = "rows"
type = "bigquery"
purposes = ["analytics"]
project = "shop-1"
dataset = "hilo"
table = "events"
client_email = "hilo@shop-1.iam.gserviceaccount.com"
private_key = { secret = "ROWS_KEY" }
`;
  const vars = { ROWS_KEY: privateKey.export({ type: "pkcs8", format: "pem" }) as string };
  const config = `${configWith("http://127.0.0.1:9/")}\n${rows}`;
  const collector = await startCollector({ config, vars, stubs: service.url });
  after(async () => {
    await collector.dispose();
    await service.close();
  });
  await identify(collector, 2);
  await eventually(async () => (service.taken.length > 0 ? true : undefined));
  assert.deepEqual(service.verdicts, [true]);
});
