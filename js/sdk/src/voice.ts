/**
 * What the developer reads in the console: errors that keep hilo from working, once each, and in debug mode everything else.
 *
 * Codes stand here and in the modules. Their sentences load with the second file, where there is something to tell
 * (`more/words.ts`). A page that cannot load the sentences is told that, with the bare code.
 */

/** Writes sentences to the console. */
export interface Words {
  /** A code's sentence, in debug mode. */
  say(code: unknown): void;
  /** An error's sentence, and what browser or collector reported. */
  fail(code: string, detail: unknown): void;
  /** One line for each event of the batch `body`: what became of it. `answer` is the collector's. */
  report(body: string, status: number, answer: unknown): void;
}

let isDebug = false;
let load: () => Promise<Words>;
let words: Promise<Words> | undefined;
const told: Record<string, Promise<void>> = {};

/** Sentences come from the file that `file` loads. */
export function learnWords(file: typeof load) {
  load = file;
}

/** Loads the second file for another use. What it brings has the sentences, and where it fails nobody tries again for them. */
export const loadWith = <File extends Words>(file: () => Promise<File>) => {
  const loading = file();
  words = loading;
  return loading;
};

/** Switches the debug mode on or off. */
export function debug(on: boolean) {
  isDebug = on;
}

const speak = (tell: (words: Words) => void, ...code: unknown[]) => (words ??= load()).then(tell, () => console.error("hilo: a file does not load: check proxy and CSP.", ...code));

/** Tells the developer, in debug mode. */
export const say = (code: unknown) => void (isDebug && speak((words) => words.say(code), code));

/** Tells of an error that needs the developer, once a page. `detail` quotes browser or collector. A page without a network has none. */
export const fail = (code: string, detail?: unknown) =>
  void (navigator.onLine ? (told[code] ??= speak((words) => words.fail(code, detail), code, detail)) : say(code));

/** Tells what became of the events of a batch, in debug mode. */
export const report = (body: string, status: number, answer: unknown) => void (isDebug && speak((words) => words.report(body, status, answer)));
