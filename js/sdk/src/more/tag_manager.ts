/**
 * The shop's `dataLayer` → the cart: wraps `push` of each layer, copies the listed fields of an entry, and performs the calls that
 * the module answers.
 *
 * The page's own `push` comes first, so that order and results stay the page's. A layer that the page assigns anew is found at the
 * next look. What a push means is decided in `hilo_core::tag_manager`.
 */
import * as core from "hilo-more-wasm";

import type { Shop } from "../cart.ts";
import type { OpenCart } from "../cart/types.ts";
import { CART_WANTED, CURRENCY_WANTED, UNREADABLE } from "../codes.ts";
import type { LineInput } from "../types.ts";
import type { Host } from "./host.ts";

/** The fields that are copied, at any depth. No other field is ever read: pushes hold names, addresses and cards too. */
const FIELDS = new Set(
  ("event ecommerce items products currency currencyCode transaction_id add remove purchase checkout actionField id step " +
    "item_id sku product_id productId item_group_id item_name name title item_variant variant price quantity qty options_hash").split(" "),
);
/** Objects within objects: an entry, `ecommerce`, a key of Universal Analytics, its list, a list in it, an item. */
const DEPTH_MAX = 6;
const ITEMS_MAX = 200;
const TEXT_MAX = 512;
/** Values of one entry: a list that holds itself ends here. */
const VALUES_MAX = 5_000;
/** When the page's layers are looked for again (and whenever the page is shown or hidden). */
const LOOKS_MS = [1_000, 5_000];
/** How long pushes without any currency wait for the collector. */
const SETTINGS_MS = 2_000;

const kindOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

/** A copy of plain data, numbers and texts marked. Anything else becomes `null`; a getter that throws, a missing field. */
function copyOf(entry: unknown): unknown {
  let left = VALUES_MAX;
  function copy(value: unknown, depth: number): unknown {
    if (typeof value === "string") return "t" + value.slice(0, TEXT_MAX);
    if (typeof value === "number" || typeof value === "bigint") return "n" + value;
    if (typeof value !== "object" || !value || depth >= DEPTH_MAX) return null;
    const kind = kindOf(value);
    if (kind === "Array" || kind === "Arguments") {
      // One item too many says that the list goes on.
      const list: unknown[] = Array.prototype.slice.call(value, 0, ITEMS_MAX + 1);
      return list.map((one, i) => (i < ITEMS_MAX && left-- > 0 ? copy(one, depth + 1) : null));
    }
    if (kind !== "Object") return null;
    const fields: Record<string, unknown> = {};
    for (const name of Object.keys(value).filter((name) => FIELDS.has(name) || /^\d{1,3}$/.test(name))) {
      try {
        const one = (value as Record<string, unknown>)[name];
        if (one !== undefined && left-- > 0) fields[name] = copy(one, depth + 1);
      } catch {
        // A getter of the page failed. The other fields count.
      }
    }
    return fields;
  }
  return copy(entry, 0);
}

/** The names of the page's layers: Google's scripts may name another one. */
function names(): Set<string> {
  const found = [...document.scripts].map(({ src }) => /\/(?:gtm\.js|gtag\/js)\?.*\bl=(\w+)/.exec(src)?.[1] ?? "dataLayer");
  return new Set(["dataLayer", ...found]);
}

/** The currency that the page shows, as shop systems tell it. */
function shownCurrency(): string {
  const page = window as any;
  const tag = document.querySelector('meta[property="product:price:currency"],meta[property="og:price:currency"]');
  const told = [
    page.Shopify?.currency?.active,
    page.wcSettings?.currency?.code,
    page.gtm4wp_currency,
    page.prestashop?.currency?.iso_code,
    document.querySelector<HTMLElement>(".hidden-line-items-information[data-currency]")?.dataset["currency"],
    tag?.getAttribute("content"),
  ];
  return String(told.find((one) => typeof one === "string" && one) ?? "");
}

/** The site's settings at the collector, for the shop's currency (`normalize.currency` of `hilo.toml`). */
async function settingsOf({ endpoint, key }: Shop["host"]): Promise<{ currency?: unknown }> {
  try {
    const answer = await fetch(`${endpoint}/v1/projects/${encodeURIComponent(key)}/settings`, { credentials: "omit", signal: AbortSignal.timeout(SETTINGS_MS) });
    return answer.ok ? ((await answer.json()) ?? {}) : {};
  } catch {
    // No network, or no settings: the currency stays unknown.
    return {};
  }
}

/** Performs the calls that the module answers. The cart opens where an act needs its lines. */
function performer({ say }: Host, { tell, use }: Shop) {
  let cart: OpenCart | undefined;
  let isAsked = false;

  /** Performs what waits, act by act: each act sees the cart that the act before it left. */
  function perform(isLeaving = false) {
    for (;;) {
      const calls = core.next_act(copyOf(cart?.state().lines), isLeaving);
      if (calls === CART_WANTED) return openCart();
      if (!calls) return;
      for (const line of calls.split("\n").filter(Boolean)) {
        const { call, args } = JSON.parse(line) as { call: string; args: [line: LineInput, units: number, isCorrection?: boolean] };
        if (args[2]) say(`dataLayer: the page's cart differs from the captured one; corrected: ${args[0].product_id} is ${args[1]} now`);
        tell(call, args);
      }
    }
  }

  function openCart() {
    if (isAsked) return;
    isAsked = true;
    const known = (opened: OpenCart) => () => {
      if (cart) return;
      cart = opened;
      perform();
    };
    void use((opened) => void opened.on(known(opened))).then(() => {
      // The cart's file did not come: a later push tries again.
      if (!cart) isAsked = false;
    });
  }
  return perform;
}

/** Reads entries, each once. Entries behind one that needs the collector's currency wait, in order. */
function reader({ say, guarded, currency = "" }: Host, { host }: Shop, perform: () => void) {
  const seen = new WeakSet<object>();
  /** The currency where neither a push nor the page names one: the tag's, or else the collector's once it was asked for. */
  let fallback = currency;
  let mayAsk = !currency;
  let held: [entry: unknown, at: number][] | undefined;

  function read(entry: unknown, at: number) {
    if (typeof entry !== "object" || !entry || seen.has(entry)) return;
    seen.add(entry);
    take(copyOf(entry), at);
  }

  function take(entry: unknown, at: number) {
    if (held) return void held.push([entry, at]);
    const notes = core.read_push(entry, location.href, at, shownCurrency() || fallback, mayAsk);
    if (notes === CURRENCY_WANTED) {
      held = [[entry, at]];
      void settingsOf(host).then(({ currency }) => {
        fallback = typeof currency === "string" ? currency : "";
        release();
      });
    } else if (notes === UNREADABLE) say("an entry of the dataLayer cannot be read");
    else notes.split("\n").filter(Boolean).forEach(say);
    perform();
  }

  /** Reads what waited for the currency, which is known now or stays unknown. */
  function release() {
    mayAsk = false;
    const entries = held ?? [];
    held = undefined;
    for (const [entry, at] of entries) guarded(() => take(entry, at));
  }
  return { read, release };
}

/** Reads the page's layers until the tracker stops. Returns what is to be done when the page is left. */
export function watchLayers(host: Host, shop: Shop) {
  const { listen, guarded } = host;
  const perform = performer(host, shop);
  const { read, release } = reader(host, shop, perform);
  const wrapped = new WeakSet<object>();

  function wrap(layer: unknown[]) {
    wrapped.add(layer);
    const { push } = layer;
    layer.push = function (...entries) {
      const result = push.apply(this, entries);
      for (const entry of entries) guarded(() => read(entry, performance.now()));
      return result;
    };
  }

  function look() {
    for (const name of names()) {
      const layer = ((window as any)[name] ??= []) as unknown;
      if (!Array.isArray(layer)) continue;
      if (!wrapped.has(layer)) guarded(() => wrap(layer));
      // Before the wrapper, and past it where a script put its own `push` in the wrapper's place.
      for (const entry of layer) guarded(() => read(entry, -1));
    }
  }

  look();
  for (const ms of LOOKS_MS) setTimeout(() => guarded(look), ms);
  listen(window, "load", look);
  listen(document, "visibilitychange", look);
  return () => {
    look();
    release();
    perform(true);
  };
}
