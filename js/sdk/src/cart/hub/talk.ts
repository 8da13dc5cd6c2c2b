/**
 * The requests to the hub and what becomes of their answers, one step at a time. `machine.ts` decides which request is due and what
 * its answer leads to; the module decides what an answer means for the cart.
 */
import * as codes from "../../codes.ts";
import * as core from "../core.ts";
import { opsOf, viewText } from "../flat.ts";
import { host } from "../host.ts";
import { head, learn, save } from "../storage/stored.ts";
import { note } from "../tabs/display.ts";
import { report } from "../tabs/touchpoints.ts";
import { call, type Answer } from "./call.ts";
import * as machine from "./machine.ts";
import { personOf } from "./person.ts";
import * as live from "./socket.ts";
import { ASKING, BACK_OFF, FORGET_LEAVING, FORGET_ORDER, LEARN, LEARN_REFUSAL, LEAVING, ORDERING, RENEW_TOKEN, RESTING, SENDING, STUCK } from "./states.ts";
import { left, renew, setToken, token } from "./token.ts";
import type { Frame, HubAnswer, Order } from "./wire.ts";

/** The hub's words for a refusal; a test in `hilo-tracker/src/cart` compares them with the core's. Every other word means a bad message. */
const REFUSALS: Record<string, number> = {
  missing: codes.CART_REFUSAL_MISSING,
  epoch: codes.CART_REFUSAL_EPOCH,
  foreign_replica: codes.CART_REFUSAL_FOREIGN,
  replica_exhausted: codes.CART_REFUSAL_FOREIGN,
  cart_merged: codes.CART_REFUSAL_MERGED,
  cart_merging: codes.CART_REFUSAL_BUSY,
  too_many_replicas: codes.CART_REFUSAL_BUSY,
  unknown_version: codes.CART_REFUSAL_BUSY,
};

/** The message under way, or the last one. */
let message = "";
/** The request under way, or the last one. */
let state: number;

/** What there is to do, for the machine. */
const work: machine.Work = {
  hasLeft: () => head.isLeaving,
  mayAsk: () => core.label() || token,
  nextMessage() {
    message = core.message();
    report();
    save();
    return message;
  },
  isWaiting: core.waiting,
  hasLabel: core.label,
  hasOrder: () => head.orders.length,
};

const post = (path: string, body: object) => call<HubAnswer>("POST", `/v1/cart/${path}`, body);
const ops = () => ({ ...opsOf(message), ...personOf(host) });

/** Makes the request of the state. */
function request(): Promise<Answer<HubAnswer>> {
  // The hub closes the sockets of the login that ended.
  if (state === LEAVING) return call("POST", "/v1/cart/leave", {}, left);
  if (state === ASKING) {
    const [epoch, rev] = core.position();
    return call("GET", `/v1/cart?epoch=${epoch}&rev=${rev}`);
  }
  if (state === ORDERING) return post("ordered", { ...head.orders[0], ...personOf(host) });
  return live.isOpen() ? live.send(ops(), message) : post("ops", ops());
}

/** Makes the request that is due, if any. Returns whether the next step may follow at once. Calls `changed` when the cart may look different. */
export async function step(changed: () => void): Promise<boolean> {
  state = machine.due(work);
  if (state === RESTING) return false;
  if (state === STUCK) return failed();
  const before = head;
  const { status, json, retryAfterS } = await request();
  // The visitor logged out meanwhile, or this tab stopped leading: the answer is about a cart that this tab no longer has.
  if (head !== before) return true;
  const { code = "", replica = "", from = 0, previous } = json?.error ?? {};
  const move = machine.moveOf(state, machine.eventOf(status, code));
  if (move === FORGET_LEAVING) {
    head.isLeaving = false;
    save();
    return true;
  }
  if (move === LEARN) return take(json, changed);
  if (move === LEARN_REFUSAL) {
    const next = core.refused(REFUSALS[code] ?? codes.CART_REFUSAL_BAD_MESSAGE, replica, from, previous);
    machine.ask(next === codes.CART_NEXT_ASK);
    // A refusal that the module cannot read gives no number: the message waits too. What is no message stays due, so it waits always.
    return (state === SENDING && next < codes.CART_NEXT_WAIT) || failed(retryAfterS);
  }
  if (move === RENEW_TOKEN) {
    if ((machine.renews() && (await renew())) || head !== before) return true;
    setToken("");
  }
  if (move === FORGET_ORDER) {
    host.say(`the cart refused this: ${code}`);
    // The visitor has paid all the same.
    takeOut(orderDone());
  }
  if (move === FORGET_ORDER || move === BACK_OFF) return failed(retryAfterS);
  machine.pause(performance.now());
  return false;
}

/** The hub knows the oldest order, or never will. Returns the order. */
function orderDone() {
  const order = head.orders.shift();
  // An order that took nothing has no place among the operations: the place that is due is another order's.
  if (!order || order.isPending) core.ordered();
  return order;
}

/** Takes the units of an order out of the cart. */
export const takeOut = (order?: Order) =>
  order?.lines?.forEach(({ line, quantity }) => core.act(codes.CART_ACT_DEC, quantity, [...line, ""], true));

/** Takes a view, or an answer without one. Returns whether the next step may follow at once. */
function take(json: HubAnswer | null, changed: () => void): boolean {
  if (state === ORDERING) orderDone();
  if (json) {
    note(json.checkout_open);
    learn(json);
    if (!machine.learned(core.learn(viewText(json)))) return failed();
  }
  if (state === SENDING && core.message() === message) {
    if (!machine.doubts(message)) return failed();
    core.doubt();
  }
  save();
  changed();
  // A view of another cart, such as the one before a login, has another cart's ticket.
  if (json?.live && json.cart === core.label()) live.open(json.live, core.label());
  return true;
}

/** The request failed. The next one waits. */
export function failed(retryAfterS?: number): false {
  machine.backOff(performance.now(), Math.random(), retryAfterS);
  return false;
}

/** Takes a frame of the live socket. Returns whether a step is due. */
export function receive(frame: Frame): unknown {
  if (frame.t === "checkout") note(frame.open);
  // The hub may have taken the order that is under way: its units would count twice until the answer comes.
  if (frame.t === "view" || frame.t === "delta") machine.ask(state === ORDERING || core.learn(viewText(frame)) === codes.CART_NEXT_ASK);
  if (frame.t === "merged") core.doubt();
  machine.ask(frame.t === "merged" || frame.t === "ack");
  save();
  return machine.mustAsk || core.waiting();
}

/** Sends the next message without waiting for its answer. */
export function sendLast() {
  message = core.message();
  // More than a letter: an order that is due goes out at once or from the next page.
  if (message[1]) void post("ops", ops());
}
