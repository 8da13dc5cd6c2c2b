/**
 * Meta's Conversions API: refuses a whole request for one bad event, and counts an event of a server again when it comes again. A token
 * that begins with `revoked` opens nothing; every other token does.
 */
import { createHash } from "node:crypto";

import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { NOTHING, visitIn } from "./visit.ts";

/** Before somebody signs in, nothing leads to a person. */
const VISIT = visitIn(
  {
    page: "PageView",
    "Product Viewed": "ViewContent",
    "Product Added": "AddToCart",
    "Lead Submitted": "Lead",
    "Checkout Started": "InitiateCheckout",
    "Order Completed": "Purchase",
  },
  "puts an article into the cart",
);

const DAY_S = 86_400;
const AHEAD_S_MAX = 60;
/** Subcodes of error 100: an event that is too old, and bad parameters. */
const TOO_OLD = 2804003;
const BAD_PARAMETER = 2804019;
/** Requests of one minute for a dataset. Meta publishes no number; the brake itself is documented. */
const REQUESTS_MAX = 1_000;

interface MetaEvent {
  event_name: string;
  event_time: number;
  event_id?: string;
  action_source: string;
  user_data: { em?: string[]; external_id?: string[] };
  custom_data?: Record<string, unknown>;
}

const failure = (status: number, code: number, message: string, more: object = {}): StubAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: { error: { message, type: "OAuthException", code, ...more, fbtrace_id: "AStub" } },
});

/** Why Meta refuses an event, as a subcode and a sentence. */
const fault = (event: MetaEvent, nowS: number): [number, string] | undefined => {
  const days = event.action_source === "physical_store" ? 62 : 7;
  if (nowS - event.event_time > days * DAY_S) return [TOO_OLD, "Event Timestamp Too Old"];
  if (event.event_time - nowS > AHEAD_S_MAX) return [BAD_PARAMETER, "Event Timestamp In Future"];
  const currency = event.custom_data?.["currency"];
  if (currency !== undefined && !Intl.supportedValuesOf("currency").includes(String(currency).toUpperCase())) {
    return [BAD_PARAMETER, "Invalid Currency"];
  }
  return undefined;
};

export const create: CreateStub = () => {
  const events: (MetaEvent & { dataset: string })[] = [];
  const minutes = new Map<string, number>();

  const answer = ({ url, headers, body, now }: StubRequest): StubAnswer => {
    const token = (headers["authorization"] ?? "").replace(/^Bearer /, "");
    if (token.startsWith("revoked")) {
      return failure(401, 190, "The access token is not valid", { error_subcode: 463 });
    }
    const dataset = url.pathname.split("/")[2] ?? "";
    if (dataset === "0") {
      return failure(400, 100, "Object does not exist, or permissions are missing", { error_subcode: 33 });
    }
    const minute = `${dataset} ${Math.floor(now / 60_000)}`;
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
    if ((minutes.get(minute) ?? 0) > REQUESTS_MAX) {
      return failure(400, 80004, "There have been too many calls", { is_transient: true });
    }
    const { data } = JSON.parse(body) as { data: MetaEvent[] };
    for (const event of data) {
      const found = fault(event, now / 1_000);
      if (found) return failure(400, 100, "Invalid parameter", { error_subcode: found[0], error_user_title: found[1] });
    }
    events.push(...data.map((event) => ({ dataset, ...event })));
    const trace = createHash("sha256").update(body).digest("base64url").slice(0, 22);
    return { status: 200, body: { events_received: data.length, messages: [], fbtrace_id: trace } };
  };

  return {
    kind: "meta",
    spec: "meta",
    hosts: /^graph\.facebook\.com$/,
    // What a server has sent, Meta counts again.
    assumesSent: true,
    expects: { granted: ["PageView", "AddToCart", "Lead", "Purchase"], analytics: [] },
    visit: { granted: VISIT, analytics: NOTHING },
    answer,
    arrived: (): Arrival[] => events.map(({ user_data, event_name }) => ({ who: user_data.em?.[0] ?? user_data.external_id?.[0] ?? "", what: event_name })),
    state: () => ({ events }),
  };
};
