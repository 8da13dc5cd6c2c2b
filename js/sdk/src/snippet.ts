/**
 * A script tag becomes a tracker. The options come from `data-` attributes, and the module from the script itself. The calls
 * that the stub recorded follow in order, with their own times.
 */
import { answers } from "./answers.ts";
import { start } from "./index.ts";
import { isPlain } from "./parts.ts";
import type { Hilo, Options } from "./types.ts";

type Recorded = [name: string, args: any[], at: number, settle?: (result: unknown) => void];

/** What the stub recorded. The copy of the tracker that starts marks it. */
type Queue = Recorded[] & { isTaken?: boolean };

declare global {
  interface Window {
    hilo?: (Hilo & { q?: Queue }) | undefined;
  }
}

/** Starts from `script`. A page that loads two trackers, of two versions perhaps, keeps the first, though it may have just begun to start. */
export function snippet(script: HTMLScriptElement | null) {
  const calls: Queue | undefined = window.hilo ? window.hilo.q : [];
  if (!calls || calls.isTaken) return;
  calls.isTaken = true;
  const attributes = script?.dataset ?? ({} as DOMStringMap);
  const { key = "", endpoint, debug } = attributes;
  const home = new URL(".", script?.src || location.href);
  const options = {
    key,
    endpoint: endpoint ?? home.href.replace(/\/$/, ""),
    // The options of what is captured, and of consent, have attributes of their names.
    capture: attributes as object,
    consent: { ...(attributes as NonNullable<Options["consent"]>), source: attributes["consent"] as "tcf" },
    debug: debug !== undefined,
  };
  let imports = 0;
  // Browsers keep a failed import for the page's life, so each attempt has an address of its own. The fragment never leaves the browser.
  const load = (file: string) => import(`${new URL(file, home)}#${imports++}`);
  const part = (name: string) => ({ file: () => load(name + ".js"), module: () => (isPlain ? load(name + ".mjs") : fetch(new URL(name + ".wasm", home))) });
  const parts = { module: () => (isPlain ? load(HILO_PLAIN_FILE + ".mjs") : module()), cart: part(HILO_CART_FILE), more: part(HILO_MORE_FILE), late: part };
  void start(options, parts).then((hilo) => replay(hilo, calls));
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
      const timed = /^(page|track|identify|group)$/.test(name);
      // The stub empties the name of a callback that the site has ended.
      if (isOn(call)) home.on(...args.slice(0, -1), (told: unknown) => call[0] && args.at(-1)(told));
      else result = home[second ?? first](...(timed ? [args[0], args[1], ...(name === "identify" ? [args[2]] : []), at] : args));
    } catch {
      // One bad call does not stop the others. Without a tracker the stub stays, and stores the acts on the cart when the page is left.
      if (!hilo && name[0] === "c") recorded.push.call(calls, call);
    }
    // The stub adds the function that settles the call's promise after `push`.
    void Promise.resolve().then(() => call[3]?.(result));
  };
  const isOn = ([name]: Recorded) => name.endsWith("on");
  const recorded = calls.splice(0);
  if (hilo) window.hilo = hilo;
  // Callbacks come first, so that they are called back for the answers, and events last.
  const rest = recorded.filter((call) => !isOn(call));
  [...recorded.filter(isOn), ...(hilo ? answers() : []), ...rest].forEach(perform);
  // A site may hold on to the stub. Where it froze what lists inherit, only a definition gives this list a `push` of its own.
  Object.defineProperty(calls, "push", { value: perform });
}
