/**
 * Devices that edit carts as the wire has them, deltas made by hand: the smallest client that a spec can drive.
 *
 * In: a collector and who speaks. Out: answers as they came. Keeps no replica of its own; what is in the cart, the hub says.
 */
import { randomBytes } from "node:crypto";

import type { Answer, Json } from "./envelopes.ts";
import type { Collector } from "./mf.ts";

/** A line key: variant, options, currency. */
export type Line = [string, string, string];

export const MUG: Line = ["mug", "0", "EUR"];
export const CUP: Line = ["cup", "0", "EUR"];

/** The development backend's key. */
export const SERVER_KEY = "sk_dev_backend";

/** One request about carts, with its JSON. */
export async function cartCall(collector: Collector, path: string, init: { body?: unknown; headers?: Json } = {}): Promise<Answer> {
  const headers: Json = { authorization: "Bearer wk_shop", "x-hilo": "1", origin: collector.url, ...init.headers };
  for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name];
  const method = init.body === undefined ? "GET" : "POST";
  const body = init.body === undefined ? {} : { body: typeof init.body === "string" ? init.body : JSON.stringify(init.body) };
  const response = await collector.fetch(path, { method, headers, ...body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

/** One request of a backend about `user`'s cart; `rest` is what stands behind the id. */
export function serverCall(collector: Collector, user: string, rest = "", body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${SERVER_KEY}`, origin: undefined };
  return cartCall(collector, `/v1/carts/${encodeURIComponent(user)}${rest}`, { body, headers });
}

/** One device: who it is for the collector, and one replica that writes. */
export class Device {
  replica = BigInt(`0x${randomBytes(8).toString("hex")}`).toString();
  token = randomBytes(16).toString("hex");
  cart = "";
  epoch = 0;
  rev = "0";
  n = 0;
  /** The guest's capability, kept like an app keeps it; `new` at first. */
  capability = "new";

  readonly collector: Collector;
  user: string | undefined;

  /** `user` is a token for a customer; without it the device is a guest's. */
  constructor(collector: Collector, user?: string) {
    this.collector = collector;
    this.user = user;
  }

  headers(): Json {
    return { "x-hilo-cart": this.capability === "" ? undefined : this.capability, "x-hilo-user": this.user };
  }

  /** Learns from a view. */
  learn(view: Json): void {
    if (typeof view["capability"] === "string") this.capability = view["capability"];
    if (view["merged"] === true) this.capability = "";
    if (view["cart"]) this.cart = view["cart"];
    if (view["epoch"] !== undefined) [this.rev, this.epoch] = [view["rev"], view["epoch"]];
  }

  async call(path: string, body?: unknown): Promise<Answer> {
    const answer = await cartCall(this.collector, path, { body, headers: this.headers() });
    if (answer.status === 200) this.learn(answer.body);
    return answer;
  }

  /** What changed since what it has. */
  look(): Promise<Answer> {
    return this.call(`/v1/cart?epoch=${this.epoch}&rev=${this.rev}&replica=${this.replica}`);
  }

  /** The whole cart. */
  whole(): Promise<Answer> {
    return this.call("/v1/cart");
  }

  /** The next delta of `count` operations, with whatever `over` says differently. */
  delta(count: number, over: Json = {}): Json {
    const { cart, epoch, replica, token, rev: base } = this;
    return { v: 1, cart, epoch, replica, token, from: this.n + 1, to: this.n + count, base, put: [], drop: [], ...over };
  }

  /** A dot of its own. */
  dot(n: number): [string, number] {
    return [this.replica, n];
  }

  /** The delta that adds `quantity` of a line. */
  adding(line: Line, quantity: number): Json {
    return this.delta(1, { put: [[line, this.dot(this.n + 1), "add", quantity]] });
  }

  /** Posts a delta; the device counts on when it was applied. */
  async post(delta: Json): Promise<Answer> {
    const answer = await this.call("/v1/cart/ops", delta);
    if (answer.status === 200) this.n = Math.max(this.n, delta["to"]);
    return answer;
  }

  add(line: Line, quantity: number, over: Json = {}): Promise<Answer> {
    return this.post({ ...this.adding(line, quantity), ...over });
  }

  /** Drops these dots. */
  remove(dots: [string, number][]): Promise<Answer> {
    return this.post(this.delta(1, { drop: dots }));
  }

  /** A socket of the cart it knows, once the hub has opened it. */
  async socket(headers: Json = { origin: this.collector.url }): Promise<LiveSocket> {
    return LiveSocket.open(this.collector, this.cart, headers);
  }
}

/** A socket whose frames wait to be read. */
export class LiveSocket {
  private frames: Json[] = [];
  private waiting: (() => void)[] = [];
  /** The close code, once it is closed. */
  closed: number | undefined;

  private readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    const wake = () => this.waiting.splice(0).forEach((resolve) => resolve());
    socket.addEventListener("message", (event) => {
      this.frames.push(event.data === "pong" ? { t: "pong" } : JSON.parse(event.data as string));
      wake();
    });
    socket.addEventListener("close", (event) => {
      this.closed = event.code;
      wake();
    });
    socket.addEventListener("error", wake);
  }

  /** Opens a socket; rejects if the collector does not let it. */
  static async open(collector: Collector, label: string, headers: Json): Promise<LiveSocket> {
    const url = `${collector.url.replace(/^http/, "ws")}/v1/cart/live?cart=${label}`;
    // Node's WebSocket takes headers, which the type of the browser's does not know.
    const raw = new (WebSocket as unknown as new (url: string, options: object) => WebSocket)(url, { headers });
    const live = new LiveSocket(raw);
    await new Promise<void>((resolve, reject) => {
      raw.addEventListener("open", () => resolve());
      raw.addEventListener("error", () => reject(new Error("the socket was not opened")));
    });
    return live;
  }

  send(frame: Json | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The next frame for which `is` holds; those before it are dropped. */
  async next(is: (frame: Json) => boolean = () => true, ms = 10_000): Promise<Json> {
    const deadline = Date.now() + ms;
    for (;;) {
      while (this.frames.length > 0) {
        const frame = this.frames.shift()!;
        if (is(frame)) return frame;
      }
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed}`);
      await this.wake(deadline, ms);
    }
  }

  /** When the hub says that it ends, before the connection itself is gone. */
  async ending(ms = 15_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (this.socket.readyState < WebSocket.CLOSING) {
      if (Date.now() > deadline) throw new Error(`open after ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The close code, when it comes. */
  async end(ms = 15_000): Promise<number> {
    const deadline = Date.now() + ms;
    while (this.closed === undefined) await this.wake(deadline, ms);
    return this.closed;
  }

  close(): void {
    this.socket.close();
  }

  private async wake(deadline: number, ms: number): Promise<void> {
    if (Date.now() > deadline) throw new Error(`nothing within ${ms} ms`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadline - Date.now() + 1);
      this.waiting.push(() => (clearTimeout(timer), resolve()));
    });
  }
}

/** What is in a cart by variant, read from the lines that the admin door shows. */
export async function shown(collector: Collector, key: string): Promise<Record<string, number>> {
  const summary = await collector.admin(`/admin/v1/carts/${key}`);
  return Object.fromEntries(summary.lines.map((line: Json) => [line["line"][0], line["quantity"]]));
}
