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
 * collector's own codes. A refused token has codes of its own, which begin with `to`, and only
 * with 401 and 403: these drop nothing. A failure (429, 5xx) needs no code: whoever answers, the call
 * waits. The order is the one that compresses best.
 */
const REFUSALS =
  " replica_exhausted origin_refused too_many_lines malformed_body foreign_use too_many_replicas malformed_delta foreign_replica bad_line epoch missing delta_too_large" +
  " inflated_too_large too_many_keys not_yours duplicate_key missing_key wrong_type bad_quantity key_too_long body_too_large unknown_key missing_header key_exposed" +
  " unknown_version bad_order unauthorized missing_field key_revoked reserved_id cart_merged event_too_large too_deep unsupported_encoding other_cart dot_conflict erased" +
  " too_many_dots not_found ";

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
      body: body && host.json(body)!,
      credentials: "include",
      keepalive: !!body,
      signal: AbortSignal.timeout?.(ANSWER_MS)!,
    });
    const retry = response.headers.get("retry-after")!;
    const retryAfterS = /^\d+$/.test(retry) ? +retry : undefined;
    const { status } = response;
    const json = await response.json().catch(() => null);
    // A portal, a firewall or a service worker may answer in the collector's place. A cart has a revision, an opt-in a channel.
    const code = json?.error?.code;
    const isOurs = status === 204 || (json && (status === 200 ? "rev" in json || "channel" in json : REFUSALS.includes(` ${code} `) || /^40[13]to/.test(status + code)));
    if (isOurs) return { status, json, retryAfterS };
    // The collector's own failures have a code, and end by themselves.
    if (status < 429 || !code) host.fail("foreign_answer", `${status} ${response.url}`);
    return { status: 0, json: null, retryAfterS };
  } catch {
    return { status: 0, json: null };
  }
}
