/**
 * Site search: the address of a page of results → what the visitor looked for.
 *
 * Off unless the site asks for it, because a search is what a visitor typed. Only fields of lead forms, which the site marks, are read beside it.
 */
import type { CaptureKind } from "../more/kind.ts";

/** The names in a query that Google Analytics takes for a search by default, in its order. */
const KEYS = "q s search query keyword";
/** How long a single-page app gets to show its results. */
const RESULTS_MS = 500;

/** The page before. */
let before = "";

export const search: CaptureKind = {
  usual: false,
  early: [],
  late: [],
  read({ type }, _, page) {
    const { href } = location;
    if (type === "navigated") return void setTimeout(() => location.href === href && page.happened("settled", document), RESULTS_MS);
    if (type !== "settled") return;
    const from = before;
    before = href;
    const results = document.querySelector("[data-hilo-results]");
    const [shown] = /\d[\d.,]*/.exec((results?.getAttribute("data-hilo-results") || results?.textContent) ?? "") ?? [];
    return {
      isSamePlace: bare(from) === bare(href),
      query: queryOf(href, page.options.search),
      queryBefore: queryOf(from, page.options.search),
      results: shown && +shown.replace(/\D/g, ""),
    };
  },
  start(page) {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    before = navigation?.type === "reload" ? location.href : document.referrer;
    page.happened("settled", document);
  },
};

/** The address without what it asks for. */
const bare = (url: string) => url.replace(/[?#].*/, "");

/** What the address asks for, in lower case; empty for nothing. `own` are names that the site adds. */
function queryOf(url: string, own: unknown): string {
  if (!url) return "";
  const { searchParams } = new URL(url);
  const queries = `${KEYS} ${own}`.split(/[\s,]+/).map((key) => searchParams.get(key)?.trim());
  return queries.find(Boolean)?.toLowerCase() ?? "";
}
