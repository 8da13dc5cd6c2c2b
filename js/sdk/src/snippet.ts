/**
 * A script tag becomes a tracker: options from `data-` attributes, the module from the script itself, and the
 * calls that the stub recorded, in order and with their own times.
 */
import { start } from "./index.ts";
import type { Hilo } from "./types.ts";

type Recorded = [name: string, args: unknown[], at: number];

declare global {
  interface Window {
    hilo?: (Hilo & { q?: Recorded[] }) | undefined;
  }
}

/** Starts from `script`. A page that loads two trackers keeps the first. */
export function snippet(script: HTMLScriptElement | null) {
  const stub = window.hilo;
  if (stub && !stub.q) return;
  const { key = "", endpoint, pages, forms, cart, pending, notice, debug } = script?.dataset ?? {};
  const home = new URL(".", script?.src || location.href);
  const options = {
    key,
    endpoint: endpoint ?? home.href.replace(/\/$/, ""),
    capture: { pages: pages !== "off", forms: forms !== "off", cart: cart as "api" },
    consent: { pending: pending === "drop" ? ("drop" as const) : ("hold" as const), notice: notice ?? "" },
    debug: debug !== undefined,
  };
  const carts = { file: () => import(String(new URL(HILO_CART_FILE, home))), module: () => fetch(new URL(HILO_CART_WASM_FILE, home)) };
  void start(options, module, carts).then((hilo) => replay(hilo, stub?.q ?? []));
}

/** The module, which stands in this file as text. */
function module(): Uint8Array<ArrayBuffer> {
  const text = HILO_WASM_TEXT;
  let at = text.length;
  const bytes = new Uint8Array(at);
  while (at--) bytes[at] = text.charCodeAt(at) ^ HILO_WASM_MASK;
  return bytes;
}

/** Puts the tracker in the stub's place and tells it what was called meanwhile. */
function replay(hilo: Hilo, calls: Recorded[]) {
  window.hilo = hilo;
  for (const [name, args, at] of calls) {
    try {
      const [first, second] = name.split(".") as [keyof Hilo, string?];
      const home: any = second ? hilo[first] : hilo;
      // What is told at a time gets that time as its last argument.
      const timed = ["page", "track", "identify", "group"].includes(name);
      home[second ?? first](...(timed ? [args[0], args[1], ...(name === "identify" ? [args[2]] : []), at] : args));
    } catch {
      // One bad call does not keep the others from being told.
    }
  }
}
