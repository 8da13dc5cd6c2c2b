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

/** Tells all other tabs. */
export const tell = (message: TabMessage) => channel?.postMessage(message);

/** Joins the other tabs. `lead` is called when this tab leads from now on, `resign` when it no longer does. */
export function join(lead: () => void, resign: () => void, hear: (message: TabMessage) => void) {
  let release: (() => void) | undefined;
  let isAway = false;

  function enter() {
    isAway = false;
    channel = new BroadcastChannel(NAME);
    channel.onmessage = ({ data }) => hear(data);
    const isHeld = () =>
      isAway
        ? undefined
        : new Promise<void>((resolve) => {
            release = resolve;
            lead();
          });
    navigator.locks.request(NAME, isHeld).catch(lead);
  }

  /** A page in the back/forward cache gives the lock back: no other tab could lead meanwhile. */
  function leave() {
    isAway = true;
    if (release) resign();
    release?.();
    release = undefined;
    channel?.close();
    channel = undefined;
  }

  if (!isShared) return queueMicrotask(lead);
  enter();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && enter());
}
