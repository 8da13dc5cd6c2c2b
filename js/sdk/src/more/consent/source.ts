/**
 * What a consent source is on the page's side: it finds a tool, listens to it, and copies what the tool says. What that means is
 * decided in `hilo-core/src/consent/signals`.
 */
import type { Host } from "../host.ts";

/** Hands on what a tool says now. */
export type Tell = (told: object) => void;

/** What a source may use. */
export interface Page extends Pick<Host, "listen" | "atEnd" | "guarded"> {
  /** The site's vendor of TCF; NaN for none. */
  vendor: number;
  /** The names of categories that the site maps itself. */
  mapped: string[];
}

export interface Source {
  /** Events of window or document upon which the tool is read again, separated by blanks. */
  events?: string;
  /** Reads the tool, if it is there. Returns whether it is: from then on its events and callbacks tell the rest. */
  read(tell: Tell, page: Page): unknown;
}

/** The window's own names, which the tools of a page define. */
export const page = window as any;

/** Categories as pairs of a name and a state. */
export const pairs = (categories: object, names = Object.keys(categories)) => names.map((name) => [name, (categories as any)[name]]);
