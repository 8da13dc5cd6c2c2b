/**
 * The shop's `dataLayer` → entries for the module: copies the listed fields of each entry. What a push means is decided in
 * `hilo_core::tag_manager`.
 */
import * as core from "hilo-shop-wasm";

import { CURRENCY_WANTED, UNREADABLE } from "../codes.ts";
import type { Host } from "../more/host.ts";
import { watchEntries } from "../more/layers.ts";
import { plain } from "../more/plain.ts";
import { settingsOf } from "../more/settings.ts";
import type { Perform } from "./acts.ts";

/** The fields that are copied, at any depth. No other field is ever read: pushes hold names, addresses and cards too. */
const FIELD =
  /^(\d{1,3}|event|ecommerce|items|products|currency|currencyCode|transaction_id|add|remove|purchase|checkout|checkout_option|actionField|id|step|option|item_(id|group_id|name|brand|variant|category[2-5]?|list_(id|name))|sku|product_?[iI]d|name|title|brand|variant|category|price|quantity|qty|impressions|click|detail|refund|promo(View|Click|tions)|promotion_(id|name)|creative(_name|_slot)?|position|index|list|coupon|affiliation|value|revenue|tax|shipping|discount|shipping_tier|payment_type|search_term)$/;
/** A copy of what a shop pushed. A list that has gaps comes as an object with numbers for names. */
const copyOf = (entry: unknown) => plain(entry, (name) => FIELD.test(name));

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

/** Reads entries, each once. Entries behind one that needs the collector's currency wait, in order. */
function reader({ say, guarded, options: { currency = "" }, shop: { host } }: Host, perform: Perform, learn: () => unknown) {
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
    learn();
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
export function watchLayers(host: Host, perform: Perform, learn: () => unknown) {
  const { read, release } = reader(host, perform, learn);
  const look = watchEntries(host, read);
  return () => {
    look();
    release();
  };
}
