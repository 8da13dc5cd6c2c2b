/**
 * Segment on this machine: answers 200 to nearly everything, and tells nobody what it has dropped.
 *
 * A batch → its messages, each once by its `messageId`. A message without an id of a person, or in a batch that is too long, is counted
 * as dropped, as Segment does. The EU host and the US host have different workspaces: this stub's is in the US.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, visitIn } from "./visit.ts";

const SUCCESS: StubAnswer = { status: 200, body: { success: true } };
const HOME = "api.segment.io";
const BATCH_MAX = 2_500;
const BATCH_BYTES_MAX = 500 * 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;
/** Requests in one second, of a workspace. */
const RATE = 1_000;
/** Segment knows a repeat for at least a day. */
const KNOWN_MS = 24 * 3_600_000;

interface Message {
  type: string;
  messageId: string;
  userId?: string;
  anonymousId?: string;
  event?: string;
  name?: string;
  context?: object;
}

export const create: CreateStub = () => {
  const taken: Message[] = [];
  const dropped: { why: string; messageId: string }[] = [];
  const known = new Map<string, number>();
  let second = { at: 0, requests: 0 };

  const take = (message: Message, now: number) => {
    if (!message.userId && !message.anonymousId) return void dropped.push({ why: "no_user_anon_id", messageId: message.messageId });
    if (now - (known.get(message.messageId) ?? -Infinity) < KNOWN_MS) return;
    known.set(message.messageId, now);
    taken.push(message);
  };

  return {
    kind: "segment",
    spec: "segment",
    hosts: /^(api\.segment\.io|events\.eu1\.segmentapis\.com)$/,
    silent: SUCCESS,
    expects: {
      granted: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
      analytics: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    },
    visit: { granted: visitIn(ALL), analytics: visitIn(ALL) },
    answer({ url, body, now }: StubRequest): StubAnswer {
      const at = Math.floor(now / 1_000);
      second = second.at === at ? { at, requests: second.requests + 1 } : { at, requests: 1 };
      if (second.requests > RATE) {
        return { status: 429, headers: { "retry-after": "1", "x-ratelimit-reset": "1" }, body: { success: false } };
      }
      if (Buffer.byteLength(body) > BATCH_BYTES_MAX) return { status: 400, body: { success: false, message: "too large" } };
      const { batch, context, sentAt: _, ...rest } = JSON.parse(body);
      const messages: Message[] = batch ?? [{ type: url.pathname.split("/").at(-1), ...rest }];
      if (messages.some((message) => Buffer.byteLength(JSON.stringify(message)) > MESSAGE_BYTES_MAX)) {
        return { status: 400, body: { success: false, message: "too large" } };
      }
      const why = messages.length > BATCH_MAX ? "more than 2,500 messages" : url.hostname === HOME ? undefined : "the workspace is elsewhere";
      for (const message of messages) {
        if (why) dropped.push({ why, messageId: message.messageId });
        else take({ ...message, context: { ...context, ...message.context } }, now);
      }
      return SUCCESS;
    },
    arrived: (): Arrival[] =>
      taken.map(({ type, event, userId, anonymousId }) => ({ who: userId ?? anonymousId ?? "", what: event ?? type })),
    state: () => ({ taken, dropped }),
  };
};
