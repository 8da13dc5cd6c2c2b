/**
 * Google Analytics 4 as the Measurement Protocol sees it: answers 204 to everything, counts every event anew, and knows only a purchase
 * again, by its order. What Google would drop or change in silence is kept as a violation, which a test can read.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { visitIn } from "./visit.ts";

const VISIT = visitIn({
  page: "page_view",
  "Form Started": "form_start",
  "Form Submitted": "form_submit",
  "Product List Viewed": "view_item_list",
  "Product Viewed": "view_item",
  "Product Added": "add_to_cart",
  "Lead Submitted": "generate_lead",
  "Cart Viewed": "view_cart",
  "Checkout Started": "begin_checkout",
  "Order Completed": "purchase",
  "Order Refunded": "refund",
});

const AGE_MICROS_MAX = 72 * 3_600 * 1_000_000;
/** Google's own guard against clocks that run ahead is not published. This one is generous. */
const AHEAD_MICROS_MAX = 15 * 60 * 1_000_000;

/** What a session brings. Google takes no person without an event. */
const SESSION = ["page_view", "add_to_cart", "generate_lead", "purchase", "refund"];

interface Hit {
  name: string;
  params: Record<string, unknown>;
  timestamp_micros?: number;
}

interface Payload {
  client_id: string;
  user_id?: string;
  consent?: Record<string, string>;
  user_data?: object;
  timestamp_micros?: number;
  events: Hit[];
}

export const create: CreateStub = () => {
  const hits: (Hit & Pick<Payload, "client_id" | "user_id" | "consent"> & { at: number })[] = [];
  const purchases = new Set<string>();
  const violations: string[] = [];

  const take = (payload: Payload, hit: Hit, now: number) => {
    const { client_id, user_id, consent, user_data } = payload;
    const at = hit.timestamp_micros ?? payload.timestamp_micros ?? now * 1_000;
    if (now * 1_000 - at > AGE_MICROS_MAX) violations.push(`${hit.name}: older than 72 hours`);
    if (at - now * 1_000 > AHEAD_MICROS_MAX) violations.push(`${hit.name}: still to come`);
    if (user_data && consent?.["ad_user_data"] !== "GRANTED") {
      violations.push(`${hit.name}: contact details without consent`);
    }
    if (hit.name === "purchase") {
      const order = String(hit.params["transaction_id"]);
      if (purchases.has(order)) return;
      purchases.add(order);
    }
    hits.push({ ...hit, client_id, user_id, consent, at });
  };

  const answer = ({ url, body, now }: StubRequest): StubAnswer => {
    const payload = JSON.parse(body) as Payload;
    if (url.pathname.startsWith("/debug/")) return { status: 200, body: { validationMessages: [] } };
    for (const hit of payload.events) take(payload, hit, now);
    return { status: 204 };
  };

  return {
    kind: "ga4",
    spec: "ga4",
    hosts: /^(www|region1)\.google-analytics\.com$/,
    silent: { status: 204 },
    expects: { granted: SESSION, analytics: SESSION },
    visit: { granted: VISIT, analytics: VISIT },
    answer,
    arrived: (): Arrival[] => hits.map(({ client_id, user_id, name }) => ({ who: user_id ?? client_id, what: name })),
    state: () => ({ hits, violations }),
  };
};
