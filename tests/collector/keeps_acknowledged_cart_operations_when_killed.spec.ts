/**
 * Promise: an acknowledged operation is in the cart, once, however often workerd is killed between and during requests. What
 * was not answered is sent again as it was, as the page does, and counts once as well.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, type Line, shown } from "./carts.ts";
import { eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const DEVICES = 4;
const OPERATIONS = 60;
/** Operations acknowledged in all when a kill comes. */
const KILL_AFTER = [40, 100, 160];

const collector = await startCollector();
after(() => collector.dispose());

test("nothing acknowledged is lost, nothing counts twice", async () => {
  const kills = [...KILL_AFTER];
  let acknowledged = 0;
  const run = async (device: Device, line: Line) => {
    for (let n = 0; n < OPERATIONS; n++) {
      const delta = device.adding(line, 1);
      // The same delta until it is answered.
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
  // Eight dots of a line are folded by a real page; here every device sets what it has instead of adding for ever.
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
