/**
 * The writer of `cargo xtask update lists`: public lists → the compact files that the collector embeds, and the samples that tests read.
 *
 * In: a folder with the npm packages and Matomo's list. Out: files in `crates/hilo-core/lists` and `tests/lists`, each with its source,
 * version and licence. Fetches nothing. The same packages yield the same files.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [from = ""] = process.argv.slice(2);
const EMBEDDED = "crates/hilo-core/lists";
const SAMPLES = "tests/lists";

/** Words that name a bot wherever they stand in a user agent. `bot` has a rule of its own in `normalize/bots.rs`. */
const GENERIC = ["crawl", "spider", "headless", "http:", "https:"];
/** Patterns that are no plain words, as plain words. */
const BY_HAND: Record<string, string[]> = {
  "BlogTraffic\\/\\d\\.\\d+ Feed-Fetcher": ["blogtraffic/"],
  "Current[\\s\\S]*RSS Reader": ["rss reader"],
};
/** Numbers of each kind and country that are kept as samples. */
const PHONES_MAX = 6;
/** User agents of browsers that are kept as samples. */
const BROWSERS_MAX = 1_000;

function read(...path: string[]): string {
  return readFileSync(join(from, ...path), "utf8");
}

function version(name: string): string {
  return JSON.parse(read("node_modules", name, "package.json")).version as string;
}

function write(folder: string, file: string, about: string[], lines: Iterable<string>): void {
  const head = about.map((line) => `# ${line}\n`).join("");
  writeFileSync(join(folder, file), `${head}${[...lines].join("\n")}\n`);
  console.error(`${folder}/${file}: ${[...lines].length} lines`);
}

interface Crawler {
  pattern: string;
  instances: string[];
  tags?: string[];
}

/** The plain words of a pattern: `^` at the beginning and `$` at the end stay. `undefined` if it is more than words and choices. */
function words(pattern: string): string[] | undefined {
  const known = BY_HAND[pattern];
  if (known) return known;
  const choice = /^(.*?)\(([^()]*)\)(.*)$/.exec(pattern);
  if (choice) {
    const [, before = "", inside = "", after = ""] = choice;
    const all = inside.split("|").map((one) => words(before + one + after));
    return all.includes(undefined) ? undefined : (all as string[][]).flat();
  }
  if (pattern.includes("|")) {
    const all = pattern.split("|").map(words);
    return all.includes(undefined) ? undefined : (all as string[][]).flat();
  }
  // `[bB]` is one letter in lower case. `[^x]` behind the word asks for nothing that a word could hold.
  const plain = pattern
    .replace(/\[\^.\]$/, "")
    .replace(/\[([a-zA-Z])([a-zA-Z])\]/g, (all, a: string, b: string) => (a.toLowerCase() === b.toLowerCase() ? a : all))
    .replace(/\\([^a-zA-Z0-9])/g, "\u0000$1");
  if (/(?<!\u0000)[[\](){}*+?|\\]|(?<!\u0000)\.|.\^|(?<!\u0000)\$./.test(plain)) return undefined;
  return [plain.replaceAll("\u0000", "").toLowerCase()];
}

/** Whether a general rule finds every user agent that has this word. */
function isGeneral(word: string): boolean {
  return GENERIC.some((general) => word.includes(general)) || /(?<!cu)bot(?![a-z])/.test(word);
}

function bots(): void {
  const name = "crawler-user-agents";
  const all = JSON.parse(read("node_modules", name, "crawler-user-agents.json")) as Crawler[];
  // An app sends with the HTTP library of its system, so a library's name says nothing about who sends.
  const crawlers = all.filter((one) => !one.tags?.includes("http-library"));
  const found = new Set(GENERIC);
  for (const { pattern } of crawlers) {
    const plain = words(pattern);
    if (!plain) console.error(`left out, because it is more than words: ${pattern}`);
    for (const word of plain ?? []) {
      if (!isGeneral(word)) found.add(word);
    }
  }
  // A word that holds another listed word finds nothing more.
  const kept = [...found].filter((word) => ![...found].some((other) => other !== word && !/^\^|\$$/.test(other) && word.includes(other)));
  const about = [
    `Words that name bots in user agents, in lower case; ^ and $ stand for the beginning and the end. Written by cargo xtask update lists.`,
    `Source: npm ${name} ${version(name)} (MIT, Martin Monperrus and others), without HTTP libraries.`,
  ];
  write(EMBEDDED, "bots.txt", about, kept.sort());
  const instances = new Set(crawlers.flatMap((one) => one.instances));
  write(SAMPLES, "crawlers.txt", [`User agents of crawlers. Source: npm ${name} ${version(name)} (MIT).`], instances);
}

function browsers(): void {
  const name = "user-agents";
  const all = JSON.parse(read("node_modules", name, "dist", "user-agents.json")) as { userAgent: string }[];
  const texts = new Set(all.map((one) => one.userAgent));
  const about = [`User agents of real browsers, the commonest first. Source: npm ${name} ${version(name)} (BSD-2-Clause, Intoli).`];
  write(SAMPLES, "browsers.txt", about, [...texts].slice(0, BROWSERS_MAX));
}

/** Names and hosts of one of Matomo's files. Only its own plain form of YAML is read. */
function sites(file: string): [string, string[]][] {
  const found: [string, string[]][] = [];
  let isHosts = true;
  for (const line of read("matomo", file).split("\n")) {
    const head = /^(\S.*?):\s*$/.exec(line);
    const key = /^ {4}(\w+):/.exec(line);
    const item = /^\s+-\s+['"]?([^'"\s]+)['"]?\s*$/.exec(line);
    if (head) {
      found.push([decodeURIComponent(head[1]!.replaceAll(/^['"]|['"]$/g, "")), []]);
      isHosts = file !== "SearchEngines.yml";
    } else if (key) {
      isHosts = key[1] === "urls";
    } else if (item && isHosts) {
      found.at(-1)?.[1].push(item[1]!);
    }
  }
  return found;
}

function referrers(): void {
  const lines: string[] = [];
  for (const [kind, file] of [["assistant", "AIAssistants.yml"], ["search", "SearchEngines.yml"], ["social", "Socials.yml"]] as const) {
    for (const [name, all] of sites(file)) {
      // A host with a path would need the path, which browsers do not send to another site.
      const hosts = new Set(all.filter((host) => !host.includes("/")).map((host) => host.replace(/^www\./, "").replace(/\{\}/g, "*")));
      const kept = [...hosts].filter((host) => ![...hosts].some((other) => host !== other && host.endsWith(`.${other}`)));
      if (kept.length > 0) lines.push(`${kind}|${name.toLowerCase()}|${kept.sort().join(" ")}`);
    }
  }
  const commit = read("matomo.commit").trim();
  const about = [
    "Sites that bring visitors: kind|name|hosts; * stands for any ending. Written by cargo xtask update lists.",
    `Source: https://github.com/matomo-org/searchengine-and-social-list, commit ${commit} (CC0-1.0).`,
  ];
  write(EMBEDDED, "referrers.txt", about, lines);
}

/** A sequence of numbers that is the same each time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state >>> 16;
  }
}

/**
 * Valid numbers of each market as people write them, and as E.164; texts that are no number have `-`. Numbers are made of a country's
 * example by other last digits, which the plan of the country has to allow.
 */
async function phones(): Promise<void> {
  const name = "libphonenumber-js";
  const lib = await import(pathToFileURL(join(from, "node_modules", name, "max", "index.js")).href);
  const examples = JSON.parse(read("node_modules", name, "examples.mobile.json")) as Record<string, string>;
  const markets = [...readFileSync("crates/hilo-core/src/phone.rs", "utf8").matchAll(/^ {4}market\("([A-Z]{2})"/gm)].map((found) => found[1]!);
  const next = numbers(17);
  const lines: string[] = [];
  for (const country of markets) {
    const example = examples[country]!;
    const kinds = new Map<string, number>();
    for (let tries = 0; tries < 4_000; tries += 1) {
      const length = Math.max(4, example.length - (next.next().value % 4) + (next.next().value % 3));
      let digits = tries % 2 ? example.slice(0, 2) : "";
      while (digits.length < length) digits += String(next.next().value % 10);
      const number = lib.parsePhoneNumberFromString(digits, country);
      if (!number?.isValid() || number.country !== country) continue;
      const kind = number.getType() ?? "OTHER";
      if (!["MOBILE", "FIXED_LINE", "FIXED_LINE_OR_MOBILE"].includes(kind)) continue;
      const count = kinds.get(kind) ?? 0;
      if (count >= PHONES_MAX) continue;
      kinds.set(kind, count + 1);
      for (const text of [number.formatNational(), number.formatInternational(), number.number]) {
        lines.push(`${country}|${text}|${number.number}`);
      }
      // One digit too few or too many for every plan of the country.
      for (const text of [number.formatInternational().slice(0, -5), `${number.formatInternational()}12345`]) {
        const other = lib.parsePhoneNumberFromString(text, country);
        if (!other?.isPossible()) lines.push(`${country}|${text}|-`);
      }
    }
  }
  const about = ["Telephone numbers: market|as written|E.164, or - where the plan has no such number.", `Source: made with npm ${name} ${version(name)} (MIT, with the metadata of Google's libphonenumber, Apache-2.0).`];
  write(SAMPLES, "phones.txt", about, lines);
}

bots();
browsers();
referrers();
await phones();
