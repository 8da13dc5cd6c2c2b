/**
 * `<script async src="/_h/hilo-banner.js" data-purposes="analytics">`: a banner from the tag's attributes. In: the attributes. Out: options,
 * and `hilo.banner`.
 */
import type { BannerOptions, BannerTexts, Channel, Hilo, Purpose } from "../types.ts";
import { addBanner } from "./index.ts";

const CHANNELS: Channel[] = ["email", "sms", "push", "phone", "post"];

/** How often a page without the stub is asked for its tracker. */
const TRACKER_POLL_MS = 200;

/** `data-text-accept="Yes"` is the text `accept`, and `data-optin-email="…"` an opt-in with `data-optin-version`. */
export function readOptions(attributes: DOMStringMap): BannerOptions {
  const { purposes, controller, vendors, policy, lang, theme, optinVersion = "1" } = attributes;
  const texts: Partial<BannerTexts> = {};
  for (const [name, text] of Object.entries(attributes)) {
    // `textSale_share` and `textAccept`.
    if (/^text./.test(name) && text) texts[(name.charAt(4).toLowerCase() + name.slice(5)) as keyof BannerTexts] = text;
  }
  const optIns = CHANNELS.flatMap((channel) => {
    const text = attributes[`optin${channel.charAt(0).toUpperCase()}${channel.slice(1)}`];
    return text ? [{ channel, text, version: optinVersion }] : [];
  });
  const given = { controller, vendors, policy, lang, theme: theme as "light" | undefined };
  return {
    purposes: (purposes?.split(/[\s,]+/).filter(Boolean) ?? []) as Purpose[],
    texts,
    optIns,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)),
  };
}

/** Adds the banner once the page has its stub or tracker. A page that has a banner keeps it. */
export function begin(script: HTMLScriptElement | null) {
  const tracker = () => window.hilo as Hilo | undefined;
  const start = () => {
    const hilo = tracker();
    if (!hilo) return false;
    if (hilo.banner) return true;
    hilo.banner = addBanner(() => tracker() ?? hilo, readOptions(script?.dataset ?? {}));
    // The tracker takes the stub's place.
    hilo.ready((real) => (real.banner = hilo.banner));
    return true;
  };
  if (start()) return;
  const timer = setInterval(() => start() && clearInterval(timer), TRACKER_POLL_MS);
}
