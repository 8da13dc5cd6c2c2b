/**
 * The public API over the module: a site's arguments → calls of the module.
 *
 * Holds no state of its own but callbacks. Every call is guarded: an error in here never reaches the page.
 */
import * as core from "hilo-wasm";

import { watchPages } from "./capture/pages.ts";
import { cartOf, type CartFile } from "./cart.ts";
import {
  CHOICE_DENIED, CHOICE_GRANTED, CHOICE_UNSET, DRAFT_GROUP, DRAFT_IDENTIFY, DRAFT_PAGE, DRAFT_TRACK, FLAG_GPC, FLAG_HASH, FLAG_PAGES,
  FLAG_QUERY, FLAG_STRICT, PERSISTENCE_LOCAL, PERSISTENCE_MEMORY, PERSISTENCE_TAB,
} from "./codes.ts";
import { watchKinds, type MoreFile } from "./more.ts";
import { firstInHistory, guarded, proof, quietly, stop, vouch, watch } from "./page.ts";
import type { Part, Source } from "./parts.ts";
import type { Choice, ConsentState, Draft, Hilo, Options, Properties, Purpose } from "./types.ts";
import { debug, fail, learnWords, say } from "./voice.ts";

export type * from "./types.ts";

/** The order in which the module tells the choices, two bits each. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
const CHOICES: Record<number, Choice> = { [CHOICE_UNSET]: "unset", [CHOICE_GRANTED]: "granted", [CHOICE_DENIED]: "denied" };
const PERSISTENCE: Record<number, ConsentState["persistence"]> = {
  [PERSISTENCE_LOCAL]: "local",
  [PERSISTENCE_TAB]: "tab",
  [PERSISTENCE_MEMORY]: "memory",
};
const DRAFTS: Record<Draft["type"], number> = { page: DRAFT_PAGE, track: DRAFT_TRACK, identify: DRAFT_IDENTIFY, group: DRAFT_GROUP };

/** Where the parts of the SDK come from. */
export interface Parts {
  /** The tracker's own module. */
  module: Source;
  cart: Part<CartFile>;
  more: Part<MoreFile>;
}

let loaded: Promise<Hilo | undefined> | undefined;
/** When the visitor saw a page that the browser had prepared; nothing happened before. */
let shownAt = 0;

/** Starts the tracker on this page, once; a second call gives the first tracker. Always resolves, to nothing where no tracker can start. */
export function start(options: Options, parts: Parts): Promise<Hilo | undefined> {
  // No wasm (a content security policy without 'wasm-unsafe-eval', an old browser) or no network: nothing is captured.
  loaded ??= begin(options, parts).catch((error: unknown) => void fail("not_started", error));
  return loaded;
}

async function begin(options: Options, { module, cart, more }: Parts): Promise<Hilo> {
  learnWords(more.file);
  debug(options.debug === true);
  if (!options.key) fail("missing_key", "");
  await instantiate(await module());
  // A page that the browser prerenders is no visit yet, and perhaps never.
  if ((document as { prerendering?: boolean }).prerendering) {
    await new Promise((shown) => document.addEventListener("prerenderingchange", shown, { once: true }));
    shownAt = Date.now();
  }
  const listeners = new Set<(state: ConsentState) => void>();
  const { capture = {}, consent = {} } = options;
  const hasPages = capture.pages !== false;
  const pages = String(capture.pages);
  const hasGpc = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
  core.start(
    window,
    String(options.key),
    consent.notice ?? "",
    quietly(firstInHistory, undefined),
    (hasPages ? FLAG_PAGES : 0) | (/query/.test(pages) ? FLAG_QUERY : 0) | (/hash/.test(pages) ? FLAG_HASH : 0) | (consent.pending === "drop" ? FLAG_STRICT : 0) | (hasGpc ? FLAG_GPC : 0),
  );
  const { hilo, shop } = wrap(listeners, options, cart);
  // Before the tracker's own listeners: when the page is left, the last captured events come before the last batch.
  watchKinds(more, capture, hilo.consent, shop);
  watch(options.endpoint ?? "/_h", () => listeners.forEach((listener) => guarded(() => listener(hilo.consent.state()))));
  if (hasPages) watchPages();
  core.begin();
  return hilo;
}

/** Compiles the module, while it streams where the server names its type, and binds it. */
async function instantiate(source: BufferSource | Response) {
  const isStream = source instanceof Response;
  const { instance } =
    isStream && source.headers.get("content-type") === "application/wasm"
      ? await WebAssembly.instantiateStreaming(source, core.imports)
      : await WebAssembly.instantiate(isStream ? await source.arrayBuffer() : source, core.imports);
  core.bind(instance.exports);
}

const anonymousId = () => quietly(core.anonymous_id, "") || null;

function wrap(listeners: Set<(state: ConsentState) => void>, options: Options, { file, module }: Part<CartFile>) {
  const changes: ((draft: Draft) => Draft | null)[] = [];

  function send(type: Draft["type"], name: unknown, properties: unknown, at?: number, id?: string) {
    guarded(() => {
      let draft: Draft | null = { type, name: text(name), properties: (properties ?? {}) as Properties };
      for (const change of changes) {
        draft = draft && change(draft);
        if (!draft) return;
      }
      const details = JSON.stringify(draft.properties) ?? "";
      const told = [draft.name, details === "{}" || details[0] !== "{" ? "" : details, Math.max(at ?? Date.now(), shownAt)] as const;
      if (id) core.track_as(id, ...told);
      else core.tell(DRAFTS[type], ...told);
      if (id === undefined) shop.tracked(draft);
    });
  }

  const consent = consentCalls(listeners);
  const host = {
    key: String(options.key),
    endpoint: options.endpoint ?? "/_h",
    source: module,
    tokenProvider: options.tokenProvider,
    ...{ anonymousId, vouch, say, fail, idProof: () => proof, lose: (count: number) => core.lose(true, count) },
    track: (event: string, properties: Properties, id: string) => send("track", event, properties, undefined, id),
    consent: consent.state,
  };
  const shop = cartOf(host, noted(file), options);

  const hilo = {
    page(name, properties, at?: number) {
      send("page", name, properties, at);
    },
    track(event, properties, at?: number) {
      send("track", event, properties, at);
    },
    identify(userId, traits, proof, at?: number) {
      send("identify", userId, traits, at);
      vouch(proof?.token);
      shop.identified(text(userId), proof?.token);
    },
    group(groupId, traits, at?: number) {
      send("group", groupId, traits, at);
    },
    reset() {
      guarded(core.reset);
      vouch();
      shop.reset();
    },
    anonymousId,
    sessionId: () => quietly(core.session_id, "") || null,
    ready: (callback) => guarded(() => callback(hilo)),
    consent,
    cart: shop.cart,
    optIn: (channel, said) => shop.use((cart) => cart.optIn(channel, "subscribed", said)),
    optOut: (channel) => shop.use((cart) => cart.optIn(channel, "unsubscribed", {})),
    use: (change) => void changes.push(change),
    flush: () => guarded(core.flush),
    debug: (on) => debug(on !== false),
    destroy() {
      guarded(core.destroy);
      shop.destroy();
      stop();
    },
  } as Hilo;
  return { hilo, shop };
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
    grant: (...purposes) => guarded(() => core.choose(purposes.flat().join(" "), true)),
    deny: (...purposes) => guarded(() => core.choose(purposes.flat().join(" "), false)),
    state: () => quietly(() => state(core.choices(), core.revision()), noChoices()),
    on(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    withdraw: () => guarded(core.withdraw),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function state(bits: number, revision: number): ConsentState {
  const entries = PURPOSES.map((purpose, i) => [purpose, CHOICES[(bits >> (2 * i)) & 3]!]);
  return { ...Object.fromEntries(entries), revision, persistence: PERSISTENCE[bits >> (2 * PURPOSES.length)] } as ConsentState;
}

/** The state where there is no tracker. */
export const noChoices = () => state(PERSISTENCE_MEMORY << (2 * PURPOSES.length), 0);
