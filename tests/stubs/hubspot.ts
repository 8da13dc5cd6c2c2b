/**
 * HubSpot on this machine: contacts by address, custom events, forms, orders, carts and subscriptions of account 123.
 *
 * A request → the account's new state. Only properties and events that the account defines are taken, as there. A batch with one wrong
 * record fails whole. Tokens of apps live half an hour. The ten-second limit counts what HubSpot counts: events are free.
 */
import { readFileSync } from "node:fs";

import { readHubSpot } from "./reading.ts";
import type { CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { visitIn } from "./visit.ts";

/** Before somebody signs in, there is no contact. */
const VISIT = visitIn(
  {
    page: "pe123_page_viewed",
    "Product Added": "pe123_product_added",
    "Order Completed": "pe123_order_completed",
    "Order Refunded": "pe123_order_refunded",
  },
  "puts an article into the cart",
);

const TOKEN: string = JSON.parse(readFileSync(new URL("../golden/forward/hubspot/secrets.json", import.meta.url), "utf8")).HUBSPOT_TOKEN;
const ACCOUNT = "123";
/** Calls in ten seconds, and events at once. */
const RATE = 100;
const RATE_MS = 10_000;
const CONTACTS_MAX = 100;
const LIFE_S = 1_800;
const CONTACT_PROPERTIES = new Set(
  ("email firstname lastname phone mobilephone address city state zip country company website jobtitle lifecyclestage " +
    "hs_lead_status hs_language plan_tier").split(" "),
);
const OBJECT_PROPERTIES = new Set(
  ("hs_order_name hs_currency_code hs_total_price hs_pipeline hs_pipeline_stage hs_external_order_id hs_cart_name " +
    "hs_external_cart_id").split(" "),
);
const EVENT_PROPERTIES = new Set("order_id cart_id product_id currency total".split(" "));
const FORM_FIELDS = new Set("email firstname lastname phone company".split(" "));

/** What a session brings, beside contacts. */
const SESSION = ["pe123_page_viewed", "pe123_product_added", "pe123_order_completed", "pe123_order_refunded"];

interface Input {
  id: string;
  idProperty?: string;
  properties: Record<string, string>;
  objectWriteTraceId?: string;
}

interface Sent {
  eventName: string;
  email: string;
  uuid?: string;
  properties: Record<string, string>;
}

const refuse = (status: number, category: string, message: string, more: object = {}): StubAnswer =>
  ({ status, body: { status: "error", category, message, correlationId: "stub", ...more } });
const unknown = (name: string) =>
  refuse(400, "VALIDATION_ERROR", `Property "${name}" does not exist`, { errors: [{ code: "PROPERTY_DOESNT_EXIST", message: name }] });

class HubSpot implements Stub {
  readonly kind = "hubspot";
  readonly spec = "hubspot";
  readonly hosts = /^(api\.hubapi\.com|api\.hsforms\.com)$/;
  readonly expects = { granted: SESSION, analytics: SESSION };
  readonly visit = { granted: VISIT, analytics: VISIT };

  readonly #contacts = new Map<string, { id: string; properties: Record<string, string> }>();
  readonly #orders = new Map<string, { id: string; contact: string | undefined; properties: Record<string, string> }>();
  readonly #carts = new Map<string, Record<string, string>>();
  readonly #statuses = new Map<string, { state: string; legalBasis: string | undefined }>();
  readonly #events: { who: string; name: string; uuid: string | undefined; properties: Record<string, string> }[] = [];
  readonly #submissions: { form: string; fields: Record<string, string> }[] = [];
  readonly #arrived: { who: string; what: string }[] = [];
  readonly #deleted = new Set<string>();
  readonly #tokens = new Map<string, number>();
  #window = { from: -Infinity, calls: 0 };
  #last = 1_000;

  #contact(email: string) {
    const known = this.#contacts.get(email) ?? { id: String(++this.#last), properties: {} };
    this.#contacts.set(email, known);
    return known;
  }

  #upsertContacts(inputs: Input[]): StubAnswer {
    if (inputs.length > CONTACTS_MAX) return refuse(400, "VALIDATION_ERROR", "more than 100 inputs");
    const wrong = inputs.flatMap(({ properties }) => Object.keys(properties)).find((name) => !CONTACT_PROPERTIES.has(name));
    if (wrong) return unknown(wrong);
    const bad = inputs.find(({ id, properties }) => id !== id.toLowerCase() || properties["email"] !== id);
    if (bad) return refuse(400, "VALIDATION_ERROR", "the id is not the address");
    const results = inputs.map(({ id, properties, objectWriteTraceId }) => {
      const known = this.#contact(id);
      for (const [name, value] of Object.entries(properties)) {
        if (value === "") delete known.properties[name];
        else known.properties[name] = value;
      }
      return { id: known.id, properties: known.properties, objectWriteTraceId };
    });
    return { status: 200, body: { status: "COMPLETE", results } };
  }

  #upsertCarts(inputs: Input[]): StubAnswer {
    const wrong = inputs.flatMap(({ properties }) => Object.keys(properties)).find((name) => !OBJECT_PROPERTIES.has(name));
    if (wrong) return unknown(wrong);
    for (const { id, properties } of inputs) this.#carts.set(id, { ...this.#carts.get(id), ...properties });
    return { status: 200, body: { status: "COMPLETE", results: inputs.map(({ id }) => ({ id })) } };
  }

  #createOrder(asked: { properties: Record<string, string>; associations: { to: { id: string } }[] }): StubAnswer {
    const wrong = Object.keys(asked.properties).find((name) => !OBJECT_PROPERTIES.has(name));
    if (wrong) return unknown(wrong);
    const number = asked.properties["hs_external_order_id"] ?? "";
    const [association] = asked.associations;
    if (association && ![...this.#contacts.values()].some(({ id }) => id === association.to.id)) {
      return refuse(400, "VALIDATION_ERROR", "no such contact");
    }
    if (this.#orders.has(number)) return refuse(400, "VALIDATION_ERROR", `CONFLICTING_UNIQUE_VALUE: ${number} already has that value`);
    this.#orders.set(number, { id: String(++this.#last), contact: association?.to.id, properties: asked.properties });
    return { status: 201, body: { id: String(this.#last), properties: asked.properties } };
  }

  #changeOrder(number: string, properties: Record<string, string>): StubAnswer {
    const known = this.#orders.get(number);
    if (!known) return refuse(404, "OBJECT_NOT_FOUND", "no such order");
    Object.assign(known.properties, properties);
    return { status: 200, body: { id: known.id, properties: known.properties } };
  }

  #send(inputs: Sent[]): StubAnswer {
    for (const { eventName, properties } of inputs) {
      if (!eventName.startsWith(`pe${ACCOUNT}_`)) return refuse(400, "VALIDATION_ERROR", `no event ${eventName}`);
      const wrong = Object.keys(properties).find((name) => !name.startsWith("hs_") && !EVENT_PROPERTIES.has(name));
      if (wrong) return unknown(wrong);
    }
    for (const { eventName: name, email: who, uuid, properties } of inputs) {
      this.#events.push({ who, name, uuid, properties });
      this.#arrived.push({ who, what: name });
    }
    return { status: 204 };
  }

  #submit(path: string, fields: { name: string; value: string }[]): StubAnswer {
    const [portal, form] = path.split("/").slice(-2);
    const wrong = fields.find(({ name }) => !FORM_FIELDS.has(name));
    const error = portal === ACCOUNT ? wrong && "FIELD_NOT_IN_FORM_DEFINITION" : "INVALID_METADATA";
    if (error) return { status: 400, body: { status: "error", errors: [{ errorType: error }] } };
    this.#submissions.push({ form: form ?? "", fields: Object.fromEntries(fields.map(({ name, value }) => [name, value])) });
    this.#arrived.push({ who: fields.find(({ name }) => name === "email")?.value ?? "", what: "form" });
    return { status: 200, body: { inlineMessage: "" } };
  }

  #write(inputs: { subscriberIdString: string; statusState: string; legalBasis?: string }[]): StubAnswer {
    for (const { subscriberIdString, statusState: state, legalBasis } of inputs) this.#statuses.set(subscriberIdString, { state, legalBasis });
    return { status: 200, body: { status: "COMPLETE", results: inputs } };
  }

  #issue(form: URLSearchParams, now: number): StubAnswer {
    if (!form.get("client_id") || !form.get("client_secret") || !form.get("refresh_token")) {
      return { status: 400, body: { error: "invalid_grant", status: "BAD_REFRESH_TOKEN" } };
    }
    const access_token = `at-${this.#tokens.size + 1}`;
    this.#tokens.set(access_token, now + LIFE_S * 1_000);
    return { status: 200, body: { access_token, refresh_token: form.get("refresh_token"), expires_in: LIFE_S, token_type: "bearer" } };
  }

  /** What is refused before the call is looked at. */
  #closed({ url, headers, now }: StubRequest): StubAnswer | undefined {
    const token = headers["authorization"]?.replace("Bearer ", "") ?? "";
    if (token !== TOKEN && (this.#tokens.get(token) ?? 0) <= now) {
      return refuse(401, this.#tokens.has(token) ? "EXPIRED_AUTHENTICATION" : "INVALID_AUTHENTICATION", "no such token");
    }
    if (now - this.#window.from >= RATE_MS) this.#window = { from: now, calls: 0 };
    if (!url.pathname.startsWith("/events/") && ++this.#window.calls > RATE) {
      return refuse(429, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.", { policyName: "TEN_SECONDLY_ROLLING" });
    }
    return undefined;
  }

  answer(request: StubRequest): StubAnswer {
    const { method, url: { pathname: path }, body, now } = request;
    if (path.startsWith("/oauth/")) return this.#issue(new URLSearchParams(body), now);
    const refused = this.#closed(request);
    if (refused) return refused;
    const told = readHubSpot(request);
    if (told) return told;
    const asked = body ? JSON.parse(body) : {};
    if (path.endsWith("/contacts/batch/upsert")) return this.#upsertContacts(asked.inputs);
    if (path.endsWith("/carts/batch/upsert")) return this.#upsertCarts(asked.inputs);
    if (path.endsWith("/orders") && method === "POST") return this.#createOrder(asked);
    if (path.includes("/orders/") && method === "PATCH") return this.#changeOrder(decodeURIComponent(path.split("/").at(-1)!), asked.properties);
    if (path.endsWith("/send/batch")) return this.#send(asked.inputs);
    if (path.endsWith("/statuses/batch/write")) return this.#write(asked.inputs);
    if (path.includes("/submit/")) return this.#submit(path, asked.fields);
    if (path.endsWith("/contacts/gdpr-delete")) {
      if (!this.#contacts.delete(asked.objectId)) return refuse(404, "OBJECT_NOT_FOUND", "no such contact");
      this.#deleted.add(asked.objectId);
      return { status: 204 };
    }
    return refuse(404, "NOT_FOUND", "no such path");
  }

  arrived() {
    return this.#arrived;
  }

  deleted(who: string) {
    return this.#deleted.has(who);
  }

  state() {
    const named = <T>(map: Map<string, T>) => Object.fromEntries(map);
    return {
      contacts: named(this.#contacts),
      orders: named(this.#orders),
      carts: named(this.#carts),
      statuses: named(this.#statuses),
      events: this.#events,
      submissions: this.#submissions,
      deleted: [...this.#deleted],
    };
  }
}

export const create: CreateStub = () => new HubSpot();
