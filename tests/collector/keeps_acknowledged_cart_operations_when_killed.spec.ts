/**
 * Promise: an acknowledged operation is in the cart once, however often workerd is killed between and during requests. A
 * delta without an answer is sent again unchanged, as the page does, and counts once as well.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, type Line, shown } from "./carts.ts";
import { eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const DEVICES = 4;
const OPERATIONS = 60;
/** A kill comes whenever the number of all acknowledged operations reaches one of these. */
const KILL_AFTER = [40, 100, 160];

const collector = await startCollector();
after(() => collector.dispose());

test("no acknowledged operation is lost, and none counts twice", async () => {
  const kills = [...KILL_AFTER];
  let acknowledged = 0;
  const run = async (device: Device, line: Line) => {
    for (let n = 0; n < OPERATIONS; n++) {
      const delta = device.adding(line, 1);
      // The device sends the same delta until it is answered.
      await eventually(async () => {
        const answer = await device.post(delta).catch(() => undefined);
        return answer?.status === 200 ? true : undefined;
      });
      if (++acknowledged === kills[0]) {
        kills.shift();
        collector.kill();
      }
    }
  };
  const token = signToken(claimsOf("killed"));
  const lines = Array.from({ length: DEVICES }, (_, n): Line => [`article-${n}`, "0", "EUR"]);
  // A real page folds a line of eight dots. Here every device sets the quantity instead of adding without end.
  const devices = lines.map(() => new Device(collector, token));
  const setting = devices.map((device, at) => {
    device.adding = (line, quantity) => {
      const drop = device.n === 0 ? [] : [device.dot(device.n)];
      return device.delta(1, { put: [[line, device.dot(device.n + 1), "set", device.n + quantity]], drop });
    };
    return run(device, lines[at]!);
  });
  await Promise.all(setting);
  assert.deepEqual(kills, [], "every kill has happened");
  const expected = Object.fromEntries(lines.map(([variant]) => [variant, OPERATIONS]));
  assert.deepEqual(await shown(collector, "u:killed"), expected);
  const { replicas, rev } = await collector.admin("/admin/v1/carts/u:killed");
  assert.equal(rev, String(DEVICES * OPERATIONS), "one revision for each operation");
  assert.deepEqual(replicas.map((replica: { acked: number }) => replica.acked), Array(DEVICES).fill(OPERATIONS));
});
