/**
 * Promise: a user token counts only if the shop's own backend signed it with the algorithm that `hilo.toml` pins for its key.
 * Every other token is refused with a code that names the reason, stands in the reject log, and leaves no trace in a profile.
 */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { after, test } from "node:test";

import { type Answer, type Json, post } from "./envelopes.ts";
import { configWith, rejectLog, startCollector } from "./mf.ts";
import { claimsOf, DEV_KEY, signToken, type SigningKey } from "./tokens.ts";

const SECRET = "a secret of thirty-two bytes or more";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ed25519");

const pem = (key: KeyObject) => createPublicKey(key.export({ type: "pkcs8", format: "pem" })).export({ type: "spki", format: "pem" }) as string;
const RS256: SigningKey = { kid: "rsa", alg: "RS256", key: rsa.privateKey };
const ES256: SigningKey = { kid: "ec", alg: "ES256", key: ec.privateKey };
const HS256: SigningKey = { kid: "shared", alg: "HS256", key: SECRET };

const config = `${configWith("http://127.0.0.1:9/")}
[[identity.key]]
kid = "rsa"
alg = "RS256"
public_key = """${pem(rsa.privateKey)}"""

[[identity.key]]
kid = "ec"
alg = "ES256"
public_key = '${JSON.stringify(ec.publicKey.export({ format: "jwk" }))}'

[[identity.key]]
kid = "shared"
alg = "HS256"
secret = { secret = "TOKEN_SECRET" }
`;
const collector = await startCollector({ config, vars: { TOKEN_SECRET: SECRET } });
after(() => collector.dispose());

let users = 0;
const optIn = (token: string | undefined): Promise<Answer> => {
  const body = { writeKey: "wk_shop", channel: "sms", state: "subscribed", text: "Write to me.", version: "1" };
  return post(collector, "/_h/v1/optin", body, { "x-hilo": "1", "x-hilo-user-token": token });
};
const known = async (user: string) => (await collector.admin(`/admin/v1/profiles/${encodeURIComponent(`u:${user}`)}`)).known;

async function refused(token: string, code: string, status = 401) {
  const answer = await optIn(token);
  assert.deepEqual([answer.status, answer.body["error"]?.code], [status, code]);
  await rejectLog(collector, (rejects) => rejects.some((reject) => reject.code === code));
}

/** Asserts that `token` is refused, and that nothing is kept about the user it names. */
async function forged(make: (user: string) => string, code: string) {
  const user = `user-${++users}`;
  await refused(make(user), code);
  assert.equal(await known(user), false);
}

for (const by of [DEV_KEY, ES256, RS256, HS256]) {
  test(`${by.alg}: a token of the right key is accepted twice`, async () => {
    const user = `good-${by.alg}`;
    for (const _ of [1, 2]) assert.equal((await optIn(signToken(claimsOf(user), by))).status, 200);
    assert.equal(await known(user), true);
  });

  test(`${by.alg}: a token with a changed claim, a changed header or another signature is refused`, async () => {
    const [header, , signature] = signToken(claimsOf("somebody"), by).split(".");
    await forged((user) => `${header}.${Buffer.from(JSON.stringify(claimsOf(user))).toString("base64url")}.${signature}`, "token_bad_signature");
    await forged((user) => `${signToken(claimsOf(user), by).split(".").slice(0, 2).join(".")}.${signature}`, "token_bad_signature");
    await forged((user) => signToken(claimsOf(user), by).replace(/\.[^.]*$/, "."), "token_bad_signature");
  });
}

test("a token of a key that hilo.toml does not list is refused", async () => {
  await forged((user) => signToken(claimsOf(user), { ...DEV_KEY, key: stranger.privateKey }), "token_bad_signature");
});

test("a token cannot choose the algorithm of its key", async () => {
  for (const alg of ["none", "None", "NONE", "", "HS384"]) {
    await forged((user) => signToken(claimsOf(user), { ...DEV_KEY, alg: "none" }, { alg }), "token_bad_algorithm");
  }
  // A well-known attack: the public key, which everybody has, used as the secret of an HMAC.
  const text = pem(rsa.privateKey);
  const der = createPublicKey(text).export({ type: "spki", format: "der" });
  for (const key of [text, text.trim(), der]) {
    await forged((user) => signToken(claimsOf(user), { kid: "rsa", alg: "HS256", key }), "token_bad_algorithm");
    await forged((user) => signToken(claimsOf(user), { kid: "shared", alg: "HS256", key }), "token_bad_signature");
  }
  await forged((user) => signToken(claimsOf(user), { ...RS256, kid: "ec" }), "token_bad_algorithm");
  await forged((user) => signToken(claimsOf(user), { ...RS256, kid: "ec" }, { alg: "ES256" }), "token_bad_signature");
});

test("a key is looked up by its name and never fetched from an address in the token", async () => {
  for (const kid of ["other", "", "../../etc/passwd", "https://evil.example/jwks.json", "rsa'; DROP TABLE optins; --", "__proto__"]) {
    await forged((user) => signToken(claimsOf(user), RS256, { kid }), "token_unknown_key");
  }
  await forged((user) => signToken(claimsOf(user), RS256, { kid: undefined }), "token_unknown_key");
  await forged((user) => signToken(claimsOf(user), RS256, { kid: ["rsa"] }), "token_unknown_key");
  const own = { ...DEV_KEY, key: stranger.privateKey };
  const carried = { jwk: stranger.publicKey.export({ format: "jwk" }), jku: "https://evil.example/jwks.json", x5u: "https://evil.example/" };
  await forged((user) => signToken(claimsOf(user), own, carried), "token_bad_signature");
  await forged((user) => signToken(claimsOf(user), DEV_KEY, { crit: ["b64"], b64: false }), "token_malformed");
});

test("a token of another issuer, environment or time, or without a user, is refused", async () => {
  const now = Math.floor(Date.now() / 1000);
  const check = (over: Json, code: string) => forged((user) => signToken(claimsOf(user, over)), code);
  await check({ iss: "https://evil.example" }, "token_wrong_issuer");
  await check({ iss: undefined }, "token_wrong_issuer");
  await check({ aud: "production" }, "token_wrong_audience");
  await check({ aud: [] }, "token_wrong_audience");
  await check({ aud: undefined }, "token_wrong_audience");
  await check({ iat: now - 7200, exp: now - 61 }, "token_expired");
  await check({ iat: now + 120 }, "token_not_yet");
  await check({ nbf: now + 120 }, "token_not_yet");
  await check({ exp: now + 86_400 + 5 }, "token_long_lived");
  await check({ exp: 1e300 }, "token_long_lived");
  await check({ exp: undefined }, "token_malformed");
  await check({ iat: undefined }, "token_malformed");
  for (const sub of ["", "null", "undefined", "guest", "anonymous", "0", "[object Object]", " u", "u\n", "x".repeat(129), 42, null, undefined]) {
    await refused(signToken(claimsOf("", { sub })), "token_bad_subject");
  }
});

test("a token whose scope lacks what a call needs is refused", async () => {
  const answer = await optIn(signToken(claimsOf("scoped", { scope: "cart" })));
  assert.deepEqual([answer.status, answer.body["error"].code], [403, "token_missing_scope"]);
  assert.equal(await known("scoped"), false);
  assert.equal((await optIn(signToken(claimsOf("scoped", { scope: "cart profile" })))).status, 200);
});

test("a text that is no token is refused", async () => {
  const whole = signToken(claimsOf("whole"));
  const [header, claims] = whole.split(".");
  const long = signToken(claimsOf("long", { filler: "x".repeat(4_096) }));
  for (const text of ["a", "a.b", "..", `${whole}.${whole}`, `${whole}=`, whole.slice(2), `${header}.${claims}`, `Bearer ${whole}`, long]) {
    await refused(text, "token_malformed");
  }
  // 86 characters decode to 64 bytes, and the first 84 of them to 63 bytes.
  await refused(whole.slice(0, -2), "token_bad_signature");
  const twice = Buffer.from('{"alg":"none","alg":"EdDSA","kid":"development"}').toString("base64url");
  await refused(`${twice}.${claims}.AAAA`, "token_malformed");
});

test("a development key verifies nothing outside of development", async () => {
  const other = await startCollector({ config: configWith("https://hooks.example/"), vars: { HILO_DEV: undefined } });
  try {
    const body = { writeKey: "wk_shop", channel: "email", state: "unsubscribed" };
    const answer = await post(other, "/v1/optin", body, { origin: undefined, "x-hilo": "1", "x-hilo-user-token": signToken(claimsOf("u")) });
    assert.deepEqual([answer.status, answer.body["error"].code], [401, "token_unknown_key"]);
  } finally {
    await other.dispose();
  }
});
