/**
 * What the page's consent tools told last, for the debugger.
 */

/** The tools that are on the page. */
export const found = new Set<string>();

/** A report of the module: codes of the purposes, methods, raw signals, with tabs between them. */
export interface Report {
  lines: string;
  at: number;
}

let last: Report | undefined;

/** Keeps a report. */
export const noteReport = (lines: string) => void (last = { lines, at: Date.now() });

/** The last report. */
export const report = () => last;
