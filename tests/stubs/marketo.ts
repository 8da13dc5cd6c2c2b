/**
 * Marketo on this machine: leads, custom activities, orders and forms of the instance 123-ABC-456.
 *
 * A request → the instance's new state. The status is 200 for almost everything, and codes tell what is wrong. A second activity is a
 * second one. The token endpoint gives the same token until it has ended, with less life each time.
 */
import { readFileSync } from "node:fs";

import { readMarketo } from "./reading.ts";
import type { CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { visitIn } from "./visit.ts";

/** Before somebody signs in, there is no lead. */
const VISIT = visitIn(
  {
    page: "activity 100001",
    "Product Added": "activity 100002",
    "Order Completed": ["activity 100004", "order completed"],
    "Order Refunded": "order refunded",
  },
  "puts an article into the cart",
);

const secrets = JSON.parse(readFileSync(new URL("../golden/forward/marketo/secrets.json", import.meta.url), "utf8"));
const HOST = "123-abc-456.mktorest.com";
const LIFE_MS = 3_600_000;
/** Calls in twenty seconds. */
const RATE = 100;
const RATE_MS = 20_000;
const RECORDS_MAX = 300;
const BODY_BYTES_MAX = 1024 * 1024;
const LEAD_FIELDS = new Set(
  ("email firstName lastName phone title address city state postalCode country unsubscribed doNotCall planTier__c").split(" "),
);
const ORDER_FIELDS = new Set("orderId leadEmail total currency status couponCode".split(" "));
const TYPES = new Set([100001, 100002, 100003, 100004]);

/** What a session brings, beside leads. */
const SESSION = ["activity 100001", "activity 100002", "order completed", "activity 100004", "order refunded"];

type Fields = Record<string, unknown>;
type Activity = Fields & { leadId: number; activityTypeId: number };

const skipped = (code: string, message: string) => ({ status: "skipped", reasons: [{ code, message }] });
const unknownField = (record: Fields, known: Set<string>) => Object.keys(record).find((name) => !known.has(name));

class Marketo implements Stub {
  readonly kind = "marketo";
  readonly spec = "marketo";
  readonly hosts = /^\d{3}-[a-z]{3}-\d{3}\.mktorest\.com$/;
  readonly assumesSent = true;
  readonly expects = { granted: SESSION, analytics: SESSION };
  readonly visit = { granted: VISIT, analytics: VISIT };

  readonly #leads = new Map<string, Fields & { id: number }>();
  readonly #orders = new Map<string, Fields>();
  readonly #activities: Activity[] = [];
  readonly #submissions: { formId: number; fields: Fields }[] = [];
  readonly #arrived: { who: string; what: string }[] = [];
  #token = { value: "", until: 0, count: 0 };
  #window = { from: -Infinity, calls: 0 };
  #requests = 0;

  #reply(more: object): StubAnswer {
    return { status: 200, body: { requestId: `stub#${++this.#requests}`, ...more } };
  }

  #refuse(code: string, message: string) {
    return this.#reply({ success: false, errors: [{ code, message }] });
  }

  #issue(url: URL, now: number): StubAnswer {
    if (url.searchParams.get("client_id") !== secrets.MARKETO_ID || url.searchParams.get("client_secret") !== secrets.MARKETO_SECRET) {
      return { status: 401, body: { error: "unauthorized", error_description: "No client with requested id" } };
    }
    if (this.#token.until <= now) this.#token = { value: `mk-${this.#token.count + 1}`, until: now + LIFE_MS, count: this.#token.count + 1 };
    const expires_in = Math.floor((this.#token.until - now) / 1_000);
    return { status: 200, body: { access_token: this.#token.value, token_type: "bearer", expires_in, scope: "api@shop.example" } };
  }

  #syncLead(input: Fields) {
    const email = input["email"];
    if (typeof email !== "string") return skipped("1003", "the lookup field is missing");
    const wrong = unknownField(input, LEAD_FIELDS);
    if (wrong) return skipped("1006", `Field '${wrong}' not found`);
    const known = this.#leads.get(email);
    const id = known?.id ?? 1_001 + this.#leads.size;
    this.#leads.set(email, { ...known, ...input, id });
    return { id, status: known ? "updated" : "created" };
  }

  #syncOrder(input: Fields, action: string) {
    const id = input["orderId"];
    if (typeof id !== "string") return skipped("1003", "the dedupe field is missing");
    const wrong = unknownField(input, ORDER_FIELDS);
    if (wrong) return skipped("1006", `Field '${wrong}' not found`);
    const known = this.#orders.get(id);
    if (!known && action === "updateOnly") return skipped("1013", "Object not found");
    if (known && action === "createOnly") return skipped("1017", "Object already exists");
    const order: Fields = { ...known, ...input };
    if (known?.["status"] !== order["status"]) this.#arrived.push({ who: String(order["leadEmail"]), what: `order ${order["status"]}` });
    this.#orders.set(id, order);
    return { status: known ? "updated" : "created", marketoGUID: `guid-${id}` };
  }

  #addActivity(input: Activity) {
    const lead = [...this.#leads.values()].find(({ id }) => id === input.leadId);
    if (!lead) return skipped("1004", "Lead not found");
    if (!TYPES.has(input.activityTypeId)) return skipped("1003", "no such activity type");
    if (!input["primaryAttributeValue"]) return skipped("1002", "the primary attribute is missing");
    this.#activities.push(input);
    this.#arrived.push({ who: String(lead["email"]), what: `activity ${input.activityTypeId}` });
    return { id: this.#activities.length, status: "added" };
  }

  #submit(formId: number, [{ leadFormFields: fields }]: [{ leadFormFields: Fields }]): StubAnswer {
    const lead = this.#syncLead(fields);
    if ("id" in lead) this.#submissions.push({ formId, fields });
    return this.#reply({ success: true, result: [lead] });
  }

  /** What is refused before the call is looked at. */
  #closed({ method, url, headers, body, now }: StubRequest): StubAnswer | undefined {
    const shown = headers["authorization"]?.replace("Bearer ", "");
    if (url.hostname !== HOST) return { status: 404, body: "" };
    if (Buffer.byteLength(body) > BODY_BYTES_MAX) return { status: 413, body: "" };
    if (url.searchParams.has("access_token")) return this.#refuse("600", "Access token in the query");
    if (!shown || shown !== this.#token.value) return this.#refuse("601", "Access token invalid");
    if (this.#token.until <= now) return this.#refuse("602", "Access token expired");
    if (method !== "GET" && headers["content-type"] !== "application/json") return this.#refuse("612", "Invalid content type");
    if (now - this.#window.from >= RATE_MS) this.#window = { from: now, calls: 0 };
    if (++this.#window.calls > RATE) return this.#refuse("606", "Max rate limit '100' exceeded with in '20' secs");
    return undefined;
  }

  answer(request: StubRequest): StubAnswer {
    const { url, body, now } = request;
    if (url.pathname === "/identity/oauth/token") return this.#issue(url, now);
    const refused = this.#closed(request);
    if (refused) return refused;
    const told = readMarketo(request);
    if (told) return told;
    const { action, input, formId } = JSON.parse(body);
    if (input.length > RECORDS_MAX) return this.#refuse("1003", "more than 300 records");
    const each = (take: (record: any) => object) => this.#reply({ success: true, result: input.map(take) });
    switch (url.pathname) {
      case "/rest/v1/leads.json": return each((record) => this.#syncLead(record));
      case "/rest/v1/activities/external.json": return each((record) => this.#addActivity(record));
      case "/rest/v1/customobjects/order_c.json": return each((record) => this.#syncOrder(record, action));
      case "/rest/v1/leads/submitForm.json": return this.#submit(formId, input);
      default: return this.#refuse("610", "Requested resource not found");
    }
  }

  arrived() {
    return this.#arrived;
  }

  state() {
    const [leads, orders] = [Object.fromEntries(this.#leads), Object.fromEntries(this.#orders)];
    return { leads, orders, activities: this.#activities, submissions: this.#submissions };
  }
}

export const create: CreateStub = () => new Marketo();
