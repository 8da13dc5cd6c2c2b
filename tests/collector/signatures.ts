/**
 * What visitors carry, taken apart and signed as the collector does (`keyring.rs`). A spec that forges a text must get everything right but
 * the one thing that it tries.
 */
import { createHmac } from "node:crypto";

import { DEV_SECRETS } from "./mf.ts";

/** Signs `text` for one use: `<text>.<number of the secret>.<HMAC>`. */
export function sign(text: string, use: "cookie" | "cart" | "ticket" | "erasure", secret = DEV_SECRETS.HILO_SECRET, number = 0): string {
  const tag = createHmac("sha256", secret).update(`${use}:${number}:${text}`).digest("base64url");
  return `${text}.${number}.${tag}`;
}

/** The parts of an id's proof: `v2.<id>.<proof>.<issued>.<key>.<HMAC>`. */
export function proofParts(value: string): Record<"version" | "id" | "proof" | "issued" | "key" | "tag", string> {
  const [version, id, proof, issued, key, tag] = value.split(".") as [string, string, string, string, string, string];
  return { version, id, proof, issued, key, tag };
}

/** `text` with another character at its beginning, of the same alphabet. */
export const spoiled = (text: string) => text.replace(/^./, (c) => (c === "a" ? "b" : "a"));
