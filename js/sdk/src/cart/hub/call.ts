/**
 * Calls to the collector. Each call carries the key, the token and, where cookies do not reach, the capability. Decides nothing.
 */
import { host } from "../host.ts";
import { ANSWER_MS } from "../limits.ts";
import { quietly } from "../storage/store.ts";
import { head } from "../storage/stored.ts";
import { token } from "./token.ts";

/** The collector's answer: status 0 where none came of its own. What `json` holds is the caller's claim; nobody has checked it. */
export interface Answer<Body> {
  status: number;
  json: Body | null;
  retryAfterS?: number | undefined;
}

/**
 * The codes that the collector refuses a page's call with. A test of `hilo-collector/src/calls/refused.rs` compares the list with the
 * collector's own codes. A failure (429, 5xx) needs no code: whoever answers, the call waits.
 */
const REFUSALS =
  " malformed_body body_too_large inflated_too_large event_too_large delta_too_large malformed_delta too_many_keys too_many_lines too_many_dots too_many_replicas key_too_long too_deep" +
  " duplicate_key missing_key unknown_key unknown_version key_revoked key_exposed missing_field missing_header missing wrong_type reserved_id origin_refused not_yours erased not_found unauthorized" +
  " token_malformed token_unknown_key token_bad_algorithm token_bad_signature token_bad_subject token_expired token_not_yet token_long_lived token_wrong_issuer token_wrong_audience token_missing_scope" +
  " foreign_replica foreign_use replica_exhausted bad_line bad_quantity bad_order dot_conflict other_cart cart_merged epoch unsupported_encoding ";

/** What opens a guest's cart beside a cookie: the device's capability, or the wish for one where no cookie reaches the collector. */
function capability() {
  const isForeign = new URL(host.endpoint, location.href).origin !== location.origin || !navigator.cookieEnabled;
  return head.capability || (isForeign && !token ? "new" : "");
}

/** One call to the collector; `proof` is the token of whom it is about. Never rejects. */
export async function call<Body>(method: string, path: string, body?: object, proof = token): Promise<Answer<Body>> {
  try {
    const headers: Record<string, string> = { "x-hilo": "1", authorization: `Bearer ${host.key}` };
    if (proof) headers["x-hilo-user-token"] = proof;
    const opener = capability();
    if (opener) headers["x-hilo-cart-token"] = opener;
    // Where no cookie does, the tracker keeps the proof of the visitor's id: in storage for all tabs or, where that is blocked, on its page.
    const idProof = quietly(() => localStorage["hilo.p"] as string) || host.idProof();
    if (idProof && idProof !== "new") headers["x-hilo-auth"] = idProof;
    if (body) headers["content-type"] = "application/json";
    const response = await fetch(host.endpoint + path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      credentials: "include",
      keepalive: !!body,
      signal: AbortSignal.timeout?.(ANSWER_MS) ?? null,
    });
    const retry = response.headers.get("retry-after") ?? "";
    const retryAfterS = /^\d+$/.test(retry) ? +retry : undefined;
    const { status } = response;
    const json = await response.json().catch(() => null);
    // A portal, a firewall or a service worker may answer in the collector's place. A cart has a revision, an opt-in a channel.
    const code = json?.error?.code;
    const isOurs = status === 204 || (json && (status === 200 ? "rev" in json || "channel" in json : REFUSALS.includes(` ${code} `)));
    if (isOurs) return { status, json, retryAfterS };
    // The collector's own failures have a code, and end by themselves.
    if (status < 429 || !code) host.fail("foreign_answer", `${status} ${response.url}`);
    return { status: 0, json: null, retryAfterS };
  } catch {
    return { status: 0, json: null };
  }
}
