/**
 * Calls to the collector: the key, the token and, where cookies do not reach, the capability go with each. Decides nothing.
 */
import type { Token } from "./token.ts";

type Json = any;

const TIMEOUT_MS = 10_000;

/** What came back: status 0 where nothing did. */
export interface Answer {
  status: number;
  json: Json;
  retryAfterS?: number | undefined;
}

/** One call to the collector. Never rejects. */
export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Calls with the key, the token and, where cookies do not reach, the capability. */
export function caller(endpoint: string, key: string, token: Token, capability: () => string): Call {
  return async (method, path, body) => {
    try {
      const headers: Record<string, string> = { "x-hilo": "1", authorization: `Bearer ${key}` };
      if (token.get()) headers["x-hilo-user"] = token.get();
      if (capability()) headers["x-hilo-cart"] = capability();
      if (body) headers["content-type"] = "application/json";
      const response = await fetch(endpoint + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials: "include",
        keepalive: method === "POST",
        signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
      });
      const retry = response.headers.get("retry-after") ?? "";
      const json = await response.json().catch(() => null);
      return { status: response.status, json, retryAfterS: /^\d+$/.test(retry) ? +retry : undefined };
    } catch {
      return { status: 0, json: null };
    }
  };
}
