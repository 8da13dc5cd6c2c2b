/**
 * Several tabs of one origin: one of them, the leader, sends the stored events of all.
 *
 * A tab holds a lock of its own while it sends its events itself (`page.ts`). The leader asks for the lock of a tab before it takes the
 * tab's events: the browser gives the lock once that tab is closed or has handed its events over. When the leader goes, the browser
 * gives the leader's lock to the next tab. A leader that leaves stored events where they are, because the browser has frozen it,
 * loses the lock to the tab that stored them. Without Web Locks each tab takes up what it finds.
 */
import { CALL_HAND_OVER, CALL_TAKE_UP, HAPPENED_ONLINE, HAPPENED_TASK_ENDED } from "../codes.ts";
import type { Host } from "./host.ts";

/** Prefix of the queue's keys, and of the locks; alone it is the leader's lock. */
const PREFIX = "hilo.q.";
/** How often a tab that does not lead looks after the events that it has stored. */
const LOOK_MS = 1_400;
/** How often in a row a tab may take the lead for the same events: where the storage is full, no leader can take them. */
const STEALS_MAX = 3;

/** Whether a stored event is JSON. */
function isWhole(event: string): boolean {
  try {
    JSON.parse(event.slice(event.indexOf("{")));
    return true;
  } catch {
    return false;
  }
}

/**
 * Leaves the whole events of a stored text. What stands in place of the others, the module counts as corrupt. Returns whether one of them
 * is essential, which a mark before its JSON says. What another storage holds is this tab's own, and stays as it is.
 */
function mend(key: string): boolean {
  const text = localStorage.getItem(key);
  if (!text) return false;
  const mended = text.split("\r").map((event) => (isWhole(event) ? event : "?")).join("\r");
  if (mended !== text) localStorage.setItem(key, mended);
  return mended.includes("|!{");
}

/** The function that takes up the events of a tab. */
const takerOf =
  ({ guarded, queue: [, keys, , happen] }: Host) =>
  (of: string) => {
    // The end of a task lets a hidden page send at once, after any pause: a browser slows its timers down.
    let happened = HAPPENED_TASK_ENDED;
    // An order waits for nothing.
    guarded(() => keys(PREFIX + of).split("\n").forEach((key) => mend(key) && (happened = HAPPENED_ONLINE)));
    guarded(() => happen(CALL_TAKE_UP, of));
    guarded(() => happen(happened));
  };

/** The tabs that have stored events, by their part of the keys. */
const tabsOf = (keys: string) => new Set(keys.split("\n").map((key) => /^hilo\.q\.(.*\.)/.exec(key)?.[1] ?? ""));

/** Settles with the other tabs which one sends, until the tracker stops. */
export function watchTabs(host: Host) {
  const { locks } = navigator;
  if (!locks) return;
  const { listen, guarded, atEnd, consent, queue } = host;
  const [tab, keys, free, happen] = queue;
  const own = `${tab}.`;
  const takeUp = takerOf(host);
  /** The tabs whose locks were asked for. */
  const asked = new Set(["", own]);
  let stay: AbortController;
  let isLeading = false;
  let resign = () => {};
  let steals = 0;

  function take(of: string) {
    if (asked.has(of)) return;
    asked.add(of);
    const taken = () => void (asked.delete(of), isLeading && takeUp(of));
    locks.request(PREFIX + of, { signal: stay.signal }, taken).catch(() => asked.delete(of));
  }
  const look = () => isLeading && tabsOf(keys(PREFIX)).forEach(take);
  function lead() {
    isLeading = true;
    takeUp(own);
    guarded(look);
    return new Promise<void>((resolve) => (resign = resolve));
  }
  function join() {
    const { signal } = (stay = new AbortController());
    const ask = (options: LockOptions) =>
      void locks.request(PREFIX, options, (lock) => (signal.aborted ? undefined : lock ? lead() : wait())).catch(() => {
        if (signal.aborted) return;
        // Another tab has taken the lead, or this browser keeps locks from the page.
        if (isLeading) wait();
        else takeUp("");
      });
    function wait() {
      isLeading = false;
      ask({ signal });
      follow([]);
    }
    /** `seen` are the keys that this tab had stored when it last looked. */
    function follow(seen: string[]) {
      if (signal.aborted || isLeading) return;
      if (happen(CALL_HAND_OVER)) {
        free();
        if (!seen.some((key) => localStorage.getItem(key))) steals = 0;
        else if (steals++ < STEALS_MAX) return ask({ steal: true });
      }
      const stored = keys(PREFIX + own).split("\n");
      setTimeout(() => guarded(() => follow(stored)), LOOK_MS);
    }
    ask({ ifAvailable: true });
  }
  function part() {
    stay.abort();
    isLeading = false;
    resign();
  }

  join();
  listen(window, "storage", (event) => (event as StorageEvent).key?.startsWith(PREFIX) && look());
  consent.on(() => guarded(look));
  // A page with a lock does not enter the back/forward cache.
  listen(window, "pagehide", part);
  listen(window, "pageshow", (event) => (event as PageTransitionEvent).persisted && join());
  atEnd(part);
}
