/**
 * What only the leader does beside acts: checkouts, orders, login and logout. Another tab asks the leader for it by name.
 */
import type { Checkout, LineInput, Properties } from "../../types.ts";
import * as core from "../core.ts";
import { host } from "../host.ts";
import { call } from "../hub/call.ts";
import { personOf } from "../hub/person.ts";
import * as sync from "../hub/sync.ts";
import { takeOut } from "../hub/talk.ts";
import { leaveToken, renew, setToken, token } from "../hub/token.ts";
import type { CheckoutAnswer, Order } from "../hub/wire.ts";
import { cellsOf, lineIn, units } from "../line.ts";
import { forget } from "../storage/left.ts";
import { head, leave, save } from "../storage/stored.ts";
import type { TaskName } from "../types.ts";
import { state } from "./display.ts";
import { share } from "./leader.ts";
import { products, report } from "./touchpoints.ts";

async function checkout(isQuiet?: boolean): Promise<Checkout | null> {
  const { orders } = head;
  // A logout and an order each leave another list: after a logout the checkout is about another visitor's cart, and an order ends it.
  const isOver = () => head.orders !== orders;
  // The hub opens a customer's cart to the token only, and the site may still owe it.
  if (head.user && !token) await renew();
  await sync.now();
  if (isOver()) return null;
  const shown = core.shown();
  const { status, json } = await call<CheckoutAnswer>("POST", "/v1/cart/checkout", personOf(host));
  if (status !== 200 || isOver()) return null;
  const { checkout_id, sum_hash } = json!;
  head.checkout = checkout_id;
  head.lines = shown;
  save();
  if (!isQuiet) host.track("Checkout Started", { ...products(shown), checkout_id }, `checkout-${checkout_id}`);
  return { checkout_id, sum_hash, ...state() };
}

/** Takes the lines that the site names out of the cart, or else the checkout's, or else all. `more` is `true` for an order that the page reports itself. */
async function ordered(order_id: string, given?: LineInput[], more?: Properties | true) {
  // A page that is shown again tells its order again. By then the cart may have other articles.
  if (head.last === order_id) return sync.now();
  const shown = core.shown();
  const named = given?.map((line) => ({ ...lineIn(shown, cellsOf(line)), quantity: units(line.quantity) }));
  const lines = named ?? head.lines ?? shown;
  const checkout = head.checkout && { checkout_id: head.checkout };
  const order: Order = { order_id, ...checkout, lines: lines.map(({ variant, options, currency, quantity }) => ({ line: [variant, options, currency], quantity })) };
  head.orders = [...head.orders, order];
  head.last = order_id;
  head.checkout = "";
  head.lines = undefined;
  const waiting = core.waiting();
  core.order(0);
  takeOut(order);
  core.order(1);
  order.isPending = core.waiting() > waiting;
  save();
  share();
  const about = products(lines);
  if (more !== true) host.track("Order Completed", { ...about, total: about["value"], order_id, ...checkout, ...more }, `order-${order_id}`);
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
