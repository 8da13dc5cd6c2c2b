/**
 * The way to the hub: one message at a time by HTTP or, once the hub offers it, by a live socket; asks again by polling where
 * there is none. What an answer means is the module's to decide; when to try again is decided here (protocol.md).
 */
import * as core from "hilo-cart-wasm";

import { opsOf, viewText } from "./flat.ts";
import type { Token } from "./token.ts";

type Json = any;

/** Edits within this time travel together. */
const DEBOUNCE_MS = 250;
const TIMEOUT_MS = 10_000;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 60_000;
const RETRY_AFTER_S_MAX = 300;
/** A key or origin that was refused is not tried again before this. */
const REFUSED_MS = 600_000;
/** How often the hub is asked where there is no socket and somebody looks. */
const POLL_MS = 15_000;
const PING_MS = 25_000;
/** Sockets that failed in a row before polling has to do for a while. */
const SOCKETS_MAX = 3;

/** What came back: status 0 where nothing did. */
export interface Answer {
  status: number;
  json: Json;
  retryAfterS?: number | undefined;
}

/** One call to the collector. Never rejects. */
export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

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

/** Calls with the key, the token and, where cookies do not reach, the capability. */
export function caller(endpoint: string, key: string, token: Token, capability: () => string): Call {
  return async (method, path, body) => {
    try {
      const headers: Record<string, string> = { "x-hilo": "1", authorization: `Bearer ${key}` };
      if (token.get()) headers["x-hilo-user"] = token.get();
      if (capability()) headers["x-hilo-cart"] = capability();
      if (body) headers["content-type"] = "application/json";
      const response = await fetch(endpoint + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials: "include",
        keepalive: method === "POST",
        signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
      });
      const retry = response.headers.get("retry-after") ?? "";
      const json = await response.json().catch(() => null);
      return { status: response.status, json, retryAfterS: /^\d+$/.test(retry) ? +retry : undefined };
    } catch {
      return { status: 0, json: null };
    }
  };
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
  const live = socketOf(home, heard, lost);

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
      const [epoch, rev] = core.asks().split(" ");
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
      const known = previous && Object.entries(previous).flat().join(" ");
      const next = core.refused(code, replica, from, known);
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
      if (next === 3 || (next === 1 && asked > 3)) return failed();
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
  addEventListener("offline", () => home.changed(), { signal: end.signal });
  document.addEventListener("visibilitychange", () => live.isReady() || back(), { signal: end.signal });

  return {
    poke: () => wait(live.isReady() ? 0 : DEBOUNCE_MS),
    now() {
      notBefore = 0;
      isAsking = true;
      return work();
    },
    last() {
      if (!home.mayTalk()) return core.seal();
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

/** The live socket: at most one, opened with a ticket, given up for a while where it does not work. */
function socketOf(home: Home, heard: (frame: Json) => void, lost: (ms: number) => void) {
  let socket: WebSocket | undefined;
  let label = "";
  let isReady = false;
  let failures = 0;
  let ping: ReturnType<typeof setInterval> | undefined;
  let flight: { text: string; land: (answer: Answer) => void } | undefined;
  let isSilent = false;

  function land(answer: Answer) {
    flight?.land(answer);
    flight = undefined;
  }

  function close() {
    socket?.close();
    gone();
  }

  function gone() {
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onopen = null;
    socket = undefined;
    isReady = false;
    clearInterval(ping);
    land({ status: 0, json: null });
  }

  function open(ticket: string, cart: string) {
    // One that is closing may take its time over it.
    if (socket && (label !== cart || socket.readyState > WebSocket.OPEN)) close();
    if (socket || typeof WebSocket !== "function" || failures >= SOCKETS_MAX) return;
    const url = new URL(`${home.endpoint}/v1/cart/live?cart=${cart}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    label = cart;
    try {
      socket = new WebSocket(url);
    } catch {
      failures = SOCKETS_MAX;
      return;
    }
    const one = socket;
    one.onopen = () => {
      const [epoch, rev] = core.asks().split(" ");
      one.send(JSON.stringify({ t: "hello", ticket, epoch: +epoch!, rev }));
    };
    one.onmessage = ({ data }) => {
      isSilent = false;
      if (data === "pong") return;
      let frame: Json;
      try {
        frame = JSON.parse(data);
      } catch {
        return;
      }
      if (frame.t === "view") {
        isReady = true;
        failures = 0;
      }
      if (frame.t === "refused") return land({ status: 409, json: frame });
      heard(frame);
      if (flight && (frame.t === "ack" || core.message() !== flight.text)) land({ status: 200, json: null });
    };
    one.onclose = () => {
      const wasReady = isReady;
      gone();
      failures += wasReady ? 0 : 1;
      if (failures >= SOCKETS_MAX) setTimeout(() => (failures = 0), REFUSED_MS);
      lost(Math.random() * (wasReady ? 2_000 : 10_000));
    };
    ping = setInterval(() => {
      // Two silences in a row: the connection is dead, though nobody said so.
      if (isSilent) {
        close();
        return lost(0);
      }
      isSilent = true;
      if (one.readyState === WebSocket.OPEN) one.send("ping");
    }, PING_MS);
  }

  return {
    open,
    close,
    isReady: () => isReady && socket?.readyState === WebSocket.OPEN,
    send: (ops: Json, text: string) =>
      new Promise<Answer>((resolve) => {
        const late = setTimeout(() => {
          close();
          lost(0);
        }, TIMEOUT_MS);
        flight = {
          text,
          land(answer) {
            clearTimeout(late);
            resolve(answer);
          },
        };
        socket?.send(JSON.stringify({ t: "ops", ...ops }));
      }),
  };
}
