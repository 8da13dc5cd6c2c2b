/**
 * Promise: a login's merge that is killed anywhere ends in one cart with no unit lost and none doubled: by the next request, or
 * by the guest's own alarm where nobody asks again.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, MUG, shown } from "./carts.ts";
import { configWith, eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const PEOPLE = 12;
const ROUNDS = 3;
/** The guest's own alarm comes after five seconds, and again after each kill. */
const ALARM_MS = 30_000;

// With `sum` a unit that is merged twice shows.
const config = configWith("http://127.0.0.1:9/").replace('merge = "max"', 'merge = "sum"');
const collector = await startCollector({ config });
after(() => collector.dispose());

const alive = () => eventually(async () => ((await collector.fetch("/health").catch(() => undefined))?.ok ? true : undefined));

test("no unit is lost, and none doubled", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const names = Array.from({ length: PEOPLE }, (_, n) => `person-${round}-${n}`);
    const guests = await Promise.all(
      names.map(async (name) => {
        const token = signToken(claimsOf(name));
        assert.equal((await new Device(collector, token).add(MUG, 3)).status, 200);
        const guest = new Device(collector);
        assert.equal((await guest.add(MUG, 2)).status, 200);
        guest.user = token;
        return guest;
      }),
    );
    // All sign in at once; the kill comes when so many are through that others are under way.
    let through = 0;
    const signingIn = guests.map(async (guest) => {
      const answer = await guest.look().catch(() => undefined);
      if (++through === 2 * round + 1) collector.kill();
      return answer?.status === 200;
    });
    const done = await Promise.all(signingIn);
    await alive();
    for (const [at, name] of names.entries()) {
      const guest = guests[at]!;
      // Every other one comes back; for the rest only the alarm is left, if a merge has begun.
      if (!done[at] && at % 2 === 0) {
        await eventually(async () => ((await guest.look().catch(() => undefined))?.status === 200 ? true : undefined));
      }
      await eventually(async () => {
        const { standing } = await collector.admin(`/admin/v1/carts/${guest.cart}`);
        return standing === "merging" ? undefined : true;
      }, ALARM_MS).catch(() => assert.fail(`${name} is stuck`));
      const mugs = (await shown(collector, `u:${name}`))["mug"];
      const left = done[at] || at % 2 === 0 ? 0 : ((await shown(collector, guest.cart))["mug"] ?? 0);
      assert.equal(mugs! + left, 5, name);
    }
  }
});
