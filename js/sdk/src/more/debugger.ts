/**
 * Opens the debugger, whose file loads only where somebody asks for it. In: a wish, of the site's code or of the address. Out: the panel.
 *
 * The site's own code may always open it. The address opens it where the collector tells that the source allows that, so that no visitor
 * finds it by chance. A tab goes on with it from page to page where the developer asked for that in the panel.
 */
import type { Shop } from "../cart.ts";
import type { Hilo } from "../types.ts";
import { found, report, type Report } from "./consent/found.ts";
import type { LatePart } from "./host.ts";
import { sentence } from "./sentences.ts";
import { settingsOf } from "./settings.ts";
import { hand, keep, type Happened } from "./taps.ts";

/** Where this tab keeps the wish, and what it holds: `page.ts` reads both. */
const KEY = "hilo.d";
const WISH = "hilo_debug";

/** What the first file lends. */
export interface Lent {
  hilo: Hilo;
  late: LatePart;
  /** Calls back when the tracker stops. */
  atEnd(act: () => void): void;
  shop: Shop;
}

/** What the debugger gets. */
export interface Page {
  hilo: Hilo;
  /** Calls `hear` with everything that happens from now on, and first with what happened since the debugger was asked for. */
  hand(hear: ((...happened: Happened) => void) | undefined): void;
  /** The sentence of a code of the first file. */
  sentence(code: unknown): unknown;
  /** The consent tools that are on the page, and what they told last. */
  found: ReadonlySet<string>;
  report(): Report | undefined;
  /** Whether this tab opens the debugger on its next page. */
  isKept(): boolean;
  /** Says whether it does. */
  keepOpen(wish: boolean): void;
}

/** The debugger's file: `debug/entry.ts`. */
export interface DebugFile {
  /** Shows the panel. Returns what takes it away. */
  open(page: Page): () => void;
}

let opened: Promise<(() => void) | void> | undefined;
/** Whether the last wish was to open it. */
let isWished = false;

/** Follows a wish: `false` closes the debugger, and `null` is the wish of an address, or of this tab's earlier page. */
export async function openDebugger(wish: unknown, lent: Lent) {
  isWished = wish !== false;
  const before = opened;
  if (!isWished) {
    opened = undefined;
    return (await before)?.();
  }
  if (before) return;
  keep();
  const isAllowed = wish !== null || isKept() || (await settingsOf(lent.shop.host)).debug === true;
  // The site's own code may have opened it meanwhile, or closed it.
  if (opened) return;
  if (!isAllowed) console.warn("hilo:", sentence("debug_refused"));
  if (!isAllowed || !isWished) return hand(undefined);
  opened = show(lent);
  await opened;
}

async function show({ hilo, late, atEnd, shop: { host } }: Lent) {
  try {
    const { open }: DebugFile = await late(HILO_DEBUG_FILE).file();
    const close = open({ hilo, hand, sentence, found, report, isKept, keepOpen });
    atEnd(close);
    return close;
  } catch (error) {
    hand(undefined);
    opened = undefined;
    host.fail("no_file", error);
  }
}

function isKept(): boolean {
  try {
    return sessionStorage.getItem(KEY) === WISH;
  } catch {
    return false;
  }
}

function keepOpen(wish: boolean) {
  try {
    if (wish) sessionStorage.setItem(KEY, WISH);
    else sessionStorage.removeItem(KEY);
  } catch {
    // The storage is blocked, so the wish ends with this page.
  }
}
