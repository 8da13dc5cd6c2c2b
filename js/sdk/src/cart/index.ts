/**
 * The cart of this page: what `hilo.cart` does once it was used. `../cart.ts` loads it with the first act.
 *
 * `tabs/`: one tab leads and owns the replica, which the module holds (`core.ts`). The other tabs send it their acts and show at once
 * what these will come to. `hub/`: the leader's way to the hub. `storage/`: what outlives the page. Wires these together; decides
 * nothing about the cart's content.
 */
import type { Checkout } from "../types.ts";
import { perform } from "./calls.ts";
import { enter, host } from "./host.ts";
import { optIn } from "./hub/optin.ts";
import * as sync from "./hub/sync.ts";
import { renew, token } from "./hub/token.ts";
import { CLEAR } from "./limits.ts";
import { cellsOf, units } from "./line.ts";
import { takeOver } from "./storage/left.ts";
import { keep } from "./storage/store.ts";
import { head } from "./storage/stored.ts";
import * as display from "./tabs/display.ts";
import * as follower from "./tabs/follower.ts";
import * as group from "./tabs/group.ts";
import * as leader from "./tabs/leader.ts";
import { run } from "./tabs/tasks.ts";
import { products, report } from "./tabs/touchpoints.ts";
import type { Act, Host, OpenCart, TabMessage, TaskName } from "./types.ts";

/** The number of this tab's last act. The first one tells when the page opened: stored acts end with their time (`storage/left.ts`). */
let count = Date.now();

/** Opens this page's cart, once. */
export function open(page: Host): OpenCart {
  enter(page);
  keep();
  group.join(lead, leave, hear);
  display.begin();
  addEventListener("pagehide", () => (sync.isOn() ? leader.pause() : follower.left()));
  // The leader takes an order that this tab inherits before it shows its cart to this tab.
  inherit();
  group.tell({ hello: true });
  return cart;
}

/** This tab leads from now on. */
async function lead() {
  const before = group.leaves;
  // A tab that left meanwhile has no lock any more.
  if (!(await leader.load()) || group.leaves !== before) return;
  leader.begin();
  inherit();
  follower.handOver(head.done, leader.enact, run);
  report();
  group.tell({ lead: true });
  leader.share();
  if (head.user && !token) void renew().then(sync.now);
  void sync.now();
}

/** The page goes, or the tracker ends. */
function leave() {
  leader.resign();
  group.leave();
}

/** Does what pages left behind, or has the leader do it. */
function inherit() {
  takeOver(
    sync.isOn(),
    (name, args) => perform(cart, name, args),
    (acts, from) => (sync.isOn() ? leader.take(acts, from) : group.tell({ acts, from })),
  );
}

/** Takes a message of another tab. */
function hear(message: TabMessage) {
  follower.hear(message, sync.isOn());
  if (!sync.isOn()) return;
  const { hello, acts, from = "", ask, id = 0 } = message;
  if (hello) leader.share();
  if (acts) leader.take(acts, from);
  if (ask) void run(...ask).then((value) => group.tell({ result: [from, id, value] }));
}

/** Does a task here, or asks the leader for it, which may be this tab in a moment. */
const task = (name: TaskName, ...args: unknown[]) => (sync.isOn() ? run : follower.request)(name, args);

const cart: OpenCart = {
  act(kind, line, howMany, isQuiet = false) {
    // A missing line is a line that the module refuses: only clearing is about all lines.
    const act: Act = [++count, kind, units(howMany), kind === CLEAR ? null : cellsOf(line), isQuiet];
    if (!sync.isOn()) return follower.act(act);
    leader.enact(act);
    leader.acted();
  },
  state: display.state,
  on: display.on,
  checkout: (isQuiet) => task("checkout", isQuiet) as Promise<Checkout | null>,
  ordered: (orderId, lines, more) => task("ordered", String(orderId), lines, more) as Promise<void>,
  viewed: () => host.track("Cart Viewed", products(), ""),
  identify: (user, given) => void task("identify", user, given),
  reset: () => void task("reset"),
  optIn: (channel, state, text) => optIn(channel, state, text, host.anonymousId()),
  flush: () => task("flush") as Promise<void>,
  destroy: leave,
};
