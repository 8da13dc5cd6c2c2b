/**
 * The public API over the wasm module: arguments in JavaScript's clothes → calls of the module.
 *
 * Holds no state of its own but callbacks. Guards every call: whatever goes wrong here, the page does not notice.
 */
import * as core from "hilo-wasm";

import { cartOf, type CartFile } from "./cart.ts";
import { debug, firstInHistory, quietly, say, stop, watch } from "./page.ts";
import type { Choice, ConsentState, Draft, Hilo, Options, Properties, Purpose } from "./types.ts";

export type * from "./types.ts";

/** The order in which the module tells the choices, two bits each. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
const CHOICES: Choice[] = ["unset", "granted", "denied"];
/** What a site tells, in the order of the module's numbers. */
const KINDS: Draft["type"][] = ["page", "track", "identify", "group"];

/** Where the module comes from: its bytes, or the answer that brings them. */
export type Source = () => BufferSource | Promise<Response>;

/** Where the cart comes from, once one is used: its code, and its module. */
export interface CartSource {
  file(): Promise<CartFile>;
  module: Source;
}

let loaded: Promise<Hilo> | undefined;

/** Starts the tracker on this page, once; a second call gives the first tracker. Always resolves. */
export function start(options: Options, source: Source, cart: CartSource): Promise<Hilo> {
  loaded ??= begin(options, source, cart).catch((error: unknown) => {
    // No wasm (a content security policy without 'wasm-unsafe-eval', an old browser) or no network: nothing is captured.
    if (options.debug) console.warn("hilo: not started:", error);
    return inert();
  });
  return loaded;
}

async function begin(options: Options, source: Source, cart: CartSource): Promise<Hilo> {
  if (typeof window === "undefined" || typeof document === "undefined") return inert();
  await instantiate(await source());
  const listeners = new Set<(state: ConsentState) => void>();
  const { capture = {}, consent = {} } = options;
  const hasForms = capture.forms !== false;
  debug(options.debug === true);
  core.start(
    String(options.key),
    consent.notice ?? "",
    quietly(firstInHistory, undefined),
    capture.pages !== false,
    hasForms,
    consent.pending === "drop",
    (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true,
  );
  const hilo = wrap(listeners, options, cart);
  watch(options.endpoint ?? "/_h", hasForms, () => listeners.forEach((listener) => quietly(() => listener(hilo.consent.state()), undefined)));
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

function wrap(listeners: Set<(state: ConsentState) => void>, options: Options, { file, module }: CartSource): Hilo {
  const changes: ((draft: Draft) => Draft | null)[] = [];
  const act = (what: () => void) => quietly(what, undefined);

  function send(type: Draft["type"], name: unknown, properties: unknown, at?: number, id?: string) {
    act(() => {
      let draft: Draft | null = { type, name: text(name), properties: (properties ?? {}) as Properties };
      for (const change of changes) {
        draft = draft && change(draft);
        if (!draft) return;
      }
      const details = JSON.stringify(draft.properties) ?? "";
      const told = [draft.name, details === "{}" || details[0] !== "{" ? "" : details, at ?? Date.now()] as const;
      if (id) core.track_as(id, ...told);
      else core.tell(KINDS.indexOf(type), ...told);
      if (id === undefined) shop.tracked(draft);
    });
  }

  const anonymousId = () => quietly(core.anonymous_id, "") || null;
  const host = {
    key: String(options.key),
    endpoint: options.endpoint ?? "/_h",
    source: module,
    tokenProvider: options.tokenProvider,
    anonymousId,
    say,
    track: (event: string, properties: Properties, id: string) => send("track", event, properties, undefined, id),
    consent: () => quietly(() => state(core.choices(), core.revision()), state(0, 0)),
  };
  const shop = cartOf(host, file, options);

  const hilo = {
    page(name, properties, at?: number) {
      send("page", name, properties, at);
    },
    track(event, properties, at?: number) {
      send("track", event, properties, at);
    },
    identify(userId, traits, proof, at?: number) {
      send("identify", userId, traits, at);
      shop.identified(text(userId), proof?.token);
    },
    group(groupId, traits, at?: number) {
      send("group", groupId, traits, at);
    },
    reset() {
      act(core.reset);
      shop.reset();
    },
    anonymousId,
    sessionId: () => quietly(core.session_id, "") || null,
    ready: (callback) => act(() => callback(hilo)),
    consent: {
      grant: (...purposes) => act(() => core.choose(purposes.flat().join(" "), true)),
      deny: (...purposes) => act(() => core.choose(purposes.flat().join(" "), false)),
      state: host.consent,
      on(callback) {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      withdraw: () => act(core.withdraw),
    },
    cart: shop.cart,
    optIn: (channel, said) => shop.use((cart) => cart.optIn(channel, "subscribed", said)),
    optOut: (channel) => shop.use((cart) => cart.optIn(channel, "unsubscribed", {})),
    use: (change) => void changes.push(change),
    flush: () => act(core.flush),
    debug: (on) => debug(on !== false),
    destroy() {
      act(core.destroy);
      shop.destroy();
      stop();
    },
  } as Hilo;
  return hilo;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function state(bits: number, revision: number): ConsentState {
  const entries = PURPOSES.map((purpose, i) => [purpose, CHOICES[(bits >> (2 * i)) & 3]]);
  return { ...Object.fromEntries(entries), revision } as ConsentState;
}

/** The tracker where there is none: every call is there and does nothing. */
export function inert(): Hilo {
  const nothing = () => {};
  const hilo: Hilo = {
    page: nothing,
    track: nothing,
    identify: nothing,
    group: nothing,
    reset: nothing,
    anonymousId: () => null,
    sessionId: () => null,
    ready(callback) {
      try {
        callback(hilo);
      } catch {
        // The page's own callback failed; that is not ours to report.
      }
    },
    consent: { grant: nothing, deny: nothing, state: () => state(0, 0), on: () => nothing, withdraw: nothing },
    cart: {
      add: nothing,
      set: nothing,
      dec: nothing,
      remove: nothing,
      clear: nothing,
      lines: () => [],
      totals: () => ({}),
      on: () => nothing,
      checkout: () => Promise.resolve(null),
      ordered: () => Promise.resolve(),
    },
    optIn: () => Promise.resolve(null),
    optOut: () => Promise.resolve(null),
    use: nothing,
    flush: nothing,
    debug: nothing,
    destroy: nothing,
  };
  return hilo;
}
