/**
 * Promise: clients of Segment, RudderStack and Jitsu send to hilo with the options of the guide, and what they send is what is stored.
 *
 * `cargo xtask test` installs the clients from their registries. Every difference between the wire and the timeline is listed in
 * `expected.ts` with its reason.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { eventually, startCollector } from "../collector/mf.ts";
import { CLIENTS, startPages } from "./clients.ts";
import { differences } from "./compare.ts";
import { unexpected, unneeded } from "./expected.ts";
import { type Json, readJson, type Sent, startRecorder } from "./recorder.ts";

const KEYS = { page: "f3H9kQ2mX7vB4tR8sL1nZ6wC0yD5gJaP", server: "Qm8Rk3Vt6Yx1Zb4Nc7Gd0Hf5Js9Lw2Pe" };

const collector = await startCollector({ config: readFileSync(new URL("hilo.toml", import.meta.url), "utf8") });
const pages = await startPages();
after(() => Promise.all([collector.dispose(), pages.close()]));

for (const [number, client] of CLIENTS.entries()) {
  test(`${client.name} sends by the options of the guide, and each of its events is stored as sent`, async () => {
    const recorder = await startRecorder(collector.url);
    const anonymousId = `0f2b4c1e-7a55-4d0a-9a58-2f0d2b6f7c${10 + number}`;
    try {
      await client.run({ host: recorder.url, writeKey: KEYS[client.kind], userId: `ana-${1000 + number}`, anonymousId }, pages);
      await eventually(async () => (recorder.sent().length >= client.events ? true : undefined), 6_000).catch(() => {});
      for (const { method, path, status, answer } of recorder.exchanges.filter(({ method }) => method !== "OPTIONS")) {
        assert.equal(status, 200, `${method} ${path} was answered ${answer}`);
        const { success, rejected } = JSON.parse(answer) as Json;
        if (method === "POST") assert.deepEqual([success, rejected], [true, []], `${method} ${path}`);
      }
      const sent = recorder.sent();
      assert.equal(sent.length, client.events, "each call of the session is one event on the wire");
      const stored = await timelines(sent);
      const differing = sent.flatMap((one) => {
        const name = `${one.event["type"]} ${one.event["event"] ?? one.event["name"] ?? ""}`.trim();
        const found = stored.find((event) => isSame(one.event, event));
        assert.ok(found, `${name} is in no timeline`);
        const others = unexpected(client.name, client.kind === "page", one, found, differences(one.event, found));
        return others.map((field) => `${name}: ${field.path} was ${shown(field.sent)} and is ${shown(field.stored)}`);
      });
      assert.deepEqual(differing, []);
    } finally {
      await recorder.close();
    }
  });
}

test("the guide has a row for every client", () => {
  const guide = readFileSync(new URL("../../examples/clients/README.md", import.meta.url), "utf8");
  const rows = guide.split("\n").filter((line) => line.endsWith(" yes |") || line.includes("| yes, "));
  for (const { name } of CLIENTS) {
    const [, what, version = ""] = /^(.*?)(?: (\d[\d.]*))?$/.exec(name)!;
    const of = (row: string) => row.includes(`\`${what!.replace("the crate ", "")}\``) && row.split("|")[1]!.includes(version);
    assert.equal(rows.filter(of).length, 1, `${name} has one row`);
  }
});

test("each difference that is expected between wire and timeline occurs", () => {
  assert.deepEqual(unneeded(), []);
});

for (const name of ["@segment/analytics-next", "@rudderstack/analytics-js", "@segment/analytics-node 2", "segment-analytics-python 2.3"]) {
  test(`${name} sends again after an outage, and nothing is lost`, async () => {
    const client = CLIENTS.find((one) => one.name === name)!;
    const recorder = await startRecorder(collector.url);
    try {
      recorder.fail(1);
      const anonymousId = "0f2b4c1e-7a55-4d0a-9a58-2f0d2b6f7c99";
      await client.run({ host: recorder.url, writeKey: KEYS[client.kind], userId: "ana-1099", anonymousId }, pages);
      await eventually(async () => (recorder.sent().length >= client.events ? true : undefined));
      const answers = recorder.exchanges.filter(({ method }) => method === "POST").map(({ answer }) => (JSON.parse(answer) as Json)["rejected"]);
      assert.deepEqual(answers.flat(), []);
    } finally {
      await recorder.close();
    }
  });
}

test("segment-analytics-python 2.3 reads the code of a refused key, and sends nothing again", async () => {
  const client = CLIENTS.find((one) => one.name === "segment-analytics-python 2.3")!;
  const recorder = await startRecorder(collector.url);
  try {
    const setup = { host: recorder.url, writeKey: "nobodys-key", userId: "ana-1098", anonymousId: "0f2b4c1e-7a55-4d0a-9a58-2f0d2b6f7c98" };
    await assert.rejects(client.run(setup, pages) as Promise<unknown>, /were not delivered: \[Segment\] unknown_key: .* \(401\)/);
    assert.deepEqual([...new Set(recorder.exchanges.map(({ status }) => status))], [401]);
    assert.equal(recorder.sent().length, client.events);
  } finally {
    await recorder.close();
  }
});

/** Every event in the timelines of the people that `sent` is about. */
async function timelines(sent: Sent[]): Promise<Json[]> {
  const keys = new Set(sent.flatMap(({ event }) => [event["anonymousId"] && `a:${event["anonymousId"]}`, event["userId"] && `u:${event["userId"]}`]));
  const found: Json[] = [];
  for (const key of keys) {
    if (!key) continue;
    const headers = { authorization: "Bearer dev-admin" };
    const response = await collector.fetch(`/admin/v1/profiles/${encodeURIComponent(key)}/events`, { headers });
    if (response.ok) found.push(...readJson(await response.text())["events"]);
  }
  return found;
}

/** Whether `stored` is the event that was `sent`. A client that sends no message id has told no two events of one name. */
function isSame(sent: Json, stored: Json): boolean {
  if (sent["messageId"]) return sent["messageId"] === stored["messageId"];
  return ["type", "event", "name"].every((field) => (sent[field] ?? "") === (stored[field] ?? ""));
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : typeof value === "bigint" ? `${value}` : JSON.stringify(value);
}
