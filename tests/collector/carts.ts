/**
 * Devices that edit carts with handmade deltas: the smallest client that a spec can drive.
 *
 * In: a collector and a person. Out: answers as they came. A device stores no cart of its own: specs read the cart from the hub.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Answer, Json } from "./envelopes.ts";
import type { Collector } from "./mf.ts";

/** A line key: variant, options, currency. */
export type Line = [string, string, string];

export const MUG: Line = ["mug", "0", "EUR"];
export const CUP: Line = ["cup", "0", "EUR"];

/** The development backend's key. */
export const SERVER_KEY = "sk_dev_backend";

/** Sends one request about carts, and reads the answer's JSON. */
export async function cartCall(collector: Collector, path: string, init: { body?: unknown; headers?: Json } = {}): Promise<Answer> {
  const headers: Json = { authorization: "Bearer wk_shop", "x-hilo": "1", origin: collector.url, ...init.headers };
  for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name];
  const method = init.body === undefined ? "GET" : "POST";
  const body = init.body === undefined ? {} : { body: typeof init.body === "string" ? init.body : JSON.stringify(init.body) };
  const response = await collector.fetch(path, { method, headers, ...body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

/** Sends one request of a backend about the cart of `user`. `rest` follows the id in the path. */
export function serverCall(collector: Collector, user: string, rest = "", body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${SERVER_KEY}`, origin: undefined };
  return cartCall(collector, `/v1/carts/${encodeURIComponent(user)}${rest}`, { body, headers });
}

/** One device: its identity at the collector, and one replica that writes. */
export class Device {
  replica = BigInt(`0x${randomBytes(8).toString("hex")}`).toString();
  token = randomBytes(16).toString("hex");
  cart = "";
  /** The newest ticket. */
  live = "";
  epoch = 0;
  rev = "0";
  n = 0;
  /** The guest's capability, stored as an app stores it. It is `new` at first. */
  capability = "new";

  readonly collector: Collector;
  user: string | undefined;

  /** `user` is the token of a customer. A device without a token is a guest's. */
  constructor(collector: Collector, user?: string) {
    this.collector = collector;
    this.user = user;
  }

  headers(): Json {
    return { "x-hilo-cart-token": this.capability === "" ? undefined : this.capability, "x-hilo-user-token": this.user };
  }

  /** Notes epoch, version and capability of a view. */
  learn(view: Json): void {
    if (typeof view["capability"] === "string") this.capability = view["capability"];
    if (view["merged"] === true) this.capability = "";
    if (view["cart"]) this.cart = view["cart"];
    if (view["live"]) this.live = view["live"];
    if (view["epoch"] !== undefined) [this.rev, this.epoch] = [view["rev"], view["epoch"]];
  }

  async call(path: string, body?: unknown): Promise<Answer> {
    const answer = await cartCall(this.collector, path, { body, headers: this.headers() });
    if (answer.status === 200) this.learn(answer.body);
    return answer;
  }

  /** Fetches the changes since the version that the device has. */
  look(): Promise<Answer> {
    return this.call(`/v1/cart?epoch=${this.epoch}&rev=${this.rev}&replica=${this.replica}`);
  }

  /** Fetches the whole cart. */
  whole(): Promise<Answer> {
    return this.call("/v1/cart");
  }

  /** The next delta of `count` operations, with the fields of `over` in place of its own. */
  delta(count: number, over: Json = {}): Json {
    const { cart, epoch, replica, token, rev: base } = this;
    return { v: 1, cart, epoch, replica, token, from: this.n + 1, to: this.n + count, base, put: [], drop: [], ...over };
  }

  /** A dot of the device's own replica. */
  dot(n: number): [string, number] {
    return [this.replica, n];
  }

  /** The delta that adds `quantity` of a line. */
  adding(line: Line, quantity: number): Json {
    return this.delta(1, { put: [[line, this.dot(this.n + 1), "add", quantity]] });
  }

  /** Posts a delta. The device's numbers go on only if the delta was applied. */
  async post(delta: Json): Promise<Answer> {
    const answer = await this.call("/v1/cart/ops", delta);
    if (answer.status === 200) this.n = Math.max(this.n, delta["to"]);
    return answer;
  }

  /** Posts a delta until the hub has taken it. A device that sends more than a cart takes waits as long as it is told. */
  async persist(delta: Json): Promise<void> {
    for (let answer = await this.post(delta); answer.status !== 200; answer = await this.post(delta)) {
      assert.equal(answer.status, 429, JSON.stringify(answer.body));
      await sleep(1_000 * Number(answer.headers.get("retry-after")));
    }
  }

  add(line: Line, quantity: number, over: Json = {}): Promise<Answer> {
    return this.post({ ...this.adding(line, quantity), ...over });
  }

  /** Posts a delta that drops these dots. */
  remove(dots: [string, number][]): Promise<Answer> {
    return this.post(this.delta(1, { drop: dots }));
  }

  /** A socket of the device's cart, when the hub has opened it. It has not said hello. */
  async socket(headers: Json = { origin: this.collector.url }): Promise<LiveSocket> {
    return LiveSocket.open(this.collector, this.cart, headers, this.live);
  }

  /** A socket that has said hello and got its view. */
  async listen(): Promise<LiveSocket> {
    const socket = await this.socket();
    socket.send({ t: "hello", epoch: this.epoch, rev: this.rev, replica: this.replica });
    this.learn(await socket.next((frame) => frame["t"] === "view"));
    return socket;
  }
}

/** A socket that stores its frames until they are read. */
export class LiveSocket {
  private frames: Json[] = [];
  private waiting: (() => void)[] = [];
  /** The close code of a closed socket. */
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

  /** Opens a socket with a ticket, as a page does. Rejects if the collector refuses. */
  static async open(collector: Collector, label: string, headers: Json, ticket?: string): Promise<LiveSocket> {
    const url = `${collector.url.replace(/^http/, "ws")}/v1/cart/live?cart=${label}`;
    const protocols = ticket === undefined ? [] : ["hilo", `ticket.${ticket}`];
    // Node's WebSocket takes headers. The types are those of the browser's WebSocket, which takes none.
    const raw = new (WebSocket as unknown as new (url: string, options: object) => WebSocket)(url, { headers, protocols });
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

  /** The next frame for which `is` holds. Earlier frames are dropped. */
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

  /** Resolves with the hub's close frame, which comes before the connection itself ends. */
  async ending(ms = 15_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (this.socket.readyState < WebSocket.CLOSING) {
      if (Date.now() > deadline) throw new Error(`open after ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Resolves with the close code. */
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

/** The quantities in a cart by variant, read from the lines of the admin call. */
export async function shown(collector: Collector, key: string): Promise<Record<string, number>> {
  const summary = await collector.admin(`/admin/v1/carts/${key}`);
  return Object.fromEntries(summary.lines.map((line: Json) => [line["line"][0], line["quantity"]]));
}
