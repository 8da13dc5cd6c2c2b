/**
 * The page's consent tools → the first file's gate: looks for the tools, hands what they say to the module, and its merged answer to
 * the gate. The first answer goes out once every tool that is there was asked. A tool that never answers is waited for: no time that
 * passes becomes a grant.
 */
import * as core from "hilo-more-wasm";

import type { Host } from "../host.ts";
import { plain } from "../plain.ts";
import { found, noteReport } from "./found.ts";
import { sources } from "./index.ts";
import type { Page } from "./source.ts";

/** When a tool that is not there yet is looked for again (and once the page has loaded, and whenever it is shown or hidden). */
const LOOKS_MS = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800];
/** Characters of one text: a string of TCF has about two thousand. */
const TEXT_MAX = 16_000;

/** Names as one text or several. */
const words = (given: unknown) => [given ?? ""].flat().join(" ").split(/[\s,]+/).filter(Boolean);

/** The site's own categories: an object, or `C0002=analytics mkt=advertising,sale_share` in an attribute. */
function categoriesOf(given: unknown): [name: string, purposes: string][] {
  const rows = typeof given === "string" ? given.split(/\s+/).map((row) => row.split("=")) : Object.entries(given ?? {});
  return rows.map(([name, purposes]) => [String(name), words(purposes).join(" ")]);
}

/** Watches until the tracker stops. */
export function watchSources({ settings, hear, say, ...host }: Host) {
  const { listen, guarded } = host;
  const wanted = words(settings.source);
  // The site's own calls alone decide. `index.ts` asks the same.
  if (/\bapi\b/.test(String(settings.source))) return;
  const categories = categoriesOf(settings.categories);
  const page: Page = { ...host, vendor: Number(settings.vendor ?? NaN), mapped: categories.map(([name]) => name) };
  const gpc = (navigator as { globalPrivacyControl?: unknown }).globalPrivacyControl === true;
  const table = categories.map((row) => row.join("\t")).join("\n");
  core.expect_sources(plain({ expected: wanted.join(" "), vendor: page.vendor || null, categories: table, gpc }, undefined, TEXT_MAX));

  /** The module's last answer, which waits until every tool was asked. */
  let answer: string | undefined = core.hear("", null);
  const pass = (lines: string) => {
    const [report = "", ...unknown] = lines.split("\n");
    for (const name of unknown) say(`unknown_category ${name}`);
    if (!report) return;
    noteReport(report);
    if (answer !== undefined) return void (answer = report);
    const [codes, methods = "", signals = ""] = report.split("\t");
    hear(Number(codes), methods, signals);
  };
  const missing = new Set(["tcf", "gpp", ...wanted] as (keyof typeof sources)[]);
  const read = (name: keyof typeof sources) =>
    guarded(() => {
      const told = (what: object) => guarded(() => pass(core.hear(name, plain(what, undefined, TEXT_MAX))));
      if (!sources[name].read(told, page)) return;
      missing.delete(name);
      found.add(name);
    });
  const look = () => missing.forEach(read);

  for (const name of missing) {
    if (!sources[name]) {
      missing.delete(name);
      say(`unknown_source ${name}`);
      continue;
    }
    for (const event of words(sources[name].events)) {
      // Some tools send an event for each category, so the tool is read when the task that sends them is over.
      listen(window, event, () => void Promise.resolve().then(() => read(name)));
    }
  }
  look();
  const first = answer;
  answer = undefined;
  pass(first);
  for (const ms of LOOKS_MS) setTimeout(() => guarded(look), ms);
  setTimeout(() => guarded(() => missing.forEach((name) => wanted.includes(name) && say(`missing_source ${name}`))), LOOKS_MS.at(-1)! + 1);
  listen(window, "load", look);
  listen(document, "visibilitychange", look);
}
