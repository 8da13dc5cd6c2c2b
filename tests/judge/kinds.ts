/** Which folder of `tests/specs` judges which kind of destination. Reads folders, and judges nothing. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const golden = new URL("../golden/forward/", import.meta.url);
const specs = new URL("../specs/", import.meta.url);

/** The kinds whose folder of `tests/specs` has another name: it is the name of a protocol. */
const OTHER_NAMES: Readonly<Record<string, string>> = { google_ads: "datamanager", webhook: "standard-webhooks" };

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
