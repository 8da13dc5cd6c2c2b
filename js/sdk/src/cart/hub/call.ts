/**
 * Calls to the collector. Each call carries the key, the token and, where cookies do not reach, the capability. Decides nothing.
 */
import { host } from "../host.ts";
import { ANSWER_MS } from "../limits.ts";
import { head } from "../storage/stored.ts";
import { token } from "./token.ts";

/** The collector's answer: status 0 where none came of its own. What `json` holds is the caller's claim; nobody has checked it. */
export interface Answer<Body> {
  status: number;
  json: Body | null;
  retryAfterS?: number | undefined;
}

/** What opens a guest's cart beside a cookie: the device's capability, or the wish for one where no cookie reaches the collector. */
function capability() {
  const isForeign = new URL(host.endpoint, location.href).origin !== location.origin || !navigator.cookieEnabled;
  return head.capability || (isForeign && !token ? "new" : "");
}

/** One call to the collector; `proof` is the token of whom it is about. Never rejects. */
export async function call<Body>(method: string, path: string, body?: object, proof = token): Promise<Answer<Body>> {
  try {
    const headers: Record<string, string> = { "x-hilo": "1", authorization: `Bearer ${host.key}` };
    if (proof) headers["x-hilo-user"] = proof;
    const opener = capability();
    if (opener) headers["x-hilo-cart"] = opener;
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
    const isOurs = status === 204 || (json && (status === 200 ? "rev" in json || "channel" in json : /^[a-z_]+$/.test(json.error?.code ?? 0)));
    return isOurs ? { status, json, retryAfterS } : { status: 0, json: null, retryAfterS };
  } catch {
    return { status: 0, json: null };
  }
}
