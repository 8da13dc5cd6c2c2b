/**
 * A script tag becomes a tracker. The options come from `data-` attributes, and the module from the script itself. The calls
 * that the stub recorded follow in order, with their own times.
 */
import { answers } from "./answers.ts";
import { start } from "./index.ts";
import type { Hilo } from "./types.ts";

type Recorded = [name: string, args: any[], at: number, settle?: (result: unknown) => void];

declare global {
  interface Window {
    hilo?: (Hilo & { q?: Recorded[] }) | undefined;
  }
}

/** Starts from `script`. A page that loads two trackers keeps the first. */
export function snippet(script: HTMLScriptElement | null) {
  const stub = window.hilo;
  if (stub && !stub.q) return;
  const attributes = script?.dataset ?? ({} as DOMStringMap);
  const { key = "", endpoint, pages, cart, currency, pending, notice, debug } = attributes;
  const home = new URL(".", script?.src || location.href);
  const options = {
    key,
    endpoint: endpoint ?? home.href.replace(/\/$/, ""),
    capture: {
      pages: /^(off|false)$/.test(pages!) ? false : (pages as "query"),
      cart: cart as "api",
      ...(currency && { currency }),
      ...Object.fromEntries(Object.keys(HILO_KINDS).map((kind) => [kind, attributes[kind] !== "off"])),
    },
    consent: { pending: pending === "drop" ? ("drop" as const) : ("hold" as const), notice: notice ?? "" },
    debug: debug !== undefined,
  };
  let imports = 0;
  // Browsers keep a failed import for the page's life, so each attempt has an address of its own. The fragment never leaves the browser.
  const part = (file: string, wasm: string) => ({ file: () => import(`${new URL(file, home)}#${imports++}`), module: () => fetch(new URL(wasm, home)) });
  const parts = { module, cart: part(HILO_CART_FILE, HILO_CART_WASM_FILE), more: part(HILO_MORE_FILE, HILO_MORE_WASM_FILE) };
  void start(options, parts).then((hilo) => replay(hilo, stub?.q ?? []));
}

/** The module, which stands in this file as text. */
function module(): Uint8Array<ArrayBuffer> {
  const text = HILO_WASM_TEXT;
  let at = text.length;
  const bytes = new Uint8Array(at);
  while (at--) bytes[at] = text.charCodeAt(at) ^ HILO_WASM_MASK;
  return bytes;
}

/** Puts the tracker in the stub's place and repeats the calls that the stub recorded. */
function replay(hilo: Hilo | undefined, calls: Recorded[]) {
  const perform = (call: Recorded) => {
    const [name, args, at] = call;
    let result: unknown = null;
    try {
      const [first, second] = name.split(".") as [keyof Hilo, string?];
      const home: any = second ? hilo![first] : hilo;
      // These calls take the time of the call as their last argument.
      const timed = ["page", "track", "identify", "group"].includes(name);
      // The stub empties the name of a callback that the site has ended.
      if (isOn(call)) home.on((state: unknown) => call[0] && args[0](state));
      else result = home[second ?? first](...(timed ? [args[0], args[1], ...(name === "identify" ? [args[2]] : []), at] : args));
    } catch {
      // One bad call does not stop the others. Without a tracker the stub stays, and stores the acts on the cart when the page is left.
      if (!hilo && name[0] === "c") recorded.push.call(calls, call);
    }
    // The stub adds the function that settles the call's promise after `push`.
    void Promise.resolve().then(() => call[3]?.(result));
  };
  const isOn = ([name]: Recorded) => name.endsWith(".on");
  const recorded = calls.splice(0);
  if (hilo) window.hilo = hilo;
  // Callbacks come first, so that they are called back for the answers, and events last.
  const rest = recorded.filter((call) => !isOn(call));
  [...recorded.filter(isOn), ...(hilo ? answers() : []), ...rest].forEach(perform);
  // A site may hold on to the stub.
  calls.push = (call) => (perform(call), 0);
}
