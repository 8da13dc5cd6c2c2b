/**
 * The way to the hub: one message at a time by HTTP or, once the hub offers it, by a live socket; asks again by polling where
 * there is none. What an answer means is the module's to decide; when to try again is decided here (protocol.md).
 */
import type { Answer, Call } from "./call.ts";
import * as core from "./core.ts";
import { opsOf, viewText } from "./flat.ts";
import { socketOf } from "./socket.ts";
import type { Token } from "./token.ts";

type Json = any;

/** Edits within this time travel together. */
const DEBOUNCE_MS = 250;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 60_000;
const RETRY_AFTER_S_MAX = 300;
/** A key or origin that was refused is not tried again before this. */
const REFUSED_MS = 600_000;
/** How often the hub is asked where there is no socket and somebody looks. */
const POLL_MS = 15_000;

/** The codes of refusals that are not the message's own fault, in the order of the module's numbers. */
const REFUSED = [
  ["missing"],
  ["epoch"],
  ["foreign_replica", "replica_exhausted"],
  ["cart_merged"],
  ["cart_merging", "too_many_replicas", "unknown_version"],
];

/** An order that the hub has to hear of, until it has. */
export interface Order {
  order_id: string;
  checkout_id?: string | undefined;
  lines?: Json[] | undefined;
}

/** What the engine needs of the cart. */
export interface Home {
  call: Call;
  endpoint: string;
  token: Token;
  /** Whether this cart may be spoken about now: a customer's needs a token. */
  mayTalk(): boolean;
  /** Keeps everything; before each message. */
  keep(): void;
  /** Reports what became final. */
  report(): void;
  /** Something may look different. */
  changed(): void;
  person(): Json;
  /** Something beside the view that an answer says. */
  noted(json: Json): void;
  readonly orders: Order[];
  /** Whether the collector has yet to hear that the visitor logged out, and that it has. */
  readonly isLeaving: boolean;
  left(): void;
}

export interface Sync {
  /** Something was done: it goes out soon. */
  poke(): void;
  /** Asks and sends now, whatever was waited for. */
  now(): Promise<void>;
  /** The page goes: one last message, without waiting for its answer. */
  last(): void;
  stop(): void;
  isOnline(): boolean;
}

/** Starts speaking with the hub. */
export function syncOf(home: Home): Sync {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let working: Promise<void> | undefined;
  let isAgain = false;
  let isStopped = false;
  let isAsking = true;
  let failures = 0;
  let notBefore = 0;
  let ticket = "";
  let asked = 0;
  let repeated = "";
  let isRenewed = false;
  const live = socketOf(home.endpoint, heard, lost);

  function wait(ms: number, isPoll = false) {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      isAsking ||= isPoll;
      void work();
    }, Math.max(ms, notBefore - performance.now()));
  }

  function work(): Promise<void> {
    clearTimeout(timer);
    if (working) isAgain = true;
    return (working ??= all().finally(() => {
      working = undefined;
      home.keep();
      home.changed();
      if (isAgain) wait(0);
      else if (home.mayTalk() && (core.waiting() || home.orders.length || home.isLeaving || (isAsking && core.label()))) wait(0);
      else if (!live.isReady() && core.label()) wait(POLL_MS * (0.5 + Math.random()), true);
      isAgain = false;
    }));
  }

  async function all() {
    while (!isStopped && home.mayTalk() && performance.now() >= notBefore) {
      if (!(await step())) return;
    }
  }

  async function step(): Promise<boolean> {
    if (home.isLeaving) {
      // Before anything else: what comes next must not go into the cart of who was here.
      const { status, retryAfterS } = await home.call("POST", "/v1/cart/leave", {});
      if (status !== 200 && status !== 204) return failed(retryAfterS);
      home.left();
      home.keep();
      return true;
    }
    // Nothing is asked before something can be there: the first act speaks for itself.
    if (isAsking && (core.label() || home.token.get())) {
      isAsking = false;
      asked += 1;
      const [epoch, rev] = core.asks();
      const answer = await home.call("GET", `/v1/cart?epoch=${epoch}&rev=${rev}`);
      isAsking ||= answer.status !== 200;
      return answered(answer, "");
    }
    isAsking = false;
    const text = core.message();
    home.report();
    home.keep();
    if (text) {
      const ops = { ...opsOf(text), ...person() };
      return answered(live.isReady() ? await live.send(ops, text) : await home.call("POST", "/v1/cart/ops", ops), text);
    }
    if (core.waiting()) return (isAsking = !!core.label()) ? true : failed();
    const [order] = home.orders;
    if (!order) return false;
    const answer = await home.call("POST", "/v1/cart/ordered", { ...order, ...person() });
    // What the hub will never take is not told for ever.
    if (answer.status === 200 || [400, 404, 409, 422].includes(answer.status)) home.orders.shift();
    return answer.status === 200 ? answered(answer, "") : failed(answer.retryAfterS);
  }

  function person() {
    const about = home.person();
    return about ? { person: about } : {};
  }

  async function answered({ status, json, retryAfterS }: Answer, text: string): Promise<boolean> {
    if (status === 200) {
      failures = 0;
      isRenewed = false;
      return learned(json, text);
    }
    const { code = "", replica = "", from = 0, previous } = json?.error ?? {};
    if (status === 401 && code.startsWith("token_")) {
      if (!isRenewed && (isRenewed = true) && (await home.token.renew())) return (isAsking ||= !text);
      home.token.set("");
      return refusedFor(REFUSED_MS);
    }
    if (code === "foreign_replica" || code === "cart_merged" || (text && [400, 409, 413, 422].includes(status))) {
      const why = REFUSED.findIndex((codes) => codes.includes(code));
      const next = core.refused(why < 0 ? REFUSED.length : why, replica, from, previous);
      isAsking ||= next === 1;
      return next === 2 ? failed(retryAfterS) : true;
    }
    if ([401, 403, 404, 410].includes(status)) return refusedFor(REFUSED_MS);
    return failed(retryAfterS);
  }

  function learned(json: Json, text: string): boolean {
    if (json) {
      home.noted(json);
      ticket = json.live ?? ticket;
      const next = core.learn(viewText(json));
      // An answer that leads nowhere is treated like none.
      if (next !== next || (next === 1 && asked > 3)) return failed();
      isAsking ||= next === 1;
      if (next !== 1) asked = 0;
    }
    if (text && core.message() === text) {
      if (repeated === text) return failed();
      repeated = text;
      core.doubt();
      isAsking = true;
    }
    home.keep();
    home.changed();
    if (ticket && core.label()) live.open(ticket, core.label());
    ticket = "";
    return true;
  }

  function failed(retryAfterS?: number): false {
    failures += 1;
    const ms = Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** failures);
    notBefore = performance.now() + (retryAfterS === undefined ? ms : Math.min(retryAfterS, RETRY_AFTER_S_MAX) * 1e3);
    repeated = "";
    asked = 0;
    return false;
  }

  function refusedFor(ms: number): false {
    notBefore = performance.now() + ms;
    return false;
  }

  /** Something came by the socket. */
  function heard(frame: Json) {
    if (frame.t === "checkout") home.noted({ checkout_open: frame.open });
    if (frame.t === "view" || frame.t === "delta") isAsking ||= core.learn(viewText(frame)) === 1;
    if (frame.t === "merged") core.doubt();
    isAsking ||= frame.t === "merged" || frame.t === "ack";
    home.keep();
    home.changed();
    if (isAsking || core.waiting()) wait(0);
  }

  /** The socket is gone: another one needs another ticket. */
  function lost(ms: number) {
    if (!isStopped) wait(ms, true);
  }

  function back() {
    if (document.visibilityState === "hidden" && navigator.onLine) return;
    failures = notBefore = 0;
    isAsking = true;
    wait(0);
  }
  const end = new AbortController();
  addEventListener("online", back, { signal: end.signal });
  addEventListener(
    "offline",
    () => {
      // What was under way may be lost without a word: a socket waits ten seconds for an answer that was dropped.
      live.close();
      wait(BACKOFF_MS, true);
      home.changed();
    },
    { signal: end.signal },
  );
  document.addEventListener("visibilitychange", () => (live.isReady() ? live.probe() : back()), { signal: end.signal });

  return {
    poke: () => wait(live.isReady() ? 0 : DEBOUNCE_MS),
    now() {
      notBefore = 0;
      isAsking = true;
      return work();
    },
    last() {
      if (!home.mayTalk()) return void core.seal();
      const text = core.message();
      if (text && !working) void home.call("POST", "/v1/cart/ops", { ...opsOf(text), ...person() });
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      end.abort();
      live.close();
    },
    isOnline: () => navigator.onLine && !failures,
  };
}
