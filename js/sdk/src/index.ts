/**
 * The public API over the module: a site's arguments → calls of the module.
 *
 * Holds no state of its own but callbacks. Every call is guarded: an error in here never reaches the page.
 */
import * as core from "./core.ts";

import { watchPages } from "./capture/pages.ts";
import { beginCart, cart, destroyCart, identified, resetCart, shop as shopOf, tracked, use, type CartFile } from "./cart.ts";
import { use as useChange } from "./changes.ts";
import {
  CALL_BEGIN, CALL_DENY, CALL_DESTROY, CALL_FLUSH, CALL_GRANT, CALL_RESET, CALL_WITHDRAW, DRAFT_GROUP, DRAFT_IDENTIFY, DRAFT_PAGE, DRAFT_TRACK, FLAG_DNT,
  FLAG_GPC, FLAG_HASH, FLAG_HISTORY, FLAG_PAGES, FLAG_QUERY, FLAG_SOURCES, FLAG_STRICT, PERSISTENCE_MEMORY,
} from "./codes.ts";
import { json } from "./json.ts";
import { hasTool, isOff, watchKinds, type MoreFile } from "./more.ts";
import type { LatePart } from "./more/host.ts";
import { act, atEnd, firstInHistory, guarded, prove, quietly, stop, tab, vouch, watch } from "./page.ts";
import { avoidWasm, instantiate, type Part, type Source } from "./parts.ts";
import type { CapturedEvent, ConsentState, Hilo, Options, Purpose } from "./types.ts";
import { fail, learnWords, say, tap } from "./voice.ts";

export type * from "./types.ts";

/** The order of their bits in the module's answer, from the second on. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
/** The names of the `PERSISTENCE_` codes, in the order of their numbers. */
const PERSISTENCE: ConsentState["persistence"][] = ["local", "tab", "memory"];
const DRAFTS: Record<CapturedEvent["type"], number> = { page: DRAFT_PAGE, track: DRAFT_TRACK, identify: DRAFT_IDENTIFY, group: DRAFT_GROUP };

/** Where the parts of the SDK come from. */
export interface Parts {
  /** The tracker's own module. */
  module: Source;
  cart: Part<CartFile>;
  more: Part<MoreFile>;
  /** The shop's file, and the debugger. */
  late: LatePart;
}

let loaded: Promise<Hilo | undefined> | undefined;
/** When the visitor saw a page that the browser had prepared; nothing happened before. */
let shownAt = 0;

/** Starts the tracker on this page, once; a second call gives the first tracker. Always resolves, to nothing where no tracker can start. */
export function start(options: Options, parts: Parts): Promise<Hilo | undefined> {
  // No network, or no content security policy that lets the files in: nothing is captured.
  loaded ??= begin(options, parts).catch((error: unknown) => void fail("not_started", error));
  return loaded;
}

async function begin(options: Options, { module, cart: cartPart, more, late }: Parts): Promise<Hilo> {
  learnWords(more.file);
  if (options.debug) tap("console", true);
  if (!options.key) fail("missing_key", "");
  core.bind(
    await instantiate(await module(), core.imports).catch(async () => {
      // A content security policy without 'wasm-unsafe-eval', or a browser without WebAssembly.
      avoidWasm();
      say("plain");
      return instantiate(await module(), core.imports);
    }),
  );
  // A page that the browser prerenders is no visit yet, and perhaps never.
  if ((document as { prerendering?: boolean }).prerendering) {
    await new Promise((shown) => document.addEventListener("prerenderingchange", shown, { once: true }));
    shownAt = Date.now();
  }
  const listeners = new Set<(state: ConsentState) => void>();
  const { capture = {}, consent = {} } = options;
  const hasPages = !isOff(capture.pages);
  const pages = String(capture.pages);
  // Another site of the owner hands its visitor over, whom `more/domains/arrival.ts` takes.
  const handed = capture.domains && /#hilo/.test(location.hash);
  const hasGpc = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
  const first = quietly(firstInHistory, undefined);
  const isAwaited = !/\bapi\b/.test(String(consent.source)) && !!(consent.source || quietly(hasTool, true));
  core.start(
    String(options.key),
    consent.notice ?? "",
    first ?? "",
    +hasPages * FLAG_PAGES | +(first !== undefined) * FLAG_HISTORY | +/query/.test(pages) * FLAG_QUERY | +/hash/.test(pages) * FLAG_HASH | +(consent.pending === "drop") * FLAG_STRICT | +hasGpc * FLAG_GPC | +isAwaited * FLAG_SOURCES | +((consent.dnt ?? false) !== false && navigator.doNotTrack === "1") * FLAG_DNT,
    tab,
  );
  const hilo = wrap(listeners, options, cartPart, late);
  // Before the tracker's own listeners: when the page is left, the last captured events come before the last batch.
  watchKinds(more, late, options, hilo.consent, isAwaited, handed);
  watch(options.endpoint ?? "/_h", () => listeners.forEach((listener) => guarded(() => listener(hilo.consent.state()))), capture.cookies);
  // The developer asks for the debugger, by the address or on an earlier page of this tab.
  guarded(() => (location.search.includes("hilo_debug") || sessionStorage["hilo.d"]) && hilo.debug(null as never));
  if (hasPages) watchPages(handed);
  core.happen(CALL_BEGIN);
  return hilo;
}

const anonymousId = () => quietly(core.anonymous_id, "") || null;

function wrap(listeners: Set<(state: ConsentState) => void>, options: Options, { file, module }: Part<CartFile>, late: LatePart) {
  function send(type: CapturedEvent["type"], named: unknown, properties: unknown, at?: number, id?: string) {
    guarded(() => {
      const name = text(named);
      const details = json(properties) ?? "";
      core.tell(DRAFTS[type], name, details === "{}" || details[0] !== "{" ? "" : details, Math.max(at ?? Date.now(), shownAt), id);
      if (type === "track" && id === undefined) tracked(name, properties);
    });
  }

  const consent = consentCalls(listeners);
  const host = {
    key: String(options.key),
    endpoint: options.endpoint ?? "/_h",
    source: module,
    tokenProvider: options.tokenProvider,
    ...{ instantiate, json, anonymousId, vouch, say, fail, idProof: prove, lose: (count: number) => core.lose(true, count) },
    track: (event: string, properties: object, id: string) => send("track", event, properties, undefined, id),
    consent: consent.state,
  };
  beginCart(host, noted(file), options.capture);

  const hilo = {
    page: (name, properties, at?: number) => send("page", name, properties, at),
    track: (event, properties, at?: number) => send("track", event, properties, at),
    group: (groupId, traits, at?: number) => send("group", groupId, traits, at),
    identify(userId, traits, proof, at?: number) {
      send("identify", userId, traits, at);
      vouch(proof?.token);
      identified(text(userId), proof?.token);
    },
    reset() {
      act(CALL_RESET);
      vouch();
      resetCart();
    },
    anonymousId,
    sessionId: () => quietly(core.session_id, "") || null,
    ready: (callback) => guarded(() => callback(hilo)),
    consent,
    cart,
    optIn: (channel, said) => use((cart) => cart.optIn(channel, "subscribed", said)),
    optOut: (channel) => use((cart) => cart.optIn(channel, "unsubscribed", {})),
    use: useChange,
    on: (kind, told) => (kind === "consent" ? consent.on(told as () => void) : tap(kind, told)),
    flush: () => act(CALL_FLUSH),
    debug: (on) => void tap("debug", on, { hilo, late, atEnd, shop: shopOf() }),
    destroy() {
      act(CALL_DESTROY);
      destroyCart();
      stop();
    },
  } as Hilo;
  return hilo;
}

/** Loads a file, and tells the developer where it does not load. */
const noted =
  <File>(load: () => Promise<File>) =>
  () =>
    load().catch((error: unknown): never => {
      fail("no_file", error);
      throw error;
    });

/** The site's calls about consent. */
function consentCalls(listeners: Set<(state: ConsentState) => void>): Hilo["consent"] {
  return {
    grant: (...purposes) => act(CALL_GRANT, purposes.flat().join(" ")),
    deny: (...purposes) => act(CALL_DENY, purposes.flat().join(" ")),
    state: () => quietly(() => state(core.choices(), core.revision()), noChoices()),
    on(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    withdraw: () => act(CALL_WITHDRAW),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function state(bits: number, revision: number): ConsentState {
  const entries = PURPOSES.map((purpose, i) => [purpose, (bits >> i) & 512 ? "denied" : (bits >> i) & 2 ? "granted" : "unset"]);
  return { ...Object.fromEntries(entries), revision, persistence: PERSISTENCE[bits >> 16] } as ConsentState;
}

/** The state where there is no tracker. */
export const noChoices = () => state(PERSISTENCE_MEMORY << 16, 0);
