/**
 * The leader's part of a tab: owns the replica, does the acts of all tabs, talks with the hub, and tells the other tabs how the cart
 * looks. `tasks.ts` is what the site can ask of a leader beside acts.
 */
import * as core from "../core.ts";
import { host } from "../host.ts";
import * as sync from "../hub/sync.ts";
import { TABS_MAX } from "../limits.ts";
import { isPersistent } from "../storage/store.ts";
import { head, leave, restore, save } from "../storage/stored.ts";
import type { Act } from "../types.ts";
import * as display from "./display.ts";
import { tell } from "./group.ts";
import { report } from "./touchpoints.ts";

let module: Promise<void> | undefined;

/** Compiles the module, once. Returns false where that fails: then this tab has no cart. */
export async function load(): Promise<boolean> {
  try {
    await (module ??= core.compile());
    return true;
  } catch (error) {
    host.say(error);
    module = undefined;
    display.known();
    return false;
  }
}

/** Begins to lead, with what storage holds. */
export function begin() {
  restore();
  report(head.drafts);
  sync.start(share);
}

/** Does one act on the replica. */
export function enact([, kind, count, cells, isQuiet]: Act) {
  const refusal = cells ? core.act(kind, count, cells, isQuiet) : core.clear(isQuiet);
  if (refusal) host.say(`the cart refused this: ${refusal}`);
}

/** Does the acts of the tab `from` that were not done yet. */
export function take(acts: Act[], from: string) {
  for (const act of acts) {
    if (act[0] <= (head.done[from] ?? 0)) continue;
    enact(act);
    head.done[from] = act[0];
  }
  head.done = Object.fromEntries(Object.entries(head.done).slice(-TABS_MAX));
  acted();
}

/** The cart changed: stores it, sends it soon, shows it. */
export function acted() {
  save();
  sync.poke();
  share();
}

/** Tells everybody how the cart looks now. */
export function share() {
  if (!sync.isOn()) return;
  const lines = core.shown();
  const status = { ...display.status, online: sync.isOnline(), pending: core.waiting() + head.orders.length, persistent: isPersistent(), lost: core.lost() };
  tell({ shown: lines, status, done: head.done });
  display.show(lines, status);
}

/** The page may go: sends, reports and stores what there is. */
export function pause() {
  sync.last();
  report();
  save();
}

/** Stops leading. */
export function resign() {
  if (!sync.isOn()) return;
  pause();
  sync.stop();
  // The stored cart is another tab's now. An answer that is still under way is about this head, so it changes nothing.
  leave(false);
}
