/**
 * Promise: the feeds of a collector read their vendors page by page, each record once, through kills between a page and its cursor; what
 * is about people reaches their profiles, what is about posts and channels stands beside them; a call counts only with its proof.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { goldenSecrets } from "../stubs/grants.ts";
import { READERS } from "../stubs/reading.ts";
import { startStubs, type StubServer } from "../stubs/server.ts";
import { CHECKOUTS } from "../stubs/sumup.ts";
import { configWith, eventually, startCollector, type Collector } from "./mf.ts";

const BASIS = `consent_basis = { basis = "consent", purposes = ["analytics"] }`;
const client = (name: string) => `client_id = { secret = "${name}_CLIENT_ID" }\nclient_secret = { secret = "${name}_CLIENT_SECRET" }`;
const PROOF = "a secret of the vendor's calls";

const SETTINGS: Record<string, string> = {
  braze: `token = { secret = "FEED_PROOF" }`,
  buffer: `organization = "66b1f0c2a1b2c3d4e5f60700"\nchannels = ["66b1f0c2a1b2c3d4e5f60718"]\napi_key = { secret = "BUFFER_KEY" }`,
  hootsuite: `profiles = { FACEBOOKPAGE = ["115185509"] }\n${client("HOOTSUITE")}\nrefresh_token = { secret = "HOOTSUITE_REFRESH_TOKEN" }\nwebhook_key = { secret = "FEED_PROOF" }`,
  hubspot: `token = { secret = "HUBSPOT_TOKEN" }\nwebhook_secret = { secret = "FEED_PROOF" }\nportal_id = 33\nuser_id = "shop_user_id"`,
  marketo: `munchkin_id = "123-ABC-456"\nclient_id = { secret = "MARKETO_ID" }\nclient_secret = { secret = "MARKETO_SECRET" }\nuser_id = "shopUserId"`,
  salesforce: `domain = "acme.my.salesforce.com"\n${client("SALESFORCE")}\nuser_id = "Shop_User__c"`,
  sumup: `api_key = { secret = "SUMUP_API_KEY" }\nwebhook_key = { secret = "FEED_PROOF" }`,
};
const POLLED = Object.keys(SETTINGS).filter((name) => name !== "braze");
const SUMUP = JSON.parse(readFileSync(new URL("../golden/feeds/sumup/secrets.json", import.meta.url), "utf8"));
const VARS = Object.assign({ FEED_PROOF: PROOF }, SUMUP, ...["buffer", "hootsuite", "hubspot", "marketo", "salesforce"].map(goldenSecrets));

async function start(vendors: readonly string[]) {
  const stubs = await startStubs();
  const feeds = vendors.map((name) => `[[source]]\nname = "${name}"\nkind = "feed"\nvendor = "${name}"\n${BASIS}\n${SETTINGS[name]}\n`);
  const config = `${configWith("http://127.0.0.1:9/")}\n${feeds.join("\n")}`;
  const collector = await startCollector({ config, vars: VARS, stubs: stubs.url });
  after(async () => {
    await collector.dispose();
    await stubs.close();
  });
  return { stubs, collector };
}

const standing = async (collector: Collector, name: string) => (await collector.admin("/admin/v1/feeds")).feeds.find((one: any) => one.name === name);
const read = (collector: Collector, name: string) => collector.admin(`/admin/v1/feeds/${name}/read`, { method: "POST" });
const events = async (collector: Collector, user: string): Promise<any[]> => (await collector.admin(`/admin/v1/profiles/u:${user}/events`)).events;
const touches = async (collector: Collector, name: string): Promise<any[]> => (await collector.admin(`/admin/v1/feeds/${name}/events`)).events;
const sources = (list: any[], name: string) => list.filter(({ messageId }) => messageId.startsWith(`${name}:`));

/** Reads until the feed has everything. A long list takes several runs. */
async function readAll(collector: Collector, name: string) {
  await read(collector, name);
  await eventually(async () => ((await standing(collector, name)).readAt ? true : undefined), 120_000);
}

/** Calls of vendors. */
const callsOf = (collector: Collector) => (name: string, body: unknown, init: { query?: string; headers?: Record<string, string> } = {}) =>
  collector.fetch(`/_h/v1/in/${name}${init.query ?? ""}`, {
    method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...init.headers },
  });

/** SumUp tells of a checkout that is paid, and of one that waits. */
async function tellsOfACheckout(stubs: StubServer, collector: Collector) {
  const call = callsOf(collector);
  const notice = { id: "n-1", event_type: "checkout.status.updated", payload: { checkout_id: CHECKOUTS.paid.id, reference: "forged", status: "FAILED" } };
  assert.equal((await call("sumup", notice, { query: "?key=wrong" })).status, 401);
  for (const body of [notice, { event_type: "CHECKOUT_STATUS_CHANGED", id: CHECKOUTS.pending.id }]) {
    assert.equal((await call("sumup", body, { query: `?key=${encodeURIComponent(PROOF)}` })).status, 200);
  }
  await read(collector, "sumup");
  const find = (orderId: string) => collector.admin("/admin/v1/profiles/find", { method: "POST", body: JSON.stringify({ orderId }) });
  const paid = async () => {
    const { waiting: [label] } = await find(CHECKOUTS.paid.reference);
    return label && (await collector.admin(`/admin/v1/profiles/${label}/events`)).events[0];
  };
  // What the call claims does not count: SumUp itself says that it is paid.
  const { event, properties } = await eventually(paid);
  assert.deepEqual([event, properties.total], ["Payment Succeeded", CHECKOUTS.paid.amount]);
  assert.deepEqual((await find(CHECKOUTS.pending.reference)).waiting, []);
  assert.deepEqual(stubs.vendor("sumup").violations, []);
  assert.equal((await standing(collector, "sumup")).lastError, null);
}

test("six vendors are read, and a seventh calls", async (t) => {
  const { stubs, collector } = await start(Object.keys(SETTINGS));
  for (const name of POLLED) await readAll(collector, name);

  for (const name of POLLED) {
    const { violations } = stubs.vendor(name);
    assert.deepEqual(violations, [], name);
    assert.equal((await standing(collector, name)).lastError, null, name);
  }

  await t.test("contacts and activities of people reach their profiles once", async () => {
    for (let number = 1; number <= READERS; number++) {
      const all = await events(collector, `reader-${number}`);
      assert.equal(sources(all, "salesforce").length, 1, `${number}`);
      const [opened, ...changed] = sources(all, "marketo").toSorted((a, b) => b.type.localeCompare(a.type));
      assert.equal(opened.event, "Email Opened");
      assert.deepEqual(changed.map(({ traits }) => traits.firstName), number === READERS ? [`Lead ${number}`] : [], `${number}`);
      // HubSpot names a contact by its user, and a message's reader by the address alone, which the contact has proved.
      const [[contact], messages] = [sources(all, "hubspot").filter(({ type }) => type === "identify"), sources(all, "hubspot").filter(({ type }) => type === "track")];
      assert.equal(contact.traits.firstName, `Reader ${number}`);
      assert.equal(messages.length, 1, JSON.stringify(messages.map(({ event }) => event)));
    }
  });

  await t.test("posts and channels have touchpoints without a person", async () => {
    for (const [name, posts] of [["buffer", "post-"], ["hootsuite", "message:"]] as const) {
      const all = await touches(collector, name);
      const named = (event: string) => all.filter((one) => one.event === event);
      assert.equal(named("social_post_published").length, READERS, `${name} ${posts}`);
      assert.equal(named("social_post_metrics").length, READERS, name);
      assert.equal(named("social_channel_metrics").length, 1, name);
      assert.ok(all.every((one) => one.anonymousId === undefined && one.userId === undefined), name);
    }
  });

  await t.test("a call without its proof is refused", async () => {
    const call = callsOf(collector);
    const delivery = { events: [{ event_type: "users.messages.email.Click", id: "b-1", time: 1795513500, user: { external_user_id: "reader-1" }, properties: {} }] };
    assert.equal((await call("braze", delivery)).status, 401);
    const taken = await call("braze", delivery, { headers: { authorization: `Bearer ${PROOF}` } });
    assert.deepEqual(await taken.json(), { accepted: 1, duplicate: 0, ignored: 0 });
    assert.equal(sources(await events(collector, "reader-1"), "braze")[0].event, "Email Link Clicked");

    const told = String(4_001 + READERS);
    const message = { type: "com.hootsuite.messages.event.v1", seq_no: "1", data: { state: "SENT", message: { id: told } } };
    assert.equal((await call("hootsuite", message, { query: "?key=wrong" })).status, 401);
    assert.equal((await call("hootsuite", message, { query: `?key=${encodeURIComponent(PROOF)}` })).status, 200);
    await read(collector, "hootsuite");
    const byCall = async () => (await touches(collector, "hootsuite")).find(({ messageId }) => messageId === `hootsuite:message:${told}`);
    assert.equal((await eventually(byCall)).event, "social_post_published");

    await tellsOfACheckout(stubs, collector);

    const changes = [{ subscriptionType: "contact.propertyChange", objectId: 1, portalId: 33 }];
    const stamp = String(Date.now());
    const text = `POST${collector.url}/_h/v1/in/hubspot${JSON.stringify(changes)}${stamp}`;
    const signature = createHmac("sha256", PROOF).update(text).digest("base64");
    const signed = (tag: string) => ({ headers: { "x-hubspot-signature-v3": tag, "x-hubspot-request-timestamp": stamp } });
    assert.equal((await call("hubspot", changes, signed(`A${signature.slice(1)}`))).status, signature[0] === "A" ? 200 : 401);
    assert.equal((await call("hubspot", changes, signed(signature))).status, 200);
    assert.equal((await standing(collector, "hubspot")).toRead, 1);
  });
});

test("a kill at each request of a run loses no activity and repeats none", async () => {
  const { stubs, collector } = await start(["marketo"]);
  const count = () => stubs.vendor("marketo").received.filter(({ url }) => url.includes("/rest/v1/")).length;
  const isRead = async () => Boolean((await standing(collector, "marketo")).readAt);
  let cut = 0;
  // A run dies at its first or second request: before a page is kept, or between a page and its people.
  for (const requests of [2, 1, 2, 1]) {
    const before = count();
    await read(collector, "marketo");
    await eventually(async () => (count() >= before + requests || (await isRead()) ? true : undefined), 60_000);
    collector.kill();
    const isDone = await eventually(async () => {
      try {
        return await isRead();
      } catch {
        return undefined;
      }
    }, 120_000);
    if (!isDone) cut += 1;
  }
  assert.ok(cut > 0, "no kill came before the end of a run");
  await readAll(collector, "marketo");
  for (let number = 1; number <= READERS; number++) {
    const told = sources(await events(collector, `reader-${number}`), "marketo");
    assert.equal(told.length, number === READERS ? 2 : 1, `reader-${number}`);
  }
  assert.deepEqual(stubs.vendor("marketo").violations, []);
});
