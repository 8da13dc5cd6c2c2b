/**
 * The public API over the wasm module: arguments in JavaScript's clothes → calls of `Core`.
 *
 * Holds no state of its own but callbacks. Guards every call: whatever goes wrong here, the page does not notice.
 */
import init, { Core } from "hilo-wasm";

import type { Choice, ConsentState, Draft, Hilo, Options, Properties, Purpose } from "./types.ts";

export type * from "./types.ts";

/** The order in which `Core.choices` tells its letters. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];
const CHOICES: Record<string, Choice> = { g: "granted", d: "denied", u: "unset" };

/** What wasm-bindgen's `init` takes. */
export type Module = Parameters<typeof init>[0];

let loaded: Promise<Hilo> | undefined;

/** Starts the tracker on this page, once; a second call gives the first tracker. Always resolves. */
export function start(options: Options, module?: Module | (() => Module)): Promise<Hilo> {
  loaded ??= begin(options, module).catch((error: unknown) => {
    // No wasm (a content security policy without 'wasm-unsafe-eval', an old browser) or no network: nothing is captured.
    if (options.debug) console.warn("hilo: not started:", error);
    return inert();
  });
  return loaded;
}

async function begin(options: Options, module?: Module | (() => Module)): Promise<Hilo> {
  if (typeof window === "undefined" || typeof document === "undefined") return inert();
  const source = typeof module === "function" ? module() : module;
  await init(source === undefined ? undefined : { module_or_path: source as never });
  const listeners = new Set<(state: ConsentState) => void>();
  const { capture = {}, consent = {} } = options;
  const core = new Core(
    String(options.key),
    options.endpoint ?? "/_h",
    consent.notice ?? "",
    capture.pages !== false,
    capture.forms !== false,
    consent.pending === "drop",
    () => listeners.forEach((listener) => quietly(() => listener(hilo.consent.state()))),
  );
  core.debug(options.debug === true);
  const hilo = wrap(core, listeners, options);
  watchHistory(core);
  core.begin();
  return hilo;
}

function wrap(core: Core, listeners: Set<(state: ConsentState) => void>, options: Options): Hilo {
  const changes: ((draft: Draft) => Draft | null)[] = [];
  let isDebug = options.debug === true;
  let isOver = false;

  function act<T>(what: () => T, otherwise: T): T {
    if (isOver) return otherwise;
    try {
      return what();
    } catch (error) {
      if (isDebug) console.warn("hilo:", error);
      return otherwise;
    }
  }

  function send(type: Draft["type"], name: unknown, properties: unknown, at: number | undefined) {
    act(() => {
      let draft: Draft | null = { type, name: text(name), properties: (properties ?? {}) as Properties };
      for (const change of changes) {
        draft = draft && change(draft);
        if (!draft) return;
      }
      const details = JSON.stringify(draft.properties) ?? "";
      core[type](draft.name, details === "{}" || details[0] !== "{" ? "" : details, at ?? Date.now());
    }, undefined);
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
    reset: () => act(() => core.reset(), undefined),
    anonymousId: () => act(() => core.anonymous_id() ?? null, null),
    sessionId: () => act(() => core.session_id() ?? null, null),
    ready: (callback) => act(() => callback(hilo), undefined),
    consent: {
      grant: (...purposes) => act(() => core.choose(purposes.flat().join(" "), true), undefined),
      deny: (...purposes) => act(() => core.choose(purposes.flat().join(" "), false), undefined),
      state: () => act(() => state(core.choices(), core.revision()), state("", 0)),
      on(callback) {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      withdraw: () => act(() => core.withdraw(), undefined),
    },
    use: (change) => void changes.push(change),
    flush: () => act(() => core.flush(), undefined),
    debug: (on) => act(() => core.debug((isDebug = on !== false)), undefined),
    destroy() {
      act(() => core.destroy(), undefined);
      isOver = true;
    },
  } as Hilo;
  return hilo;
}

/** Where the Navigation API is missing, single-page apps are followed through the History API. */
function watchHistory(core: Core) {
  if ("navigation" in window) return;
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      quietly(() => core.navigated());
    };
  }
  addEventListener("popstate", () => quietly(() => core.navigated()));
}

function quietly(act: () => void) {
  try {
    act();
  } catch {
    // The page's own listener failed; that is not ours to report.
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function state(letters: string, revision: number): ConsentState {
  const entries = PURPOSES.map((purpose, i) => [purpose, CHOICES[letters[i] ?? "u"]]);
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
    ready: (callback) => quietly(() => callback(hilo)),
    consent: { grant: nothing, deny: nothing, state: () => state("", 0), on: () => nothing, withdraw: nothing },
    use: nothing,
    flush: nothing,
    debug: nothing,
    destroy: nothing,
  };
  return hilo;
}
