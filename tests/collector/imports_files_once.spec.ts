/**
 * Promise: a file is imported once, however often and in however many pieces it is sent: the same file, one that overlaps, a client that
 * is killed, a collector that is killed. Refused rows are told with their reasons, and an opt-in never lifts a newer withdrawal.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { importConfig, reader, upload, writeCalls } from "./imports.ts";
import { eventually, startCollector } from "./mf.ts";

const program = reader();
const collector = await startCollector({ config: importConfig });
const folder = mkdtempSync(join(tmpdir(), "hilo-imports-"));
after(async () => {
  await collector.dispose();
  rmSync(folder, { recursive: true });
});

const MADRID = ["--timezone", "Europe/Madrid", "--country", "ES", "--currency", "EUR"];
const file = (name: string, lines: string[]) => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};
const run = (path: string, flags: string[]) => upload(collector, program, path, flags).done;
const counted = ({ counts }: { counts: any }) => [counts.rows, counts.accepted, counts.duplicate, counts.conflict, counts.rejected];
const events = async (user: string): Promise<any[]> => (await collector.admin(`/_h/admin/v1/profiles/u:${user}/events`)).events;

test("a file in Spanish is imported once, and so is one that overlaps it", async () => {
  const header = "Ticket;Fecha;Hora;Importe;SKU;Cantidad;Cliente";
  const rows = ["1;20/11/2026;18:30;44,90;MUG;2;17", "2;21/11/2026;10:00;1.005,00;TEA;1,5;17"];
  const first = file("ventas.csv", [header, ...rows]);
  const one = await run(first, ["till", "orders", ...MADRID]);
  assert.deepEqual([one.code, ...counted(one)], [0, 2, 2, 0, 0, 0], one.told);
  const again = await run(first, ["till", "orders", ...MADRID]);
  assert.deepEqual([again.code, ...counted(again)], [0, 2, 0, 2, 0, 0], again.told);
  const more = file("mas.csv", [header, rows[1]!, "3;22/11/2026;10:00;7,00;CUP;1;17"]);
  assert.deepEqual(counted(await run(more, ["till", "orders", ...MADRID])), [2, 1, 1, 0, 0]);
  const found = (await events("17")).map((event) => [event.event, event.properties.order_id, event.properties.total, event.timestamp]);
  assert.deepEqual(found.sort(), [
    ["Order Completed", "1", 44.9, "2026-11-20T17:30:00Z"],
    ["Order Completed", "2", 1005, "2026-11-21T09:00:00Z"],
    ["Order Completed", "3", 7, "2026-11-22T09:00:00Z"],
  ]);
});

test("the examples of the documentation are the same sales in both languages", async () => {
  const example = (name: string) => fileURLToPath(new URL(`../../examples/imports/${name}`, import.meta.url));
  const english = await run(example("sales.csv"), ["phone", "orders", "--timezone", "Europe/Madrid"]);
  assert.deepEqual([english.code, ...counted(english)], [0, 3, 3, 0, 0, 0], english.told);
  const spanish = await run(example("ventas.csv"), ["phone", "orders", ...MADRID]);
  assert.deepEqual([spanish.code, ...counted(spanish)], [0, 3, 0, 3, 0, 0], spanish.told);
});

test("refused rows are told with their reasons and a mended copy is imported", async () => {
  const path = file("calls.csv", [
    "call_id,date,direction,phone,duration",
    "C1,2026-11-20 10:00,in,600111222,00:03:20",
    "C2,2026-11-20 10:05,in,\"3,46E+10\",10",
    "C3,2026-11-20 10:06,sideways,=600111222,10",
  ]);
  const one = await run(path, ["phone", "calls", ...MADRID]);
  assert.deepEqual([one.code, ...counted(one)], [2, 3, 1, 0, 0, 2], one.told);
  const copy = readFileSync(`${path}.refused.csv`, "utf8");
  const lines = copy.trim().split("\n").map((line) => line.trim());
  assert.equal(lines[0], "call_id,date,direction,phone,duration,hilo_code,hilo_message");
  assert.match(lines[1]!, /^C2,.*,phone_mangled,/);
  assert.match(lines[2]!, /^C3,.*,'=600111222,10,bad_word,"direction: in, out"$/);
  const { id } = one.counts;
  const listed = await collector.admin(`/_h/admin/v1/import/${id}`);
  assert.deepEqual(listed.rejected_rows.map((row: any) => [row.line, row.code]), [[3, "phone_mangled"], [4, "bad_word"]]);
  const mended = file("mended.csv", [lines[0]!, "C2,2026-11-20 10:05,in,600111223,10,,"]);
  const two = await run(mended, ["phone", "calls", ...MADRID, "--extra", "properties"]);
  assert.deepEqual([two.code, ...counted(two)], [0, 1, 1, 0, 0, 0], two.told);
});

test("a changed order is a conflict, and an update where the person says so", async () => {
  const order = (total: string) => file(`order-${total}.csv`, ["order_id,date,total,customer_id", `900,2026-11-20T10:00:00Z,${total},18`]);
  await run(order("10.00"), ["till", "orders", "--currency", "EUR"]);
  const changed = await run(order("12.00"), ["till", "orders", "--currency", "EUR"]);
  assert.deepEqual([changed.code, ...counted(changed)], [2, 1, 0, 0, 1, 0], changed.told);
  const updated = await run(order("12.00"), ["till", "orders", "--currency", "EUR", "--update"]);
  assert.deepEqual([updated.code, ...counted(updated)], [0, 1, 1, 0, 0, 0], updated.told);
  const found = (await events("18")).map((event) => [event.event, event.properties.total]);
  assert.deepEqual(found.sort(), [["Order Completed", 10], ["Order Updated", 12]]);
});

test("an opt-in of a file takes its place in the ledger by its time", async () => {
  const rows = (name: string, lines: string[]) => file(name, ["customer_id,email,channel,state,at,text,double_opt_in_at", ...lines]);
  const row = (state: string, at: string) => `19,ana@shop.example,email,${state},${at},We write.,${at}`;
  await run(rows("out.csv", [row("baja", "2026-03-01T10:00:00Z")]), ["till", "optins"]);
  const older = await run(rows("in.csv", [row("alta", "2026-02-01T10:00:00Z")]), ["till", "optins"]);
  assert.deepEqual([older.code, ...counted(older)], [0, 1, 1, 0, 0, 0], older.told);
  const state = async () => (await collector.admin("/_h/admin/v1/profiles/u:19")).optins.email;
  assert.equal(await state(), "unsubscribed");
  await run(rows("again.csv", [row("alta", "2026-04-01T10:00:00Z")]), ["till", "optins"]);
  assert.equal(await state(), "subscribed");
});

test("a client and a collector that are killed in the middle lose and double no row", async () => {
  const path = join(folder, "many.csv");
  const [lines, people] = [20_000, 100];
  await writeCalls(path, lines, people);
  const flags = ["phone", "calls", ...MADRID];
  const reaches = (id: string, seq: number) =>
    eventually(async () => {
      const standing = await collector.admin(`/_h/admin/v1/import/${id}`).catch(() => undefined);
      return standing?.next_seq >= seq ? true : undefined;
    }, 120_000);
  const cut = upload(collector, program, path, flags);
  const id = await cut.id;
  await reaches(id, 2);
  cut.child.kill("SIGKILL");
  await cut.done;
  const resumed = upload(collector, program, path, flags);
  assert.equal(await resumed.id, id);
  await reaches(id, 12);
  collector.kill();
  const done = await resumed.done;
  assert.deepEqual([done.code, ...counted(done)], [0, lines, lines, 0, 0, 0], done.told);
  const again = await run(path, flags);
  assert.deepEqual([again.code, ...counted(again)], [0, lines, 0, lines, 0, 0], again.told);
});
