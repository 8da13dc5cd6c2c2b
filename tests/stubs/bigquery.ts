/**
 * BigQuery's `insertAll` and Google's token endpoint on this machine, with one table: that of `docs/destinations/bigquery.md`.
 *
 * Rows → the table, each row for itself. BigQuery mostly drops a row whose `insertId` came within a minute; this stub always does. A
 * token is an assertion's answer, for an hour.
 */
import { GoogleTokens } from "./grants.ts";
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, visitIn } from "./visit.ts";

const TABLE = "/bigquery/v2/projects/shop-1/datasets/hilo/tables/events/insertAll";
const SCOPE = "https://www.googleapis.com/auth/bigquery.insertdata";
/** How long BigQuery knows an `insertId`. */
const KNOWN_MS = 60_000;
const COLUMNS = ["event_id", "type", "name", "event_time", "received_at", "anonymous_id", "user_id", "claimed_id", "consent", "properties", "context"];

interface Row {
  event_id: string;
  type: string;
  name?: string;
  user_id?: string;
  anonymous_id?: string;
}

const failure = (status: number, reason: string, message: string): StubAnswer => ({
  status,
  body: { error: { code: status, message, errors: [{ message, domain: "global", reason }] } },
});

export const create: CreateStub = () => {
  const rows: Row[] = [];
  const known = new Map<string, number>();
  const tokens = new GoogleTokens(SCOPE);

  /** What is wrong with a row, as BigQuery tells it. */
  const fault = (row: Record<string, unknown>): { location: string; message: string } | undefined => {
    for (const column of ["event_time", "received_at"]) {
      const time = row[column];
      // A number would be seconds: milliseconds become the year 50,000.
      if (typeof time !== "string" || Number.isNaN(Date.parse(time))) return { location: column, message: "Cannot parse as TIMESTAMP" };
    }
    const odd = COLUMNS.find((column) => row[column] !== undefined && typeof row[column] !== "string");
    return odd === undefined ? undefined : { location: odd, message: "This field is not a record" };
  };

  return {
    kind: "bigquery",
    spec: "bigquery",
    hosts: /^(bigquery|oauth2)\.googleapis\.com$/,
    isMine: (request) => request.url.hostname.startsWith("bigquery.") || tokens.isFor(request),
    expects: {
      granted: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
      analytics: ["page", "identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    },
    visit: { granted: visitIn(ALL), analytics: visitIn(ALL) },
    answer(request: StubRequest): StubAnswer {
      const { url, body, now } = request;
      if (url.hostname.startsWith("oauth2.")) return tokens.exchange(request);
      if (!tokens.isLive(request)) return failure(401, "authError", "Request had invalid authentication credentials.");
      if (url.pathname !== TABLE) return failure(404, "notFound", "Not found: Table");
      const insertErrors: object[] = [];
      for (const [index, { insertId, json }] of JSON.parse(body).rows.entries()) {
        const wrong = fault(json);
        if (wrong) insertErrors.push({ index, errors: [{ reason: "invalid", debugInfo: "", ...wrong }] });
        else if (now - (known.get(insertId) ?? -Infinity) >= KNOWN_MS) {
          known.set(insertId, now);
          // A column that the table lacks is left out (`ignoreUnknownValues`).
          rows.push(Object.fromEntries(Object.entries(json).filter(([name]) => COLUMNS.includes(name))) as unknown as Row);
        }
      }
      const kind = "bigquery#tableDataInsertAllResponse";
      return { status: 200, body: insertErrors.length > 0 ? { kind, insertErrors } : { kind } };
    },
    arrived: (): Arrival[] => rows.map(({ user_id, anonymous_id, type, name }) => ({ who: user_id ?? anonymous_id ?? "", what: type === "track" ? (name ?? "") : type })),
    state: () => ({ rows, tokens: tokens.issued }),
  };
};
