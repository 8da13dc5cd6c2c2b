/**
 * The public API over the wasm module: arguments in JavaScript's clothes → calls of the module.
 *
 * Holds no state of its own but callbacks. Guards every call: whatever goes wrong here, the page does not notice.
 */
import * as core from "hilo-wasm";

import { debug, firstInHistory, quietly, stop, surroundings, watch } from "./page.ts";
import type { Choice, ConsentState, Draft, Hilo, Options, Properties, Purpose } from "./types.ts";

export type * from "./types.ts";

/** The order in which the module tells the choices, two bits each. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
const CHOICES: Choice[] = ["unset", "granted", "denied"];
/** What a site tells, in the order of the module's numbers. */
const KINDS: Draft["type"][] = ["page", "track", "identify", "group"];

/** Where the module comes from: its bytes, or the answer that brings them. */
export type Source = () => BufferSource | Promise<Response>;

let loaded: Promise<Hilo> | undefined;

/** Starts the tracker on this page, once; a second call gives the first tracker. Always resolves. */
export function start(options: Options, source: Source): Promise<Hilo> {
  loaded ??= begin(options, source).catch((error: unknown) => {
    // No wasm (a content security policy without 'wasm-unsafe-eval', an old browser) or no network: nothing is captured.
    if (options.debug) console.warn("hilo: not started:", error);
    return inert();
  });
  return loaded;
}

async function begin(options: Options, source: Source): Promise<Hilo> {
  if (typeof window === "undefined" || typeof document === "undefined") return inert();
  await instantiate(await source());
  const listeners = new Set<(state: ConsentState) => void>();
  const { capture = {}, consent = {} } = options;
  const hasForms = capture.forms !== false;
  debug(options.debug === true);
  core.start(
    String(options.key),
    consent.notice ?? "",
    quietly(surroundings, ""),
    quietly(firstInHistory, undefined),
    capture.pages !== false,
    hasForms,
    consent.pending === "drop",
    (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true,
  );
  const hilo = wrap(listeners);
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

function wrap(listeners: Set<(state: ConsentState) => void>): Hilo {
  const changes: ((draft: Draft) => Draft | null)[] = [];
  const act = (what: () => void) => quietly(what, undefined);

  function send(type: Draft["type"], name: unknown, properties: unknown, at: number | undefined) {
    act(() => {
      let draft: Draft | null = { type, name: text(name), properties: (properties ?? {}) as Properties };
      for (const change of changes) {
        draft = draft && change(draft);
        if (!draft) return;
      }
      const details = JSON.stringify(draft.properties) ?? "";
      core.tell(KINDS.indexOf(type), draft.name, details === "{}" || details[0] !== "{" ? "" : details, at ?? Date.now());
    });
  }

  const hilo = {
    page(name, properties, at?: number) {
      send("page", name, properties, at);
    },
    track(event, properties, at?: number) {
      send("track", event, properties, at);
    },
    identify(userId, traits, at?: number) {
      send("identify", userId, traits, at);
    },
    group(groupId, traits, at?: number) {
      send("group", groupId, traits, at);
    },
    reset: () => act(core.reset),
    anonymousId: () => quietly(core.anonymous_id, "") || null,
    sessionId: () => quietly(core.session_id, "") || null,
    ready: (callback) => act(() => callback(hilo)),
    consent: {
      grant: (...purposes) => act(() => core.choose(purposes.flat().join(" "), true)),
      deny: (...purposes) => act(() => core.choose(purposes.flat().join(" "), false)),
      state: () => quietly(() => state(core.choices(), core.revision()), state(0, 0)),
      on(callback) {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      withdraw: () => act(core.withdraw),
    },
    use: (change) => void changes.push(change),
    flush: () => act(core.flush),
    debug: (on) => debug(on !== false),
    destroy() {
      act(core.destroy);
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
    use: nothing,
    flush: nothing,
    debug: nothing,
    destroy: nothing,
  };
  return hilo;
}
