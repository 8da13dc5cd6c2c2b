/** Which folder of `tests/specs` judges which kind of destination. Reads folders, and judges nothing. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const golden = new URL("../golden/forward/", import.meta.url);
const specs = new URL("../specs/", import.meta.url);

/** The kinds whose folder of `tests/specs` has another name: it is the name of a protocol. */
const OTHER_NAMES: Readonly<Record<string, string>> = { google_ads: "datamanager", webhook: "standard-webhooks" };

const feeds = new URL("../golden/feeds/", import.meta.url);

/** A page that a feed reads: the request, and the answer to it. */
export interface Read {
  readonly name: string;
  readonly request: Written["requests"][number];
  readonly answer: { status?: number; body: unknown };
}

/** The feeds with golden cases that make requests. */
export const feedsRead = (): string[] => readdirSync(feeds).filter((feed) => readsOf(feed).length > 0);

/** The pages of a feed's golden cases. An answer with `odd: true` is none that the vendor describes. */
export function readsOf(feed: string): Read[] {
  const files = readdirSync(new URL(`${feed}/`, feeds)).filter((file) => file.endsWith(".in.json"));
  return files.flatMap((name) => {
    const { answers = [] } = JSON.parse(readFileSync(new URL(`${feed}/${name}`, feeds), "utf8"));
    const out = new URL(`${feed}/${name.replace(".in.", ".out.")}`, feeds);
    const { requests = [] } = existsSync(out) ? JSON.parse(readFileSync(out, "utf8")) : {};
    return requests.map((request: Read["request"], at: number) => ({ name, request, answer: answers[at] }));
  });
}

/** Every kind with golden cases. */
export const kinds = (): string[] =>
  readdirSync(golden, { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => one.name);

/** The folder of the kind's judge. A kind without a judge is an error, so that none is forgotten. */
export function specOf(kind: string): string {
  const spec = OTHER_NAMES[kind] ?? kind;
  if (!existsSync(new URL(`${spec}/openapi.json`, specs))) {
    throw new Error(`${kind} has no judge: write tests/specs/${spec}/openapi.json, see tests/specs/README.md`);
  }
  return spec;
}

/** A golden case's requests, and where they stand. */
export interface Written {
  readonly name: string;
  readonly requests: { method: string; url: string; headers: Record<string, string>; body: string }[];
}

/** The golden cases of a kind that make requests. */
export function casesOf(kind: string): Written[] {
  const files = readdirSync(new URL(`${kind}/`, golden)).filter((file) => file.endsWith(".out.json"));
  return files.map((name) => ({ name, requests: read(kind, name)?.requests ?? [] }));
}

/** The values of a kind's `secrets.json`. */
export const secretsOf = (kind: string): string[] => Object.values(read(kind, "secrets.json") ?? {});

/** The names in `custom.json`: members of requests that the vendor does not describe, and that hilo sends on purpose. */
export const customOf = (kind: string): string[] => read(kind, "custom.json") ?? [];

/** Where `custom.json` of a kind stands. */
export const customFile = (kind: string): URL => new URL(`${kind}/custom.json`, golden);

function read(kind: string, name: string): any {
  const file = new URL(`${kind}/${name}`, golden);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
