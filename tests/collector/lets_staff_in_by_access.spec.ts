/**
 * Promise: Cloudflare Access lets in the people that hilo.toml names, each in their role, and nothing that only looks like its assertion
 * lets anybody in.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";

import type { Json } from "./envelopes.ts";
import { startCollector } from "./mf.ts";
import { forged, type SigningKey, signToken } from "./tokens.ts";

const pair = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const [own, later, stranger] = [pair(), pair(), pair()];
const OWN: SigningKey = { kid: "own", alg: "RS256", key: own.privateKey };
const LATER: SigningKey = { kid: "later", alg: "RS256", key: later.privateKey };

/** The team's keys, as Cloudflare serves them, and how often they were asked for. */
const jwk = (kid: string, key: typeof own) => ({ ...key.publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" });
let keys = [jwk("own", own)];
let asked = 0;
const team = createServer((request, response) => {
  if (request.url !== "/shop.cloudflareaccess.com/cdn-cgi/access/certs") return void response.writeHead(404).end();
  asked += 1;
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
});
await new Promise<void>((resolve) => team.listen(0, "127.0.0.1", resolve));

const staff = `
[[admin]]
name = "ana"
role = "marketer"
email = "Ana@shop.example"
[access]
team = "shop"
audience = "aud-of-the-application"
`;
const toml = readFileSync(new URL("../../crates/hilo-collector/hilo.toml", import.meta.url), "utf8");
const collector = await startCollector({ config: toml + staff, stubs: `http://127.0.0.1:${(team.address() as AddressInfo).port}` });
after(async () => {
  await collector.dispose();
  team.closeAllConnections();
  team.close();
});

function claims(over: Json = {}): Json {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: "https://shop.cloudflareaccess.com", aud: ["aud-of-the-application"], type: "app", email: "ana@shop.example", sub: "s" };
  return { ...good, iat: now, nbf: now, exp: now + 86_400 * 20, ...over };
}

async function call(assertion: string | undefined, path = "", headers: Record<string, string> = {}): Promise<{ status: number; body: Json }> {
  const own: Record<string, string> = assertion === undefined ? {} : { "cf-access-jwt-assertion": assertion };
  const response = await collector.fetch(`/_h/admin/v1/${path}`, { headers: { ...own, ...headers } });
  return { status: response.status, body: (await response.json()) as Json };
}

test("a person whom hilo.toml names comes in, in their role and no other", async () => {
  const { status, body } = await call(signToken(claims(), OWN));
  assert.deepEqual([status, body["name"], body["role"]], [200, "ana", "marketer"]);
  const person = await call(signToken(claims(), OWN), "profiles/u%3Auser-1");
  assert.deepEqual([person.status, person.body["code"]], [403, "role_missing"]);
  assert.match(person.body["message"], /needs the role agent or owner/);
});

test("an assertion that is another's, is over, or was not signed by the team lets nobody in, and the answer says why", async () => {
  const now = Math.floor(Date.now() / 1000);
  const good = signToken(claims(), OWN);
  const hmac: SigningKey = { kid: "own", alg: "HS256", key: own.publicKey.export({ format: "pem", type: "spki" }) as string };
  for (const [assertion, code] of [
    [signToken(claims({ aud: ["another"] }), OWN), "token_wrong_audience"],
    [signToken(claims({ iss: "https://other.cloudflareaccess.com" }), OWN), "token_wrong_issuer"],
    [signToken(claims({ exp: now - 61 }), OWN), "token_expired"],
    [signToken(claims({ nbf: now + 3600 }), OWN), "token_not_yet"],
    [signToken(claims({ type: "org" }), OWN), "token_malformed"],
    [signToken(claims({ email: undefined, common_name: "program" }), OWN), "token_bad_subject"],
    [signToken(claims(), { ...OWN, key: stranger.privateKey }), "token_bad_signature"],
    [forged(good), "token_bad_signature"],
    [signToken(claims(), hmac), "token_bad_algorithm"],
    [signToken(claims(), { ...OWN, alg: "none" }), "token_bad_algorithm"],
    [signToken(claims(), { ...OWN, kid: "invented" }), "token_unknown_key"],
    ["no token", "token_malformed"],
  ] as const) {
    const { status, body } = await call(assertion);
    assert.deepEqual([status, body["code"]], [401, "unauthorized"], code);
    assert.ok(body["message"].includes(`(${code}: `), `${code}: ${body["message"]}`);
  }
});

test("the team's cookie, and a person whom hilo.toml does not name, come in nowhere", async () => {
  const cookie = `CF_Authorization=${signToken(claims(), OWN)}`;
  assert.equal((await call(undefined, "", { cookie })).status, 401);
  const { status, body } = await call(signToken(claims({ email: "eve@shop.example" }), OWN));
  assert.equal(status, 401);
  assert.match(body["message"], /add an \[\[admin\]\] with your email/);
});

test("an unknown key is asked for once in a minute, so that invented keys make no flood", async () => {
  await call(signToken(claims(), OWN));
  const before = asked;
  keys = [...keys, jwk("later", later)];
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(signToken(claims(), LATER))));
  assert.ok(answers.every(({ status }) => status === 401));
  assert.equal(asked, before);
});
