/**
 * Promise: a login's merge ends in one cart, with no unit lost and none doubled, wherever workerd is killed meanwhile. The
 * next request finishes the merge, and without a request the guest's own alarm does.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, MUG, shown } from "./carts.ts";
import { configWith, eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const PEOPLE = 12;
const ROUNDS = 3;
/** The alarm of the guest's cart fires after five seconds, and once more after each kill. */
const ALARM_MS = 30_000;

// The policy `sum` makes a unit visible that is merged twice.
const config = configWith("http://127.0.0.1:9/").replace('merge = "max"', 'merge = "sum"');
const collector = await startCollector({ config });
after(() => collector.dispose());

const alive = () => eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));

test("a merge that is killed loses no unit and doubles none", async () => {
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
    // All guests sign in at once. The kill comes when this many merges are done, so that others are under way.
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
      // Every second guest sends the request again. For the others only the alarm is left, if their merge has begun.
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
