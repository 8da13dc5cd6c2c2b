/**
 * The cart of this page: what `hilo.cart` does once it was used. Loaded by `../cart.ts` with the first act.
 *
 * One tab leads and owns the replica, which is the module's; the others send it their acts and show at once what these will
 * come to. Wires storage, tabs, hub and site together; decides nothing about the cart's content.
 */
import type { CartState, CartStatus, Channel, Checkout, ConsentState, LineInput, OptInText, Properties } from "../types.ts";
import { caller } from "./call.ts";
import { perform } from "./calls.ts";
import * as core from "./core.ts";
import { lineOf, shownOf, table, totalsOf, type Shown } from "./flat.ts";
import { forget, leave, takeOver } from "./left.ts";
import { cellsOf, overlay, units, type Act } from "./line.ts";
import { optIn } from "./optin.ts";
import { personOf } from "./person.ts";
import { random } from "./page.ts";
import { alone, quietly, shared } from "./store.ts";
import { syncOf, type Order, type Sync } from "./sync.ts";
import { tabs } from "./tabs.ts";
import { tokenOf } from "./token.ts";

type Json = any;

/** What the cart needs of the tracker and its page. */
export interface Host {
  key: string;
  endpoint: string;
  /** Where the cart's module comes from. */
  source(): BufferSource | Promise<Response>;
  /** Reports a touchpoint under an id that others may use too. */
  track(event: string, properties: Properties, messageId: string): void;
  consent(): ConsentState;
  anonymousId(): string | null;
  tokenProvider?: (() => string | Promise<string>) | undefined;
  say(what: unknown): void;
}

/** What is kept beside the replica's text. */
interface Head {
  /** How far the acts of each tab were done. */
  done: Record<string, number>;
  /** Whose cart it is; empty for a guest's. */
  user: string;
  capability: string;
  checkout: string;
  orders: Order[];
  /** Whether the collector has yet to hear that the visitor logged out. */
  isLeaving: boolean;
  /** Touchpoints of what could still change when this was kept. */
  drafts: string;
}

interface Asked {
  name: "checkout" | "ordered" | "identify" | "reset" | "flush";
  args: unknown[];
  done(value: Json): void;
}

/** The act that needs no line. */
const CLEAR = 3;
/** Tabs whose acts are remembered. */
const TABS_MAX = 32;
/** The last line of what is kept. Where it is missing, something before it is too. */
const END = ".";
/** How long another tab may take to do something for this one. */
const ASK_MS = 15_000;

/** What `../cart.ts` calls. */
export interface OpenCart {
  act(kind: number, line: LineInput | null, count: number, isQuiet?: boolean): void;
  state(): CartState;
  on(callback: (state: CartState) => void): () => void;
  checkout(isQuiet?: boolean): Promise<Checkout | null>;
  ordered(orderId: string, lines?: LineInput[], isQuiet?: boolean): Promise<void>;
  viewed(): void;
  identify(user: string, token?: string): void;
  reset(): void;
  optIn(channel: Channel, state: "subscribed" | "unsubscribed", said: Partial<OptInText>): Promise<Json>;
  flush(): Promise<void>;
  /** The end on this page. */
  destroy(): void;
}

const empty = (): Head => ({ done: {}, user: "", capability: "", checkout: "", orders: [], isLeaving: false, drafts: "" });

/** Opens this page's cart, once. */
export function open(host: Host): OpenCart {
  const token = tokenOf(host.tokenProvider);
  const own = random().toString(36);
  const isForeign = new URL(host.endpoint, location.href).origin !== location.origin || !navigator.cookieEnabled;
  const call = caller(host.endpoint, host.key, token, () => head.capability || (isForeign && !token.get() ? "new" : ""));
  const listeners = new Set<(state: CartState) => void>();
  /** What the leader was asked to do and has not answered. */
  const calls = new Map<number, Asked>();
  const group = tabs(() => void lead(), resign, hear);
  const store = group.isShared ? shared() : alone();
  let head = empty();
  let sync: Sync | undefined;
  let module: Promise<void> | undefined;
  let base: Shown[] = [];
  let pending: Act[] = [];
  let count = 0;
  let asked = 0;
  let status: CartStatus = { online: navigator.onLine, pending: 0, checkoutOpen: false, persistent: store.isPersistent(), lost: 0 };
  let said = "";
  /** Whether this tab knows the cart: nobody is told of an empty one that only was not opened yet. */
  let isKnown = !store.read();

  async function lead() {
    try {
      await (module ??= core.instantiate(host.source()));
    } catch (error) {
      host.say(error);
      module = undefined;
      isKnown = true;
      return emit();
    }
    reopen();
    report(head.drafts);
    sync = start();
    share(); // An order without a checkout means what is shown.
    inherit();
    for (const act of pending) if (act[0] > (head.done[own] ?? 0)) enact(act);
    pending = [];
    for (const { name, args, done } of calls.values()) void run(name, args).then(done);
    report();
    group.tell({ lead: true });
    share();
    if (head.user && !token.get()) void token.renew().then((isNew) => (isNew ? sync?.now() : undefined));
    void sync.now();
  }

  /** Opens what is kept, as much of it as can be read: the hub tells the rest. */
  function reopen() {
    const [first = "", ...lines] = store.read().split("\n");
    head = { ...empty(), ...quietly(() => JSON.parse(first)) };
    const isWhole = !first || lines.pop() === END;
    if (core.open(lines.join("\n")) && isWhole) return;
    host.say("the cart that was kept is damaged");
    // A beginning of a readable beginning is readable, so halving finds the longest.
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (core.open(lines.slice(0, middle).join("\n"))) low = middle;
      else high = middle - 1;
    }
    if (!low) core.open("");
    core.doubt();
  }

  /** Does what pages left behind, or has the leader do it. */
  const inherit = () =>
    takeOver(
      !!sync,
      (name, args) => perform(cart, name, args),
      (acts, from) => (sync ? hear : group.tell)({ acts, from }),
    );

  function start(): Sync {
    return syncOf({
      call,
      endpoint: host.endpoint,
      token,
      mayTalk: () => head.isLeaving || !head.user || !!token.get(),
      keep,
      report,
      changed: share,
      person: () => personOf(host),
      noted,
      get orders() {
        return head.orders;
      },
      get isLeaving() {
        return head.isLeaving;
      },
      left: () => void (head.isLeaving = false),
    });
  }

  /** The page goes, or another tab's turn comes. */
  function resign() {
    if (!sync) return;
    sync.last();
    report();
    keep();
    sync.stop();
    sync = undefined;
  }

  function keep() {
    const hasNothing = !core.label() && !core.waiting() && !head.orders.length && !head.isLeaving;
    store.write(hasNothing ? "" : `${JSON.stringify({ ...head, drafts: core.drafts() })}\n${core.kept()}\n${END}`);
  }

  /** What an answer says beside the view. */
  function noted(json: Json) {
    if (json.checkout_open !== undefined) status.checkoutOpen = json.checkout_open;
    if (json.capability) head.capability = json.capability;
    if (json.merged) head.capability = "";
  }

  function report(touches = core.touches()) {
    for (const [change = "", id = "", ...cells] of table(touches)) {
      const { quantity, ...line } = shownOf(change, cells);
      host.track(quantity > 0 ? "Product Added" : "Product Removed", product({ ...line, quantity: Math.abs(quantity) }), id);
    }
  }

  /** A line in the words of Segment's ecommerce spec. */
  function product(line: Shown): Properties {
    const { product_id, quantity, currency, price, image, ...rest } = lineOf(line);
    return {
      ...(core.label() && { cart_id: core.label() }),
      ...rest,
      product_id,
      quantity,
      currency,
      ...(price && { price: Number(price) }),
      ...(image && { image_url: image }),
    };
  }

  const products = (): Properties => ({
    ...(sync && core.label() && { cart_id: core.label() }),
    products: base.map((line) => {
      const { price, image, ...rest } = lineOf(line);
      return { ...rest, ...(price && { price: Number(price) }), ...(image && { image_url: image }) };
    }),
  });

  /** Does an act on the replica; this tab leads. */
  function enact([, kind, count, cells, isQuiet]: Act) {
    if (!cells) return void core.clear(isQuiet);
    const code = core.act(kind, count, cells, isQuiet);
    if (code) host.say(`the cart refused this: ${code}`);
  }

  /** Tells everybody how the cart looks now. */
  function share() {
    if (!sync) return;
    isKnown = true;
    base = table(core.shown()).map(([quantity = "", ...cells]) => shownOf(quantity, cells));
    status = { ...status, online: sync.isOnline(), pending: core.waiting() + head.orders.length, persistent: store.isPersistent(), lost: core.lost() };
    group.tell({ shown: base, status, done: head.done });
    emit();
  }

  function emit() {
    if (!isKnown) return;
    const now = state();
    const text = JSON.stringify(now);
    if (text === said) return;
    said = text;
    for (const listener of listeners) quietly(() => listener(now));
  }

  function state(): CartState {
    const lines = pending.reduce(overlay, base);
    return { lines: lines.map(lineOf), totals: totalsOf(lines), status: { ...status, pending: status.pending + pending.length } };
  }

  function act(kind: number, line: LineInput | null, howMany: number, isQuiet = false) {
    // No line is a line that is refused: only clearing is about all of them.
    const one: Act = [++count, kind, units(howMany), kind === CLEAR ? null : cellsOf(line as LineInput), isQuiet];
    if (sync) {
      enact(one);
      keep();
      sync.poke();
      return share();
    }
    pending = [...pending, one];
    group.tell({ acts: pending, from: own });
    emit();
  }

  function hear(data: Json) {
    const { acts, from, shown, done, ask, result } = data;
    if (shown && !sync) {
      isKnown = true;
      base = shown;
      ({ status } = data);
      pending = pending.filter(([n]) => n > (done[own] ?? 0));
      emit();
    }
    if (data.lead) {
      if (pending.length) group.tell({ acts: pending, from: own });
      for (const [id, { name, args }] of calls) group.tell({ ask: [name, args], from: own, id });
    }
    if (result?.[0] === own) calls.get(result[1])?.done(result[2]);
    if (!sync) return;
    if (data.hello) share();
    if (acts) {
      for (const one of acts as Act[]) {
        if (one[0] <= (head.done[from] ?? 0)) continue;
        enact(one);
        head.done[from] = one[0];
      }
      head.done = Object.fromEntries(Object.entries(head.done).slice(-TABS_MAX));
      keep();
      sync.poke();
      share();
    }
    if (ask) void run(ask[0], ask[1]).then((value) => group.tell({ result: [from, data.id, value] }));
  }

  /** What only the leader can do. */
  const tasks = {
    async checkout(isQuiet?: boolean): Promise<Checkout | null> {
      await sync?.now();
      const about = personOf(host);
      const { status: code, json } = await call("POST", "/v1/cart/checkout", about ? { person: about } : {});
      if (code !== 200) return null;
      head.checkout = json.checkout_id;
      keep();
      if (!isQuiet) host.track("Checkout Started", { ...products(), checkout_id: json.checkout_id }, `checkout-${json.checkout_id}`);
      const { lines, totals } = state();
      return { checkout_id: json.checkout_id, sum_hash: json.sum_hash, lines, totals };
    },
    async ordered(orderId: string, lines?: LineInput[], isQuiet?: boolean) {
      const bought = lines?.map((line) => ({ line: cellsOf(line).slice(0, 3), quantity: units(line.quantity) }));
      const seen = base.map(({ variant, options, currency, quantity }) => ({ line: [variant, options, currency], quantity }));
      const { checkout } = head;
      // Without a checkout the hub needs to be told what was bought.
      head.orders.push({ order_id: orderId, ...(checkout && { checkout_id: checkout }), ...((bought || !checkout) && { lines: bought ?? seen }) });
      head.checkout = "";
      keep();
      if (!isQuiet) host.track("Order Completed", { ...products(), order_id: orderId, ...(checkout && { checkout_id: checkout }) }, `order-${orderId}`);
      await sync?.now();
    },
    identify(user: string, given?: string) {
      if (head.user && head.user !== user) tasks.reset();
      head.user = user;
      if (given) token.set(given);
      void (given ? sync?.now() : token.renew().then(() => sync?.now()));
    },
    reset() {
      sync?.last();
      report();
      sync?.stop();
      token.set("");
      core.leave();
      forget();
      head = { ...empty(), isLeaving: true };
      keep();
      sync = start();
      share();
      void sync.now();
    },
    flush: () => sync?.now(),
  };

  /** Does it; this tab leads. */
  async function run(name: keyof typeof tasks, args: unknown[]): Promise<Json> {
    return (tasks[name] as (...args: unknown[]) => unknown)(...args);
  }

  /** Does it here or lets the leader do it, which may be this tab in a moment. */
  function task(name: keyof typeof tasks, ...args: unknown[]): Promise<Json> {
    if (sync) return run(name, args);
    const id = ++asked;
    group.tell({ ask: [name, args], from: own, id });
    return new Promise((done) => {
      setTimeout(done, ASK_MS, null);
      calls.set(id, { name, args, done });
    }).finally(() => calls.delete(id));
  }

  addEventListener("pagehide", () => {
    if (!sync) return leave(own, pending, [...calls.values()].flatMap(({ name, args }) => (name === "ordered" ? [args] : [])));
    sync.last();
    report();
    keep();
  });
  group.tell({ hello: true });

  const cart: OpenCart = {
    act,
    state,
    on(callback) {
      listeners.add(callback);
      if (isKnown) quietly(() => callback(state()));
      return () => void listeners.delete(callback);
    },
    checkout: (isQuiet) => task("checkout", isQuiet),
    ordered: (orderId, lines, isQuiet) => task("ordered", String(orderId), lines, isQuiet),
    viewed: () => host.track("Cart Viewed", products(), ""),
    identify: (user, given) => void task("identify", user, given),
    reset: () => void task("reset"),
    optIn: (channel, channelState, text) => optIn(call, channel, channelState, text, host.anonymousId()),
    flush: () => task("flush"),
    destroy: resign,
  };
  inherit();
  return cart;
}
