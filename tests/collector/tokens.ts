/**
 * User tokens as a shop's backend signs them at login, for specs and for `POST /dev/sign-in` of `cargo xtask dev`.
 *
 * In: claims and a key. Out: a compact JWT, broken where a spec wants it broken. Checks nothing.
 */
import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";

import type { Json } from "./envelopes.ts";
import { DEV_SIGN_IN } from "./mf.ts";
import { spoiled } from "./signatures.ts";

/** A key that signs, and the name and algorithm that the token's header gets. */
export interface SigningKey {
  kid: string;
  alg: string;
  key: KeyObject | string | Buffer;
}

/** The PKCS#8 head of an Ed25519 seed (RFC 8410, 7). */
const ED25519_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private half of the public key in the built-in `hilo.toml`. */
export const DEV_KEY: SigningKey = {
  kid: "development",
  alg: "EdDSA",
  key: createPrivateKey({ key: Buffer.concat([ED25519_HEAD, Buffer.from(DEV_SIGN_IN.seed)]), format: "der", type: "pkcs8" }),
};

/** Claims that the built-in configuration accepts, with the claims of `over` in place of its own. `undefined` removes a claim. */
export function claimsOf(user: string, over: Json = {}): Json {
  const now = Math.floor(Date.now() / 1000);
  return { iss: DEV_SIGN_IN.issuer, aud: "development", sub: user, iat: now, exp: now + 3600, ...over };
}

/** A token of `claims`, signed with the key's algorithm. The fields of `header` replace those of the token's header. */
export function signToken(claims: Json, by: SigningKey = DEV_KEY, header: Json = {}): string {
  const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ typ: "JWT", alg: by.alg, kid: by.kid, ...header })}.${part(claims)}`;
  return `${signed}.${signature(by, Buffer.from(signed)).toString("base64url")}`;
}

/**
 * `token` under a signature that is none. The first character is changed: of a thousand Ed25519 signatures one ends in `AAA`, because the
 * highest bits of its number are zero.
 */
export const forged = (token: string) => token.replace(/[^.]+$/, spoiled);

function signature({ alg, key }: SigningKey, bytes: Buffer): Buffer {
  if (alg === "HS256") return createHmac("sha256", key).update(bytes).digest();
  if (alg === "none") return Buffer.alloc(0);
  const pair = key as KeyObject;
  if (alg === "EdDSA") return sign(null, bytes, pair);
  return sign("sha256", bytes, alg === "ES256" ? { key: pair, dsaEncoding: "ieee-p1363" } : pair);
}

/** `POST /dev/sign-in {"user": "…"}` → `{"token"}`: the backend that the example shop lacks. Signs for any name. */
export async function signIn(request: Request): Promise<Response> {
  if (request.method !== "POST") return Response.json({ error: "not found" }, { status: 404 });
  const { user } = (await request.json().catch(() => ({}))) as { user?: unknown };
  if (typeof user !== "string" || user === "") return Response.json({ error: "send {\"user\": \"…\"}" }, { status: 400 });
  return Response.json({ token: signToken(claimsOf(user)) });
}
