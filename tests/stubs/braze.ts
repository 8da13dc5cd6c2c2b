/**
 * Braze on this machine: profiles by user, alias or address, and every event that it gets, also one that it has already.
 *
 * A request → profiles, events, subscriptions. What Braze drops silently is dropped here and counted: an alias that may only be updated.
 * Parts that it cannot use are named by array and index in a 201, and the rest is kept.
 */
import { readFileSync } from "node:fs";

import type { CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { NAMED_ACTS, visitIn } from "./visit.ts";

const VISIT = visitIn({
  ...NAMED_ACTS,
  page: "Page Viewed",
  "Product Viewed": "ecommerce.product_viewed",
  "Checkout Started": "ecommerce.checkout_started",
  "Order Completed": "ecommerce.order_placed",
  "Order Refunded": "ecommerce.order_refunded",
});

const KEY: string = JSON.parse(readFileSync(new URL("../golden/forward/braze/secrets.json", import.meta.url), "utf8")).BRAZE_KEY;
/** The cluster of the company. Any other one does not know its key. */
const HOME = "rest.fra-01.braze.eu";
/** Requests in three seconds, of a company. */
const RATE = 3_000;
const RATE_MS = 3_000;
const TEXT_MAX = 255;
const PROPERTIES_BYTES_MAX = 50 * 1024;
const IDENTIFIERS = new Set(["external_id", "user_alias", "_update_existing_only"]);

/** What a session brings. Attributes are no events. */
const SESSION = ["Page Viewed", "Product Added", "Lead Submitted", "ecommerce.order_placed", "ecommerce.order_refunded"];

interface Alias {
  alias_name: string;
  alias_label: string;
}

interface Item extends Record<string, unknown> {
  external_id?: string;
  user_alias?: Alias;
  email?: string;
  _update_existing_only?: boolean;
}

interface Profile {
  ids: string[];
  attributes: Record<string, unknown>;
}

const aliasId = ({ alias_name, alias_label }: Alias) => `${alias_label}:${alias_name}`;
const idOf = (item: Item): string => item.external_id ?? (item.user_alias ? aliasId(item.user_alias) : item.email ?? "");
const unauthorized: StubAnswer = { status: 401, body: { message: "Invalid API Key" } };

class Braze implements Stub {
  readonly kind = "braze";
  readonly spec = "braze";
  readonly hosts = /^rest\.[a-z0-9-]+\.braze\.(com|eu)$/;
  readonly assumesSent = true;
  readonly expects = { granted: SESSION, analytics: SESSION };
  readonly visit = { granted: VISIT, analytics: VISIT };

  readonly #profiles: Profile[] = [];
  readonly #events: { who: string; name: string; time: string; properties: Record<string, unknown> }[] = [];
  readonly #dropped: string[] = [];
  readonly #deleted = new Set<string>();
  #window = { from: -Infinity, requests: 0 };

  #find(id: string) {
    return this.#profiles.find((profile) => profile.ids.includes(id));
  }

  #profileOf(item: Item): Profile | undefined {
    const known = this.#find(idOf(item));
    if (known) return known;
    // The default for aliases is true: nothing is made, and nobody is told.
    if (item.user_alias && item._update_existing_only !== false) return void this.#dropped.push(idOf(item));
    const made = { ids: [idOf(item)], attributes: {} };
    this.#profiles.push(made);
    return made;
  }

  /** Why Braze cannot use an event, if it cannot. */
  #fault(event: Item): string | undefined {
    const properties = (event["properties"] ?? {}) as Record<string, unknown>;
    if (Buffer.byteLength(JSON.stringify(properties)) > PROPERTIES_BYTES_MAX) return "'properties' is too large";
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("$") || name.length > TEXT_MAX) return `'${name}' is no name of a property`;
      if (typeof value === "string" && value.length > TEXT_MAX) return `'${name}' is too long`;
    }
    return undefined;
  }

  #track(body: { attributes?: Item[]; events?: Item[] }): StubAnswer {
    const errors: { type: string; input_array: string; index: number }[] = [];
    for (const item of body.attributes ?? []) {
      const profile = this.#profileOf(item);
      for (const [name, value] of Object.entries(item)) {
        if (!profile || IDENTIFIERS.has(name)) continue;
        if (value === null) delete profile.attributes[name];
        else profile.attributes[name] = value;
      }
    }
    (body.events ?? []).forEach((event, index) => {
      const why = this.#fault(event);
      if (why) return void errors.push({ type: why, input_array: "events", index });
      if (!this.#profileOf(event)) return;
      const { name, time, properties } = event as unknown as { name: string; time: string; properties?: Record<string, unknown> };
      this.#events.push({ who: idOf(event), name, time, properties: properties ?? {} });
    });
    const counts = { attributes_processed: body.attributes?.length ?? 0, events_processed: body.events?.length ?? 0 };
    return { status: 201, body: { message: "success", ...counts, ...(errors.length > 0 && { errors }) } };
  }

  #identify(body: { aliases_to_identify?: { external_id: string; user_alias: Alias }[] }): StubAnswer {
    for (const { external_id, user_alias } of body.aliases_to_identify ?? []) {
      const [alias, user] = [this.#find(aliasId(user_alias)), this.#find(external_id)];
      if (!alias || alias === user) continue;
      if (!user) {
        alias.ids.push(external_id);
        continue;
      }
      this.#profiles.splice(this.#profiles.indexOf(alias), 1);
      user.ids.push(...alias.ids);
      user.attributes = { ...alias.attributes, ...user.attributes };
    }
    return { status: 201, body: { aliases_processed: body.aliases_to_identify?.length ?? 0, message: "success" } };
  }

  #remove(body: { external_ids?: string[]; user_aliases?: Alias[] }): StubAnswer {
    const ids = [...(body.external_ids ?? []), ...(body.user_aliases ?? []).map(aliasId)];
    const gone = this.#profiles.filter((profile) => profile.ids.some((id) => ids.includes(id)));
    const names = new Set(gone.flatMap((profile) => profile.ids).concat(ids));
    for (const name of names) this.#deleted.add(name);
    for (const profile of gone) this.#profiles.splice(this.#profiles.indexOf(profile), 1);
    for (let at = this.#events.length - 1; at >= 0; at--) if (names.has(this.#events[at]!.who)) this.#events.splice(at, 1);
    return { status: 200, body: { deleted: gone.length, message: "success" } };
  }

  answer({ url, headers, body, now }: StubRequest): StubAnswer {
    if (url.hostname !== HOME || headers["authorization"] !== `Bearer ${KEY}`) return unauthorized;
    if (now - this.#window.from >= RATE_MS) this.#window = { from: now, requests: 0 };
    if (++this.#window.requests > RATE) {
      return { status: 429, headers: { "x-ratelimit-retry-after": "3" }, body: { message: "Rate limit exceeded" } };
    }
    const asked = JSON.parse(body);
    switch (url.pathname) {
      case "/users/track": return this.#track(asked);
      case "/users/identify": return this.#identify(asked);
      case "/users/delete": return this.#remove(asked);
      default: return { status: 404, body: { message: "Not found" } };
    }
  }

  arrived() {
    return this.#events.map(({ who, name }) => ({ who, what: name }));
  }

  deleted(who: string) {
    return this.#deleted.has(who);
  }

  state() {
    return { profiles: this.#profiles, events: this.#events, dropped: this.#dropped, deleted: [...this.#deleted] };
  }
}

export const create: CreateStub = () => new Braze();
