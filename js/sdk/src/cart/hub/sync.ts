/**
 * When this page talks with the hub: soon after an act, when the network or the visitor comes back, when the live socket tells or
 * ends, and by polling where there is no socket. `talk.ts` makes the requests.
 */
import * as core from "../core.ts";
import { DEBOUNCE_MS, OFFLINE_MS } from "../limits.ts";
import { head, save } from "../storage/stored.ts";
import * as machine from "./machine.ts";
import * as live from "./socket.ts";
import { failed, receive, sendLast, step } from "./talk.ts";
import { token } from "./token.ts";

let timer: ReturnType<typeof setTimeout> | undefined;
let working: Promise<void> | undefined;
let isAgain = false;
let end: AbortController | undefined;
/** Called when the cart may look different. */
let changed: () => void;

/** Whether requests for this cart are allowed now: a customer's cart needs a token. */
const mayTalk = () => head.isLeaving || !head.user || !!token;

/** Starts talking with the hub. `share` is called when the cart may look different. */
export function start(share: () => void) {
  changed = share;
  machine.begin();
  live.connect(
    (frame) => {
      const isDue = receive(frame);
      changed();
      if (isDue) wait(0);
    },
    // Another socket needs another ticket, which the answer to a question brings.
    (ms) => wait(ms, true),
  );
  end = new AbortController();
  // The controller itself has the field `signal` that the options of a listener need.
  addEventListener("online", back, end);
  addEventListener("offline", gone, end);
  document.addEventListener("visibilitychange", () => (live.isOpen() ? live.probe() : back()), end);
}

/** Stops talking, until the next start. */
export function stop() {
  clearTimeout(timer);
  end?.abort();
  end = undefined;
  live.close();
}

/** Whether it has started. */
export const isOn = () => !!end;

/** The visitor did something: it goes out soon. */
export const poke = () => wait(live.isOpen() ? 0 : DEBOUNCE_MS);

/** Asks and sends now, whatever was waited for. */
export function now(): Promise<void> {
  machine.hurry();
  return work();
}

/** The page goes: sends one last message, without waiting for its answer. */
export function last() {
  core.seal();
  if (mayTalk() && !working) sendLast();
}

/** Whether the hub answers. */
export const isOnline = () => navigator.onLine && !machine.failures;

/** Works in `ms`, or later where the machine wants it. */
function wait(ms: number, mustAsk = false) {
  clearTimeout(timer);
  if (!end) return;
  timer = setTimeout(() => {
    machine.ask(mustAsk);
    void work();
  }, Math.max(ms, machine.notBefore - performance.now()));
}

/** Makes every request that is due, then waits for the next reason. */
function work(): Promise<void> {
  clearTimeout(timer);
  if (working) isAgain = true;
  return (working ??= round().finally(() => {
    const isAsked = isAgain;
    working = undefined;
    isAgain = false;
    // Another tab may lead by now: what is stored is no longer this tab's to write.
    if (!end) return;
    save();
    changed();
    const isDue = core.waiting() || head.orders.length || head.isLeaving || (machine.mustAsk && core.label());
    if (isAsked || (mayTalk() && isDue)) wait(0);
    else if (!live.isOpen() && core.label()) wait(machine.pollMs(Math.random()), true);
  }));
}

async function round() {
  // An answer that cannot be read is no answer.
  while (end && mayTalk() && performance.now() >= machine.notBefore) if (!(await step(changed).catch(() => failed()))) return;
}

/** The network or the visitor came back. */
function back() {
  if (document.visibilityState === "hidden" && navigator.onLine) return;
  machine.forgive();
  wait(0);
}

/** The network is gone. */
function gone() {
  // The answer to a message that is under way may never come: a socket waits ten seconds for it.
  live.close();
  wait(OFFLINE_MS, true);
  changed();
}
