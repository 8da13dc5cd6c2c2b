/**
 * Who hears what happens in this page: the site's listeners of `hilo.on`, and the debugger with everything. In: what happens. Out: calls
 * back. A callback that throws harms nothing.
 */
import type { Tap } from "../voice.ts";

/** What happens, by the name of the function that tells it, with the time. */
export type Happened = [what: string, told: unknown[], at: number];

/** What happens while the debugger is on its way. */
const WAITING_MAX = 500;

let taps: Tap[] = [];
/** What the debugger has yet to hear; nothing before somebody asks for it. */
let waiting: Happened[] | undefined;
let hear: ((...happened: Happened) => void) | undefined;

/** A listener of the site's. One that has ended leaves the list. */
export const add = (tap: Tap) => void (taps = [...taps.filter(([kind]) => kind), tap]);

/** Calls the site's listeners of `kind`. Returns what they threw. */
export function call(kind: string, told: unknown): unknown[] {
  const thrown: unknown[] = [];
  for (const [of, callback] of taps) {
    try {
      if (of === kind) (callback as (told: unknown) => void)(told);
    } catch (error) {
      thrown.push(error);
    }
  }
  return thrown;
}

/** Whether somebody listens to `kind`. */
export const has = (kind: string) => taps.some(([of]) => of === kind);

/** Tells the debugger, where one is there or on its way. */
export function note(what: string, ...told: unknown[]) {
  if (hear) hear(what, told, Date.now());
  else if (waiting && waiting.length < WAITING_MAX) waiting.push([what, told, Date.now()]);
}

/** Keeps what happens for a debugger that is on its way. */
export const keep = () => void (waiting ??= []);

/** Hands everything to the debugger from now on, and what was kept first. Nothing ends that, and what was kept. */
export function hand(to: typeof hear) {
  hear = to;
  const kept = waiting ?? [];
  waiting = undefined;
  if (to) for (const happened of kept) to(...happened);
}
