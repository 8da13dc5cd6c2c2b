/**
 * Small valid envelopes for specs, posted as a page of the shop posts them.
 */
import { randomUUID } from "node:crypto";

import type { Collector } from "./mf.ts";

/** JSON of any shape. */
export type Json = Record<string, any>;

/** A consent that allows analytics. */
export const GRANTED = { categoryPreferences: { functional: true, analytics: true }, revision: 1 };

/** A page view of `anonymousId`, with the fields of `over` in place of its own. */
export function pageView(anonymousId: string, over: Json = {}): Json {
  return {
    type: "page",
    messageId: randomUUID(),
    anonymousId,
    timestamp: new Date().toISOString(),
    properties: {},
    context: { page: { url: "https://shop.example/", path: "/", title: "Shop" } },
    ...over,
  };
}

/** An envelope around `batch`. */
export function envelope(batch: unknown[], over: Json = {}): Json {
  return { writeKey: "wk_shop", sentAt: new Date().toISOString(), context: { consent: GRANTED }, batch, ...over };
}

/** An answer and its JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

/** Posts as a page of the collector's own host does, and reads the answer. */
export async function post(collector: Collector, path: string, body: Json | string | Uint8Array, headers: Json = {}): Promise<Answer> {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const all: Json = { origin: collector.url, "content-type": "text/plain", ...headers };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  const response = await collector.fetch(path, { method: "POST", headers: all, body: bytes as BodyInit });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

/** Posts a batch. */
export function send(collector: Collector, batch: unknown[], over: Json = {}): Promise<Answer> {
  return post(collector, "/_h/v1/batch", envelope(batch, over));
}

/** The id cookie of each visitor's browser. */
const cookies = new Map<string, string>();

/** The id cookie as the browser of `anonymousId` sends it. */
export const cookieOf = (anonymousId: string) => cookies.get(anonymousId);

/** Posts a call for `anonymousId` as its browser does, which keeps the id cookie. */
export async function postAs(collector: Collector, anonymousId: string, path: string, body: Json, headers: Json = {}): Promise<Answer> {
  const answer = await post(collector, path, { writeKey: "wk_shop", ...body }, { "x-hilo": "1", cookie: cookieOf(anonymousId), ...headers });
  const [, pair, value] = /^(hilo=([^;]*))/.exec(answer.headers.get("set-cookie") ?? "") ?? [];
  if (value) cookies.set(anonymousId, pair!);
  if (value === "") cookies.delete(anonymousId);
  return answer;
}

/** The first call of a visitor's first page: the collector binds the new id to the browser's cookie. */
export const hello = (collector: Collector, anonymousId: string) =>
  postAs(collector, anonymousId, "/_h/v1/hello", { spareId: anonymousId, consent: GRANTED });

/** Posts a consent change as the tracker does. `base` is the recorded revision that the page knew. */
export function decide(collector: Collector, anonymousId: string, base: number, choices: Record<string, "granted" | "denied">, over: Json = {}): Promise<Answer> {
  const at = new Date().toISOString();
  const changes = Object.entries(choices).map(([purpose, state]) => ({ purpose, state, at, method: "api" }));
  const consent = { base, changes, notice: { version: "1" } };
  return postAs(collector, anonymousId, "/_h/v1/consent", { sentAt: at, anonymousId, consent, ...over });
}

/** Everything in a profile's timeline, newest first. */
export async function timeline(collector: Collector, anonymousId: string): Promise<Json[]> {
  const events: Json[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const page = await collector.admin(`/admin/v1/profiles/a:${anonymousId}/events${query}`);
    events.push(...page.events);
    cursor = page.next;
  } while (cursor !== null);
  return events;
}

/** The codes of an answer's rejected items, by index. */
export function codes(answer: Answer): Record<number, string> {
  return Object.fromEntries(answer.body["rejected"].map((item: Json) => [item["index"], item["code"]]));
}
