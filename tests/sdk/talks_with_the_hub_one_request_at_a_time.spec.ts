/**
 * Promise: the cart makes the request that is due, does what its answer leads to, and tries again neither too soon nor for ever.
 * Drives `js/sdk/src/cart/hub/machine.ts` without a browser: clock and chance are given.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { CART_NEXT_ASK, CART_NEXT_GO, CART_ORDER } from "../../js/sdk/src/codes.ts";
import * as machine from "../../js/sdk/src/cart/hub/machine.ts";
import * as is from "../../js/sdk/src/cart/hub/states.ts";

/** What there is to do; nothing, where `what` does not name it. */
function work(what: Partial<{ hasLeft: boolean; token: string; label: string; message: string; waiting: number; orders: number }> = {}): machine.Work {
  return {
    hasLeft: () => !!what.hasLeft,
    mayAsk: () => what.label || what.token,
    nextMessage: () => what.message ?? "",
    isWaiting: () => what.waiting,
    hasLabel: () => what.label,
    hasOrder: () => what.orders,
  };
}

/** A machine whose first question was answered. */
function begun() {
  machine.begin();
  assert.equal(machine.due(work({ label: "c" })), is.ASKING);
  machine.moveOf(is.ASKING, is.TAKEN);
  machine.learned(CART_NEXT_GO);
}

const everything = { label: "c", message: "m", waiting: 1, orders: 1 };
for (const [name, what, expected] of [
  ["a logout goes out before everything else", { ...everything, hasLeft: true }, is.LEAVING],
  ["a message goes out before an order", everything, is.SENDING],
  ["an order goes out before the operations behind it", { ...everything, message: CART_ORDER, waiting: 2 }, is.ORDERING],
  ["an order without a place among the operations goes out when none waits", { label: "c", orders: 1 }, is.ORDERING],
  ["operations that no message may carry lead to a question", { label: "c", waiting: 1, orders: 1 }, is.ASKING],
  ["operations of a cart without a label wait, because there is no cart to ask for", { waiting: 1 }, is.STUCK],
  ["a page with nothing to do rests", { label: "c" }, is.RESTING],
] as const) {
  test(name, () => {
    begun();
    assert.equal(machine.due(work(what)), expected);
  });
}

test("a page that knows a cart asks first, and a guest's first act asks nothing", () => {
  machine.begin();
  assert.equal(machine.due(work(everything)), is.ASKING);
  machine.begin();
  assert.equal(machine.due(work({ message: "m", waiting: 1 })), is.SENDING);
  machine.begin();
  assert.equal(machine.due(work({ token: "t" })), is.ASKING);
});

test("the next message is taken from the module only where it goes out now", () => {
  machine.begin();
  let taken = 0;
  const counted = (what: Parameters<typeof work>[0]) => ({ ...work(what), nextMessage: () => ((taken += 1), "m") });
  machine.due(counted({ label: "c", hasLeft: true }));
  machine.due(counted({ label: "c" }));
  assert.equal(taken, 0);
  machine.due(counted({ label: "c" }));
  assert.equal(taken, 1);
});

const { LEARN, FORGET_LEAVING, RENEW_TOKEN, LEARN_REFUSAL, PAUSE, FORGET_ORDER, BACK_OFF } = is;
for (const [status, code, leaving, asking, sending, ordering] of [
  [200, "", FORGET_LEAVING, LEARN, LEARN, LEARN],
  [204, "", FORGET_LEAVING, BACK_OFF, BACK_OFF, BACK_OFF],
  [400, "malformed_delta", BACK_OFF, BACK_OFF, LEARN_REFUSAL, FORGET_ORDER],
  [401, "token_expired", BACK_OFF, RENEW_TOKEN, RENEW_TOKEN, RENEW_TOKEN],
  [401, "unknown_key", BACK_OFF, PAUSE, PAUSE, PAUSE],
  [403, "origin_refused", BACK_OFF, PAUSE, PAUSE, PAUSE],
  [403, "foreign_replica", BACK_OFF, LEARN_REFUSAL, LEARN_REFUSAL, LEARN_REFUSAL],
  [404, "", BACK_OFF, PAUSE, PAUSE, FORGET_ORDER],
  [409, "missing", BACK_OFF, BACK_OFF, LEARN_REFUSAL, FORGET_ORDER],
  [410, "cart_merged", BACK_OFF, LEARN_REFUSAL, LEARN_REFUSAL, LEARN_REFUSAL],
  [413, "delta_too_large", BACK_OFF, BACK_OFF, LEARN_REFUSAL, FORGET_ORDER],
  [422, "bad_line", BACK_OFF, BACK_OFF, LEARN_REFUSAL, FORGET_ORDER],
  [429, "", BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF],
  [503, "cart_merging", BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF],
  [0, "", BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF],
] as const) {
  test(`the answer ${[status, code].join(" ").trim()} leads to one move in each state`, () => {
    machine.begin();
    const event = machine.eventOf(status, code);
    const moves = [is.LEAVING, is.ASKING, is.SENDING, is.ORDERING].map((state) => machine.moveOf(state, event));
    assert.deepEqual(moves, [leaving, asking, sending, ordering]);
  });
}

test("a question that the hub did not take is asked again", () => {
  machine.begin();
  assert.equal(machine.due(work(everything)), is.ASKING);
  assert.equal(machine.mustAsk, false);
  machine.moveOf(is.ASKING, is.UNANSWERED);
  assert.equal(machine.due(work(everything)), is.ASKING);
});

test("a token is renewed once, and again only after the hub took a request", () => {
  machine.begin();
  assert.deepEqual([machine.renews(), machine.renews()], [true, false]);
  machine.moveOf(is.SENDING, is.UNANSWERED);
  assert.equal(machine.renews(), false);
  machine.moveOf(is.SENDING, is.TAKEN);
  assert.equal(machine.renews(), true);
});

test("each failure doubles the longest wait, up to a minute, and an answer ends that", () => {
  machine.begin();
  const waits = Array.from({ length: 9 }, () => (machine.backOff(1_000, 1), machine.notBefore - 1_000));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assert.equal(machine.failures, 9);
  machine.moveOf(is.SENDING, is.TAKEN);
  machine.backOff(0, 0.5);
  assert.equal(machine.notBefore, 500);
});

test("the hub's own wait counts, up to five minutes, and a refused key waits ten", () => {
  machine.begin();
  machine.backOff(0, 1, 7);
  assert.equal(machine.notBefore, 7_000);
  machine.backOff(0, 1, 86_400);
  assert.equal(machine.notBefore, 300_000);
  machine.pause(1);
  assert.equal(machine.notBefore, 600_001);
});

test("a visitor who comes back does not wait; an act that hurries keeps the failures", () => {
  machine.begin();
  machine.backOff(0, 1);
  machine.hurry();
  assert.deepEqual([machine.notBefore, machine.failures, machine.mustAsk], [0, 1, true]);
  machine.backOff(0, 1);
  machine.forgive();
  assert.deepEqual([machine.notBefore, machine.failures, machine.mustAsk], [0, 0, true]);
});

test("answers that each lead to another question end after three", () => {
  machine.begin();
  const isLed = () => (machine.due(work(everything)), machine.learned(CART_NEXT_ASK));
  assert.deepEqual([isLed(), isLed(), isLed(), isLed()], [true, true, true, false]);
  machine.backOff(0, 1);
  machine.ask(true);
  assert.equal(isLed(), true);
});

test("a view that the module cannot read is no answer", () => {
  machine.begin();
  assert.equal(machine.learned(NaN), false);
});

test("a message that the hub takes without confirming it is asked about once", () => {
  begun();
  assert.equal(machine.doubts("m"), true);
  assert.equal(machine.due(work(everything)), is.ASKING);
  assert.equal(machine.doubts("m"), false);
  machine.backOff(0, 1);
  assert.equal(machine.doubts("m"), true);
});

test("polls lie around a quarter of a minute apart", () => {
  assert.deepEqual([machine.pollMs(0), machine.pollMs(1)], [7_500, 22_500]);
});
