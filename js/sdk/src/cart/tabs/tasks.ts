/**
 * What only the leader does beside acts: checkouts, orders, login and logout. Another tab asks the leader for it by name.
 */
import type { Checkout, LineInput } from "../../types.ts";
import * as core from "../core.ts";
import { host } from "../host.ts";
import { call } from "../hub/call.ts";
import { personOf } from "../hub/person.ts";
import * as sync from "../hub/sync.ts";
import { leaveToken, renew, setToken } from "../hub/token.ts";
import type { CheckoutAnswer } from "../hub/wire.ts";
import { cellsOf, units } from "../line.ts";
import { forget } from "../storage/left.ts";
import { head, leave, save } from "../storage/stored.ts";
import type { TaskName } from "../types.ts";
import { base, state } from "./display.ts";
import { share } from "./leader.ts";
import { products, report } from "./touchpoints.ts";

async function checkout(isQuiet?: boolean): Promise<Checkout | null> {
  await sync.now();
  const before = head;
  const { status, json } = await call<CheckoutAnswer>("POST", "/v1/cart/checkout", personOf(host));
  // After a logout the checkout is about another visitor's cart.
  if (status !== 200 || !json || head !== before) return null;
  const { checkout_id, sum_hash } = json;
  head.checkout = checkout_id;
  save();
  if (!isQuiet) host.track("Checkout Started", { ...products(true), checkout_id }, `checkout-${checkout_id}`);
  const { lines, totals } = state();
  return { checkout_id, sum_hash, lines, totals };
}

async function ordered(order_id: string, lines?: LineInput[], isQuiet?: boolean) {
  const checkout = head.checkout && { checkout_id: head.checkout };
  const bought = lines?.map((line) => ({ line: cellsOf(line).slice(0, 3), quantity: units(line.quantity) }));
  const shown = base.map(({ variant, options, currency, quantity }) => ({ line: [variant, options, currency], quantity }));
  // Without a checkout the hub has to learn what was bought.
  head.orders.push({ order_id, ...checkout, ...((bought || !checkout) && { lines: bought ?? shown }) });
  head.checkout = "";
  save();
  if (!isQuiet) host.track("Order Completed", { ...products(true), order_id, ...checkout }, `order-${order_id}`);
  await sync.now();
}

function identify(user: string, given?: string) {
  if (head.user && head.user !== user) reset();
  head.user = user;
  if (given) setToken(given);
  void (given ? sync.now() : renew().then(sync.now));
}

function reset() {
  sync.last();
  report();
  sync.stop();
  leaveToken();
  core.leave();
  forget();
  leave(true);
  save();
  sync.start(share);
  share();
  void sync.now();
}

const tasks = { checkout, ordered, identify, reset, flush: sync.now };

/** Does a task by its name; this tab leads. */
export async function run(name: TaskName, args: unknown[]): Promise<unknown> {
  return (tasks[name] as (...args: unknown[]) => unknown)(...args);
}
