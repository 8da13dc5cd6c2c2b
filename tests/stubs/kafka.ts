/**
 * A REST proxy of Kafka on this machine, v2 and v3, with one partition for each topic.
 *
 * Records → a log for each topic. Kafka over HTTP knows no repeats, so a record that comes twice is in the log twice.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, visitIn } from "./visit.ts";

/** Kafka's own default of `message.max.bytes`. */
const RECORD_BYTES_MAX = 1_048_588;
const CLUSTER = "lkc-1";
const TOPICS = /^(touchpoints|identities|consents)\.v1$|^shop\./;

interface Stored {
  topic: string;
  key: string | null;
  value: any;
}

const refusal = (status: number, error_code: number, message: string): StubAnswer => ({ status, body: { error_code, message } });

/** JSON texts one after another, which are lines here. An array is one record too many. */
function texts(body: string): any[] {
  const found = body.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line));
  if (found.some(Array.isArray)) throw new Error("an array is no record");
  return found;
}

export const create: CreateStub = () => {
  const log: Stored[] = [];
  const keep = (topic: string, key: string | null, value: unknown): number => {
    log.push({ topic, key, value });
    return log.filter((one) => one.topic === topic).length - 1;
  };

  const v3 = (topic: string, request: StubRequest): StubAnswer => {
    const reports = texts(request.body).map(({ key, value, headers }) => {
      if (Buffer.byteLength(JSON.stringify(value.data)) > RECORD_BYTES_MAX) return { error_code: 413, message: "the record is too large" };
      const [{ name, value: id }] = headers;
      if (name !== "event_id" || Buffer.from(id, "base64").toString() !== value.data.messageId) return { error_code: 400, message: "event_id" };
      const at = { cluster_id: CLUSTER, topic_name: topic, partition_id: 0, timestamp: new Date(request.now).toISOString() };
      return { error_code: 200, ...at, offset: keep(topic, key?.data ?? null, value.data) };
    });
    return { status: 200, headers: { "content-type": "application/json" }, body: reports.map((one) => JSON.stringify(one)).join("") };
  };

  const v2 = (topic: string, { body }: StubRequest): StubAnswer => {
    const offsets = JSON.parse(body).records.map(({ key, value }: any) => {
      const isLarge = Buffer.byteLength(JSON.stringify(value)) > RECORD_BYTES_MAX;
      if (isLarge) return { partition: null, offset: null, error_code: 50002, error: "the record is too large" };
      return { partition: 0, offset: keep(topic, key ?? null, value), error_code: null, error: null };
    });
    const headers = { "content-type": "application/vnd.kafka.v2+json" };
    return { status: 200, headers, body: JSON.stringify({ offsets, key_schema_id: null, value_schema_id: null }) };
  };

  return {
    kind: "kafka",
    spec: "kafka",
    hosts: /^kafka\.shop\.example$/,
    expects: {
      granted: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
      analytics: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    },
    visit: { granted: visitIn(ALL), analytics: visitIn(ALL) },
    answer(request: StubRequest): StubAnswer {
      if (!request.headers["authorization"]?.startsWith("Basic ")) return refusal(401, 40101, "Unauthorized");
      const [, cluster, ofV3, ofV2] = /^(?:\/v3\/clusters\/([^/]+)\/topics\/([^/]+)\/records|\/topics\/([^/]+))$/.exec(request.url.pathname) ?? [];
      const topic = ofV3 ?? ofV2 ?? "";
      if (ofV3 !== undefined && cluster !== CLUSTER) return refusal(404, 40403, "another cluster");
      if (!TOPICS.test(topic)) return refusal(404, 40403, "This server does not host this topic-partition.");
      return ofV3 === undefined ? v2(topic, request) : v3(topic, request);
    },
    arrived: (): Arrival[] => log.map(({ value }) => ({ who: value.userId ?? value.anonymousId ?? "", what: value.event ?? value.type })),
    state: () => ({ log }),
  };
};
