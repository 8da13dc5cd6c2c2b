/**
 * Several tabs of one origin, one cart: one tab leads and owns the replica, the others send it what their visitors do and are
 * shown what comes of it. The leader holds a Web Lock; when it goes, the browser gives the lock to the next. Without Web Locks
 * every tab leads for itself.
 *
 * What travels is plain data. A tab repeats its acts until the leader has done them, and each act is numbered, so that a
 * change of leader neither loses nor doubles one.
 */
const NAME = "hilo.cart";

export interface Tabs {
  /** Whether this tab is the only one that can write. */
  readonly isShared: boolean;
  /** Tells all other tabs. */
  tell(what: unknown): void;
}

/** Joins the other tabs. `lead` is called when this tab leads from now on, `resign` when it no longer does. */
export function tabs(lead: () => void, resign: () => void, hear: (what: any) => void): Tabs {
  const isShared = typeof navigator.locks?.request === "function" && typeof BroadcastChannel === "function";
  let channel: BroadcastChannel | undefined;
  let release: (() => void) | undefined;
  let isAway = false;

  function join() {
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

  /** A page in the back/forward cache must not hold the lock: nobody else could lead meanwhile. */
  function leave() {
    isAway = true;
    if (release) resign();
    release?.();
    release = undefined;
    channel?.close();
    channel = undefined;
  }

  if (isShared) {
    join();
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => event.persisted && join());
  } else {
    queueMicrotask(lead);
  }
  return { isShared, tell: (what) => channel?.postMessage(what) };
}
