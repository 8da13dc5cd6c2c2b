/**
 * Promise: a call of another system counts if its vendor made it, of this body and now. It is answered when it is durable, its work
 * survives a kill, and a call that no rule is about can be worked on again. Nothing that is stored shows its body.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac, createPrivateKey, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import type { Answer, Json } from "./envelopes.ts";
import { configWith, eventually, rejectLog, startCollector } from "./mf.ts";

const SECRET = "a secret of the vendor";
const TOPIC = "arn:aws:sns:eu-west-1:1:t";
const CANARY = "canary-of-a-body";

const folder = mkdtempSync(join(tmpdir(), "hilo-hooks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate as vendors have it, and its key. */
function certificate(): { pem: string; key: KeyObject } {
  const [key, pem] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=vendor.example", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, ...subject], { stdio: "ignore" });
  return { pem: readFileSync(pem, "utf8"), key: createPrivateKey(readFileSync(key)) };
}

const vendor = certificate();
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const mailKey = ec.publicKey.export({ type: "spki", format: "der" }).toString("base64");

/** Stands in for the vendors' hosts: certificates, and addresses that subscribe. */
const asked: string[] = [];
const hosts = createServer((request, response) => {
  asked.push(request.url ?? "");
  const isFound = request.url?.endsWith(".pem") || request.url?.includes("ConfirmSubscription");
  response.writeHead(isFound ? 200 : 404).end(isFound ? vendor.pem : "");
});
await new Promise<void>((resolve) => hosts.listen(0, "127.0.0.1", resolve));
const stubs = `http://127.0.0.1:${(hosts.address() as AddressInfo).port}`;
after(() => hosts.close());

const basis = 'consent_basis = { basis = "contract", purposes = ["analytics"] }';
const source = (name: string, more = 'secrets = [{ secret = "IN" }]') =>
  `[[source]]\nname = "${name}"\nkind = "webhook"\nverify = "${name}"\n${more}\n${basis}\n`;
const config = [
  configWith("http://127.0.0.1:9/"),
  ...["stripe", "aircall", "shopify", "zendesk", "postmark"].map((name) => source(name)),
  source("meta", 'secrets = [{ secret = "IN" }]\nchallenge = { secret = "META_CHALLENGE" }'),
  source("twilio", 'secrets = [{ secret = "IN" }]\npublic_url = "https://shop.example/_h/v1/in/twilio"'),
  source("sendgrid", 'secrets = [{ secret = "SENDGRID_KEY" }]'),
  source("ses", `subscription = "${TOPIC}"`),
].join("\n");
const state = join(folder, "state");
const vars = { IN: SECRET, META_CHALLENGE: "the verify token", SENDGRID_KEY: mailKey };
const collector = await startCollector({ config, vars, stubs, state });
after(() => collector.dispose());

async function call(name: string, body: string, headers: Record<string, string>, query = ""): Promise<Answer> {
  const response = await collector.fetch(`/_h/v1/in/${name}${query}`, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

const hmac = (hash: string, text: string, encoding: "hex" | "base64") => createHmac(hash, SECRET).update(text).digest(encoding);
const nowS = () => Math.floor(Date.now() / 1_000);
let calls = 0;
const event = () => JSON.stringify({ id: `evt_${++calls}`, type: "unheard.of", text: CANARY });

/** How each kind of proof signs a body at a time. */
const kinds: Record<string, (body: string, atS: number) => { body: string; headers: Record<string, string> }> = {
  stripe: (body, atS) => ({ body, headers: { "stripe-signature": `t=${atS},v1=${hmac("sha256", `${atS}.${body}`, "hex")}` } }),
  twilio: (body) => {
    const fields: Record<string, string> = { MessageSid: `SM${calls}`, Body: body };
    const text = Object.keys(fields).sort().map((name) => `${name}${fields[name]}`).join("");
    return {
      body: new URLSearchParams(fields).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": hmac("sha1", `https://shop.example/_h/v1/in/twilio${text}`, "base64"),
      },
    };
  },
  sendgrid: (body, atS) => {
    const tag = createSign("sha256").update(`${atS}${body}`).sign(ec.privateKey, "base64");
    return { body, headers: { "x-twilio-email-event-webhook-signature": tag, "x-twilio-email-event-webhook-timestamp": `${atS}` } };
  },
  ses: (body, atS) => sns("Notification", body, atS),
  postmark: (body) => ({ body, headers: { authorization: `Basic ${Buffer.from(SECRET).toString("base64")}` } }),
};

function sns(type: string, text: string, atS: number, more: Json = {}): { body: string; headers: Record<string, string> } {
  const message: Json = {
    Message: text,
    MessageId: `m-${++calls}`,
    Timestamp: new Date(atS * 1_000).toISOString(),
    TopicArn: TOPIC,
    Type: type,
    ...more,
  };
  const signed = Object.keys(message).sort().map((name) => `${name}\n${message[name]}\n`).join("");
  const signature = createSign("sha256").update(signed).sign(vendor.key, "base64");
  const url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem";
  const body = JSON.stringify({ ...message, SignatureVersion: "2", Signature: signature, SigningCertURL: url });
  return { body, headers: { "content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": type } };
}

test("a call of each kind counts once as its vendor made it, and not with one other byte", async () => {
  for (const [name, sign] of Object.entries(kinds)) {
    const { body, headers } = sign(event(), nowS());
    if (name !== "postmark") {
      const changed = await call(name, body.replace("unheard", "unhearD"), headers);
      assert.deepEqual([changed.status, changed.body["code"]], [401, "bad_signature"], name);
    }
    const first = await call(name, body, headers);
    assert.deepEqual([first.status, first.body], [200, { duplicate: false }], `${name} ${JSON.stringify(first.body)}`);
    assert.deepEqual((await call(name, body, headers)).body, { duplicate: true }, `${name}, replayed`);
    const without = await call(name, body, { "content-type": headers["content-type"] ?? "application/json" });
    assert.ok(without.status === 401 || name === "ses", `${name}, without a signature`);
  }
  // Amazon's calls came with a certificate that was fetched once.
  assert.deepEqual(asked, ["/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"]);
});

test("a genuine call of another time is refused as stale", async () => {
  for (const name of ["stripe", "sendgrid", "ses"]) {
    for (const seconds of [-3_700, 3_700]) {
      const { body, headers } = kinds[name]!(event(), nowS() + seconds);
      const answer = await call(name, body, headers);
      assert.deepEqual([answer.status, answer.body["code"]], [401, "stale_signature"], `${name} ${seconds}`);
    }
  }
});

test("vendors try their webhooks out", async () => {
  const challenge = await collector.fetch("/_h/v1/in/meta?hub.mode=subscribe&hub.challenge=115&hub.verify_token=the%20verify%20token");
  assert.deepEqual([challenge.status, await challenge.text()], [200, "115"]);
  const wrong = await collector.fetch("/_h/v1/in/meta?hub.mode=subscribe&hub.challenge=115&hub.verify_token=x");
  assert.equal(wrong.status, 401);
  await wrong.text();
  const { body, headers } = sns("SubscriptionConfirmation", "You have chosen", nowS(), {
    SubscribeURL: "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
    Token: "t",
  });
  assert.equal((await call("ses", body, headers)).status, 200);
  await eventually(async () => (asked.some((path) => path.includes("ConfirmSubscription")) ? true : undefined));
  const elsewhere = sns("SubscriptionConfirmation", "You have chosen", nowS(), { SubscribeURL: "https://elsewhere.example/", Token: "t" });
  assert.equal((await call("ses", elsewhere.body, elsewhere.headers)).status, 200);
  assert.ok(!asked.some((path) => path.includes("elsewhere")));
});

test("a body of 3 MB is taken where the vendor sends such, and refused elsewhere", async () => {
  const large = JSON.stringify({ entry: [{ text: "x".repeat(3_000_000) }] });
  const signed = { "x-hub-signature-256": `sha256=${hmac("sha256", large, "hex")}` };
  assert.deepEqual((await call("meta", large, signed)).body, { duplicate: false });
  const stripe = kinds["stripe"]!(large, nowS());
  assert.equal((await call("stripe", stripe.body, stripe.headers)).status, 413);
});

test("a call that was answered is worked on although workerd is killed behind the answer, once", async () => {
  const order = (id: number) =>
    JSON.stringify({ id, currency: "EUR", total_price: "19.99", customer: { id: 900 + id }, line_items: [{ variant_id: 1, quantity: 1 }] });
  const send = (id: number) => {
    const body = order(id);
    return call("shopify", body, { "x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": hmac("sha256", body, "base64") });
  };
  const answered: number[] = [];
  for (let id = 1; id <= 12; id++) {
    const answer = await send(id).catch(() => undefined);
    if (answer?.status === 200) answered.push(id);
    if (id % 4 === 0) {
      collector.kill();
      await eventually(async () => {
        const response = await collector.fetch("/readyz").catch(() => undefined);
        await response?.text();
        return response?.ok ? true : undefined;
      });
    }
  }
  assert.ok(answered.length >= 9, `${answered}`);
  for (const id of answered) {
    const orders = await eventually(async () => {
      const { events } = await collector.admin(`/admin/v1/profiles/u:${900 + id}/events`);
      const orders = (events as Json[]).filter((event) => event["event"] === "Order Completed");
      return orders.length > 0 ? orders : undefined;
    });
    assert.deepEqual(orders.map((event) => event["messageId"]), [`order-${id}`]);
    assert.deepEqual((await send(id)).body, { duplicate: true });
  }
});

test("a call that no rule is about is kept with its shape, and can be worked on again", async () => {
  const inbox = async () => (await collector.admin("/admin/v1/inbox?source=stripe")).sources[0] as Json;
  const kept = await eventually(async () => {
    const found = await inbox();
    return found["waiting"] === 0 && found["kept"] > 0 ? found : undefined;
  });
  assert.deepEqual([kept["kept"], kept["newest"][0].code], [1, "not_mapped"]);
  const { rejects } = await rejectLog(collector, (rejects) => rejects.some((one: Json) => one["source"] === "stripe"));
  const told = rejects.find((one: Json) => one["source"] === "stripe" && one["code"] === "not_mapped");
  assert.ok(told.item.includes("text") && !told.item.includes(CANARY), told.item);
  const headers = { authorization: "Bearer dev-admin", "content-type": "application/json" };
  const replay = await collector.fetch("/_h/admin/v1/inbox/replay", { method: "POST", headers, body: '{"source":"stripe"}' });
  assert.deepEqual(await replay.json(), { replayed: 1 });
  await eventually(async () => ((await inbox())["newest"][0]?.attempts === 2 ? true : undefined));
});

test("nothing that is stored shows a body", () => {
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert.ok(files.length > 0);
  for (const file of files) {
    assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(CANARY), file.name);
  }
});
