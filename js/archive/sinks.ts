/**
 * Where exported events go: a file of Parquet, or of JSON lines. Opened lines in; a complete file out, once `end` was called.
 *
 * The columns are the same for DuckDB, ClickHouse and BigQuery. Ids and amounts are text, because a number of JavaScript would change
 * them: an amount is `total`, in units of its `currency`, as the event says it.
 */
import type { WriteStream } from "node:fs";
import { once } from "node:events";
import { fileWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";

/** Rows of a group: what one file has in memory at most. */
const GROUP_ROWS = 20_000;

/** A line as the collector opens it. */
export interface Opened {
  id: string;
  subject: string;
  event?: Record<string, any>;
  unreadable?: string;
}

export interface Sink {
  add(line: Opened): void | Promise<void>;
  end(): Promise<void>;
}

type Kind = "STRING" | "TIMESTAMP";

const text = (value: unknown) => (value === undefined || value === null || value === "" ? null : typeof value === "string" ? value : JSON.stringify(value));
const time = (value: unknown) => (typeof value === "string" && !Number.isNaN(Date.parse(value)) ? new Date(value) : null);
const money = (event: Record<string, any>) => event["properties"]?.total ?? event["properties"]?.revenue ?? event["properties"]?.value;

/** Each column with its type and what it reads. */
const COLUMNS: [name: string, kind: Kind, of: (event: Record<string, any>, line: Opened) => unknown][] = [
  ["id", "STRING", (_, { id }) => id],
  ["subject", "STRING", (_, { subject }) => subject],
  ["message_id", "STRING", (event) => text(event["messageId"])],
  ["type", "STRING", (event) => text(event["type"])],
  ["name", "STRING", (event) => text(event["event"] ?? event["name"])],
  // Lines of earlier versions have none.
  ["source", "STRING", (event) => text(event["source"])],
  ["occurred_at", "TIMESTAMP", (event) => time(event["timestamp"])],
  ["received_at", "TIMESTAMP", (event) => time(event["receivedAt"])],
  ["anonymous_id", "STRING", (event) => text(event["anonymousId"])],
  ["user_id", "STRING", (event) => text(event["userId"])],
  ["channel", "STRING", (event) => text(event["context"]?.channel ?? event["context"]?.hilo?.channel)],
  ["country", "STRING", (event) => text(event["context"]?.location?.country)],
  ["order_id", "STRING", (event) => text(event["properties"]?.order_id)],
  ["total", "STRING", (event) => text(money(event))],
  ["currency", "STRING", (event) => text(event["properties"]?.currency)],
  ["properties", "STRING", (event) => text(event["properties"])],
  ["traits", "STRING", (event) => text(event["traits"])],
  ["context", "STRING", (event) => text(event["context"])],
];

/** A Parquet file, compressed with Snappy. */
export function parquetSink(path: string): Sink {
  const writer = fileWriter(path);
  const empty = COLUMNS.map(([name, type]) => ({ name, type, data: [] as unknown[], nullable: true }));
  const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: empty as never }), createdBy: "hilo" });
  let rows: Opened[] = [];
  const write = () => {
    const columnData = COLUMNS.map(([name, type, of]) => ({ name, type, data: rows.map((line) => of(line.event!, line)) }));
    file.write({ columnData: columnData as never, rowGroupSize: GROUP_ROWS });
    rows = [];
  };
  return {
    add(line) {
      rows.push(line);
      if (rows.length >= GROUP_ROWS) write();
    },
    async end() {
      if (rows.length > 0) write();
      file.finish();
    },
  };
}

/** A file with one event in a line, as it is stored. */
export function ndjsonSink(out: WriteStream): Sink {
  return {
    async add({ event }) {
      if (!out.write(`${JSON.stringify(event)}\n`)) await once(out, "drain");
    },
    async end() {
      out.end();
      await once(out, "close");
    },
  };
}
