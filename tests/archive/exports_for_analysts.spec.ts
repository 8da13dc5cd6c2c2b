/**
 * Promise: DuckDB counts in an export exactly the events that the collector accepted, each once. Of a person who was erased it reads none.
 *
 * In: a collector with an archive in its bucket. The command is run as people run it, and the queries are those of `examples/archive`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { GRANTED, pageView, post, send } from "../collector/envelopes.ts";
import { anonymousId, configWith, DEV_SECRETS, eventually, startCollector, startSink } from "../collector/mf.ts";

// Its types come with the package, which only this suite installs.
const duckdb: string = "@duckdb/node-api";
const { DuckDBInstance } = await import(duckdb);

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "hilo-export-"));
const sink = await startSink();
const archive = '[[destination]]\nname = "files"\ntype = "archive"\npurposes = ["analytics"]\nto = "r2"\n';
const collector = await startCollector({ config: `${configWith(sink.url)}\n${archive}` });
const database = await (await DuckDBInstance.create(":memory:")).connect();
after(async () => {
  database.closeSync();
  await collector.dispose();
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

const today = () => new Date().toISOString().slice(0, 10);
const began = today();

/** Runs the export, and returns what it printed. A run that begins before midnight, UTC, may end in the next day. */
async function exported(out: string, ...flags: string[]): Promise<string> {
  const words = ["js/archive.ts", "export", "--from", began, "--to", today(), "--out", join(folder, out), "--url", `${collector.url}/_h`, ...flags];
  const env = { ...process.env, HILO_ADMIN_TOKEN: DEV_SECRETS.HILO_ADMIN_TOKEN };
  return (await promisify(execFile)(process.execPath, words, { cwd: root, env })).stdout;
}

async function rows(query: string): Promise<unknown[][]> {
  return (await database.runAndReadAll(query)).getRowsJson() as unknown[][];
}

/** The first query of a file of `examples/archive`, over the exported files of `out`. */
function shipped(name: string, out: string): string {
  return readFileSync(join(root, "examples/archive", name), "utf8").replaceAll("export/", `${join(folder, out)}/`);
}

const [ana, luis] = [anonymousId(), anonymousId()];
const order = (id: string, total: number) => ({ ...pageView(id), type: "track", event: "Order Completed", properties: { order_id: `o-${total}`, total, currency: "EUR", products: [] } });

/** Waits until the archive has all events of a visitor. */
async function archived(id: string, count: number) {
  await eventually(async () => {
    const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return deliveries.filter((one: any) => one.destination === "files" && one.state === "delivered").length >= count || undefined;
  });
}

test("DuckDB counts in Parquet and in JSON lines what was accepted, and reads ids and amounts as they were sent", async () => {
  const accepted = [
    await send(collector, [pageView(ana), pageView(ana), order(ana, 44.9)]),
    await send(collector, [pageView(luis)]),
    await post(collector, "/_h/v1/batch", { batch: [order(luis, 19.99)], context: { consent: GRANTED } }, { origin: undefined, authorization: "Bearer sk_dev_backend" }),
  ].reduce((sum, { body }) => sum + body["accepted"], 0);
  assert.equal(accepted, 5);
  await archived(ana, 3);
  await archived(luis, 2);
  assert.match(await exported("parquet"), /all: 5 events; 0 repeats left out, 0 of people who were erased, 0 that no key opens/);
  const parquet = `read_parquet('${folder}/parquet/*/events.parquet', hive_partitioning = true)`;
  assert.deepEqual(await rows(`SELECT count(*)::INT, count(DISTINCT message_id)::INT FROM ${parquet}`), [[5, 5]]);
  assert.deepEqual(await rows(`SELECT order_id, total::DECIMAL(18,2)::VARCHAR, currency FROM ${parquet} WHERE order_id IS NOT NULL ORDER BY 1`), [
    ["o-19.99", "19.99", "EUR"],
    ["o-44.9", "44.90", "EUR"],
  ]);
  assert.deepEqual(await rows(`SELECT source, count(*)::INT FROM ${parquet} GROUP BY ALL ORDER BY ALL`), [["backend", 1], ["shop", 4]]);
  assert.match(await exported("lines", "--ndjson"), /all: 5 events/);
  assert.deepEqual(await rows(`SELECT count(*)::INT FROM read_json('${folder}/lines/*/events.ndjson')`), [[5]]);
  assert.match(await exported("one", "--person", `a:${ana}`), /all: 3 events/);
});

test("the shipped queries run on DuckDB as they are", async () => {
  for (const name of readdirSync(join(root, "examples/archive")).filter((name) => name.startsWith("duckdb"))) {
    for (const query of shipped(name, "parquet").split(";").filter((text) => /\w/.test(text.replace(/^--.*$/gm, "")))) {
      assert.ok((await rows(query)).length > 0, `${name}: ${query}`);
    }
  }
});

test("an erased person's lines stay closed: no export has them any more", async () => {
  await collector.admin(`/admin/v1/profiles/a:${ana}/erase`, { method: "POST" });
  const printed = await eventually(async () => {
    const text = await exported("after");
    return / 3 of people who were erased/.test(text) ? text : undefined;
  });
  assert.match(printed, /all: 2 events; 0 repeats left out, 3 of people who were erased, 0 that no key opens/);
  const left = `read_parquet('${folder}/after/*/events.parquet')`;
  assert.deepEqual(await rows(`SELECT DISTINCT anonymous_id FROM ${left}`), [[luis]]);
  // The same folder exported again has the erased person no longer.
  await exported("parquet");
  assert.deepEqual(await rows(`SELECT count(*)::INT FROM read_parquet('${folder}/parquet/*/events.parquet')`), [[2]]);
  assert.ok(!existsSync(join(folder, "parquet", `dt=${began}`, ".done")));
});
