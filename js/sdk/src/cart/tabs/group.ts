/**
 * Several tabs of one origin, one cart. One tab leads and owns the replica; the others send it their visitors' acts and receive the
 * cart. The leader holds a Web Lock; when the leader goes, the browser gives the lock to the next tab. Without Web Locks every tab
 * leads for itself.
 *
 * Messages are plain data. A tab repeats its acts until the leader has done them, and each act has a number, so that a change of
 * leader neither loses nor doubles an act.
 */
import type { TabMessage } from "../types.ts";

const NAME = "hilo.cart";

/** Whether the tabs share one cart. */
export const isShared = typeof navigator.locks?.request === "function" && typeof BroadcastChannel === "function";

let channel: BroadcastChannel | undefined;
/** Gives the lock back. */
let release: (() => void) | undefined;
/** How often this tab has left the other tabs. */
export let leaves = 0;

/** Tells all other tabs. */
export const tell = (message: TabMessage) => channel?.postMessage(message);

/** Joins the other tabs. `lead` is called when this tab leads from now on, `left` when its page goes. */
export function join(lead: () => void, left: () => void, hear: (message: TabMessage) => void) {
  function enter() {
    const before = leaves;
    channel = new BroadcastChannel(NAME);
    channel.onmessage = ({ data }) => hear(data);
    // A tab that left meanwhile wants the lock no more.
    const isHeld = () =>
      leaves === before &&
      new Promise<void>((resolve) => {
        release = resolve;
        lead();
      });
    navigator.locks.request(NAME, isHeld).catch(lead);
  }

  if (!isShared) return queueMicrotask(lead);
  enter();
  addEventListener("pagehide", left);
  addEventListener("pageshow", (event) => event.persisted && enter());
}

/** Leaves the other tabs: one of them leads from now on. A page in the back/forward cache does that too, and joins again when it is back. */
export function leave() {
  leaves += 1;
  release?.();
  channel?.close();
  release = channel = undefined;
}
