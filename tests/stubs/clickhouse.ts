/**
 * ClickHouse's HTTP interface on this machine, with one table: that of `docs/destinations/clickhouse.md`.
 *
 * An insert → its rows, all or none. An insert whose deduplication token is known stores nothing and is answered as a success, and rows
 * with one `event_id` are merged when they are read, as ReplacingMergeTree does.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, visitIn } from "./visit.ts";

/** The newest tokens that a table remembers (`replicated_deduplication_window`, 10,000 in newer versions). */
const WINDOW = 10_000;

interface Row {
  event_id: string;
  type: string;
  name?: string;
  event_time: string;
  received_at: string;
  anonymous_id?: string;
  user_id?: string;
}

const exception = (status: number, code: number, text: string): StubAnswer => ({
  status,
  headers: { "x-clickhouse-exception-code": `${code}` },
  body: `Code: ${code}. DB::Exception: ${text}\n`,
});

export const create: CreateStub = () => {
  const rows: Row[] = [];
  const tokens: string[] = [];

  return {
    kind: "clickhouse",
    spec: "clickhouse",
    hosts: /^rows\.example$/,
    expects: {
      granted: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
      analytics: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    },
    visit: { granted: visitIn(ALL), analytics: visitIn(ALL) },
    answer({ url, headers, body }: StubRequest): StubAnswer {
      const given = url.searchParams;
      if (headers["authorization"] !== undefined) return exception(403, 516, "two kinds of credentials at once. (AUTHENTICATION_FAILED)");
      if (headers["x-clickhouse-user"] !== "hilo") return exception(403, 516, "Authentication failed. (AUTHENTICATION_FAILED)");
      if (given.get("param_database") !== "hilo") return exception(404, 81, "Database does not exist. (UNKNOWN_DATABASE)");
      if (given.get("param_table") !== "events") return exception(404, 60, "Table does not exist. (UNKNOWN_TABLE)");
      if (given.get("async_insert") === "1" && given.get("wait_for_async_insert") !== "1") return exception(400, 36, "rows would be confirmed before they are stored");
      const found: Row[] = [];
      for (const line of body.split("\n").slice(0, -1)) {
        let row: Row;
        try {
          row = JSON.parse(line);
        } catch {
          return exception(400, 26, "Cannot parse JSON string. (CANNOT_PARSE_QUOTED_STRING)");
        }
        if ([row.event_time, row.received_at].some((time) => Number.isNaN(Date.parse(time)))) return exception(400, 41, "Cannot parse DateTime. (CANNOT_PARSE_DATETIME)");
        found.push(row);
      }
      const token = given.get("insert_deduplication_token") ?? "";
      const isKnown = tokens.includes(token);
      if (!isKnown) {
        rows.push(...found);
        tokens.push(token);
        tokens.splice(0, tokens.length - WINDOW);
      }
      return { status: 200, headers: { "x-clickhouse-summary": JSON.stringify({ written_rows: `${isKnown ? 0 : found.length}` }) } };
    },
    arrived(): Arrival[] {
      const merged = new Map(rows.map((row) => [row.event_id, row]));
      return [...merged.values()].map(({ user_id, anonymous_id, type, name }) => ({ who: user_id ?? anonymous_id ?? "", what: type === "track" ? (name ?? "") : type }));
    },
    state: () => ({ rows, tokens: tokens.length }),
  };
};
