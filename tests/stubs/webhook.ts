/**
 * A receiver of Standard Webhooks on this machine, under any host: it is the deployer's own. The judge has verified the signature with
 * the specification's own library.
 *
 * A delivery → its event, once by its `webhook-id`. A repeat must have the same body, and its own fresh timestamp.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, NOTHING, visitIn } from "./visit.ts";

/** It carries the links of a subscription, so it gets the request too. */
const VISIT = visitIn({ ...ALL, "Opt-In Requested": "Opt-In Requested" });

/** How many seconds a timestamp may be off (Standard Webhooks: protects from replays). */
const TOLERANCE_S = 300;

interface Delivery {
  id: string;
  body: string;
  timestamp: number;
  times: number;
}

export const create: CreateStub = () => {
  const deliveries = new Map<string, Delivery>();
  const refused: string[] = [];
  const refuse = (why: string): StubAnswer => {
    refused.push(why);
    return { status: 400, body: { error: why } };
  };
  return {
    kind: "webhook",
    spec: "standard-webhooks",
    hosts: /^.+$/,
    isMine: ({ headers }) => headers["webhook-id"] !== undefined,
    expects: {
      granted: ["page", "identify", "Product Added", "Lead Submitted", "Opt-In Requested", "Order Completed", "Order Refunded"],
      analytics: ["page", "identify", "Product Added", "Lead Submitted", "Opt-In Requested", "Order Completed", "Order Refunded"],
      nothing: ["Opt-In Requested"],
    },
    visit: { granted: VISIT, analytics: VISIT, nothing: { ...NOTHING, "asks for the newsletter": ["Opt-In Requested"] } },
    answer({ headers, body, now }: StubRequest): StubAnswer {
      const id = headers["webhook-id"] ?? "";
      const timestamp = Number(headers["webhook-timestamp"]);
      if (headers["authorization"] !== undefined) return refuse("a signed delivery has no other credentials");
      if (Math.abs(now / 1_000 - timestamp) > TOLERANCE_S) return refuse(`the timestamp of ${id} is not of this attempt`);
      const known = deliveries.get(id);
      if (known && known.body !== body) return refuse(`${id} came again with another body`);
      if (known && timestamp < known.timestamp) return refuse(`the timestamp of ${id} went back`);
      deliveries.set(id, { id, body, timestamp, times: (known?.times ?? 0) + 1 });
      return { status: 204 };
    },
    arrived: (): Arrival[] =>
      [...deliveries.values()].map(({ body }) => {
        const { data } = JSON.parse(body);
        return { who: data.userId ?? data.anonymousId ?? "", what: data.event ?? data.type };
      }),
    state: () => ({ deliveries: [...deliveries.values()].map(({ id, times, body }) => ({ id, times, type: JSON.parse(body).type })), refused }),
  };
};
