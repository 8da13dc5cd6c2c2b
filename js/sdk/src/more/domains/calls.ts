/**
 * What both halves of the hand-over share: which hosts are the owner's, and the two calls of the collector.
 */
import type { Host } from "../host.ts";

/** What stands before a token in an address. `index.ts` and `page.ts` have the same. */
export const TOKEN_MARK = "#hilo=";

/** Whether `host` stands in the site's list: a name counts for itself, `*.example.org` for one label in the place of the star. */
export const isListed = (host: string, domains: unknown) =>
  !!host && `${domains ?? ""}`.split(/[\s,]+/).some((name) => name === host || (name.startsWith("*.") && host.replace(/^[^.]+/, "*") === name));

/** The answer of a call; status 0 for none. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** One call. `proof` is the token that proves the visitor's id where no cookie does, or the wish for one. Never rejects. */
export async function call({ shop: { host }, json }: Host, name: string, body: object, proof: string, signal?: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(`${host.endpoint}/v1/${name}`, {
      method: "POST",
      body: json({ writeKey: host.key, ...body })!,
      credentials: "include",
      headers: { "x-hilo": "1", ...(proof && { "x-hilo-auth": proof }) },
      signal: signal ?? null,
    });
    return { status: response.status, body: (await response.json().catch(() => null)) ?? {} };
  } catch {
    return { status: 0, body: {} };
  }
}
