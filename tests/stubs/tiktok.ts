/**
 * TikTok's Events API: answers 200 with a code in the body, and counts the same name and id once within 48 hours. A token that begins with
 * `revoked` opens nothing; every other token does.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { NOTHING, visitIn } from "./visit.ts";

/** Before somebody signs in, nothing leads to a person. */
const VISIT = visitIn(
  {
    page: "Pageview",
    "Product Viewed": "ViewContent",
    "Product Added": "AddToCart",
    "Lead Submitted": "Lead",
    "Checkout Started": "InitiateCheckout",
    "Order Completed": "Purchase",
  },
  "puts an article into the cart",
);

const KNOWN_MS = 48 * 3_600 * 1_000;
/** Events of a request. TikTok's own limit is not published; other senders stop here. */
const EVENTS_MAX = 50;
/** Requests of one minute. */
const REQUESTS_MAX = 600;

interface Item {
  event: string;
  event_time: number;
  event_id?: string;
  user: { email?: string[]; external_id?: string[] };
  properties?: Record<string, unknown>;
}

interface Track {
  event_source: string;
  event_source_id: string;
  data: Item[];
}

export const create: CreateStub = () => {
  const events: (Item & Pick<Track, "event_source" | "event_source_id">)[] = [];
  const known = new Map<string, number>();
  const minutes = new Map<number, number>();
  let requests = 0;

  const said = (code: number, message: string, data: object = {}, status = 200): StubAnswer => ({
    status,
    headers: { "content-type": "application/json" },
    body: { code, message, request_id: `stub-${requests}`, data },
  });

  const answer = ({ headers, body, now }: StubRequest): StubAnswer => {
    requests += 1;
    if ((headers["access-token"] ?? "").startsWith("revoked")) return said(40105, "Access token is incorrect", {}, 401);
    const minute = Math.floor(now / 60_000);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
    if ((minutes.get(minute) ?? 0) > REQUESTS_MAX) return said(40100, "Requests made too frequently");
    const { event_source, event_source_id, data } = JSON.parse(body) as Track;
    if (data.length > EVENTS_MAX) return said(40002, `data: at most ${EVENTS_MAX}`);
    const ahead = data.findIndex((item) => item.event_time * 1_000 > now + 60_000);
    if (ahead >= 0) return said(40002, `data[${ahead}].event_time: is in the future`);
    for (const item of data) {
      const name = `${event_source_id} ${item.event} ${item.event_id ?? ""}`;
      const before = known.get(name);
      if (item.event_id !== undefined && before !== undefined && now - before < KNOWN_MS) continue;
      known.set(name, now);
      events.push({ event_source, event_source_id, ...item });
    }
    return said(0, "OK");
  };

  return {
    kind: "tiktok",
    spec: "tiktok",
    hosts: /^business-api\.tiktok\.com$/,
    expects: { granted: ["Pageview", "AddToCart", "Lead", "Purchase"], analytics: [] },
    visit: { granted: VISIT, analytics: NOTHING },
    answer,
    arrived: (): Arrival[] => events.map(({ user, event }) => ({ who: user.email?.[0] ?? user.external_id?.[0] ?? "", what: event })),
    state: () => ({ events }),
  };
};
