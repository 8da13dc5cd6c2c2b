/**
 * What the developer reads in the console: errors that keep hilo from working, once each, and in debug mode everything else. The site's
 * listeners and the debugger hear the same.
 *
 * Codes stand here and in the modules. Their sentences load with the second file, where there is something to tell
 * (`more/words.ts`). A page that cannot load the sentences is told that, with the bare code.
 */

/** Writes sentences to the console, and calls those who listen. */
export interface Words {
  /** Somebody listens from now on, see [`tap`]. */
  tap(tap: Tap): void;
  /** A code's sentence, in debug mode. */
  say(code: unknown): void;
  /** An error's sentence, and what browser or collector reported. */
  fail(code: string, detail: unknown): void;
  /** An event goes into the queue as `text`; empty text where the site dropped it. `own` is the event as it was captured. */
  queued(own: string, text: string): void;
  /** One line for each event of the batch `body`: what became of it. `answer` is the collector's. */
  report(body: string, status: number, answer: unknown): void;
}

/** What somebody wants to hear, or an empty text once that has ended; a callback or a wish; what the first file lends for it. */
export type Tap = [kind: string, wish: unknown, lent?: unknown];

let isHeard = false;
let load: () => Promise<Words>;
let words: Promise<Words> | undefined;
const told: Record<string, Promise<void>> = {};

/** Sentences come from the file that `file` loads. */
export function learnWords(file: typeof load) {
  load = file;
}

/** Loads the second file for another use. What it brings has the sentences, and where it fails nobody tries again for them. */
export const loadWith = <File extends Words>() => (words = words ? words.catch(load) : load()) as Promise<File>;

const speak = (tell: (words: Words) => void, ...code: unknown[]) => (words ??= load()).then(tell, () => console.error("hilo: a file does not load: check proxy and CSP.", ...code));

/** What calls the function `name` of the second file, where somebody listens. */
const teller =
  <Name extends keyof Words>(name: Name) =>
  (...told: Parameters<Words[Name]>) =>
    void (isHeard && speak((words) => (words[name] as (...told: unknown[]) => void)(...told), told[0]));

/** Tells the developer, in debug mode. */
export const say = teller("say");
/** Tells of an event on its way to the queue. */
export const queued = teller("queued");
/** Tells what became of the events of a batch. */
export const report = teller("report");
const listen = teller("tap");

/** Somebody listens: one of the site's listeners, the console in debug mode, the debugger. Returns what ends that. */
export function tap(...tap: Tap) {
  isHeard = true;
  listen(tap);
  return () => void (tap[0] = "");
}

/** Tells of an error that needs the developer, once a page. `detail` quotes browser or collector. A page without a network has none. */
export const fail = (code: string, detail?: unknown) =>
  void (navigator.onLine ? (told[code] ??= speak((words) => words.fail(code, detail), code, detail)) : say(code));
