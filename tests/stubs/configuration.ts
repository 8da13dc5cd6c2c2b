/**
 * The `hilo.toml` that sends to every stub, and the secrets that it names.
 *
 * The development configuration's own tables, and a destination of each kind that has a stub: its block in `tests/stubs/hilo.toml`, or
 * the one of its golden cases. The secrets are those of the golden cases, also for a deployer's own file. Reads files only.
 */
import { existsSync, readFileSync } from "node:fs";

import { STUBS } from "./index.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Every kind that has a stub. */
export const stubKinds = (): string[] => STUBS.map((create) => create().kind);

/** The blocks of a file with destinations, each with its kind. */
function listed(text: string): [kind: string, block: string][] {
  const blocks = text.split(/^(?=\[\[destination\]\])/m).filter((block) => block.startsWith("[[destination]]"));
  return blocks.map((block) => [/^type\s*=\s*"(.*?)"/m.exec(block)?.[1] ?? "", block]);
}

/** The blocks of a file with one destination of a kind. */
const blocksOf = (text: string) => new Map(listed(text));

/** The settings of a text that name a secret, each with the name. */
const secretNames = (text: string) =>
  [...text.matchAll(/^\s*(\w+)\s*=\s*\{\s*secret\s*=\s*"(\w+)"\s*\}/gm)].map(([, setting, name]) => [setting!, name!] as const);

/** The destination's block of each kind. */
export function destinationBlocks(): Map<string, string> {
  const own = blocksOf(read("tests/stubs/hilo.toml"));
  return new Map(
    stubKinds().map((kind) => {
      const golden = blocksOf(read(`tests/golden/forward/${kind}/settings.toml`)).get(kind);
      const block = own.get(kind) ?? golden;
      if (block === undefined) throw new Error(`neither tests/stubs/hilo.toml nor the golden settings have a destination of ${kind}`);
      // Golden cases of two kinds may have one name.
      return [kind, block.trim().replace(/^name = .*$/m, `name = "${kind}"`)];
    }),
  );
}

/** The whole file. */
export function stubsConfig(): string {
  const [tables = "", retention = ""] = read("crates/hilo-collector/hilo.toml").split(/^# --- Destinations:.*?(?=^# --- Retention:)/ms);
  return [tables, ...destinationBlocks().values(), retention].join("\n\n");
}

/** The purposes of a kind's destination, as its block has them. */
export function purposesOf(kind: string): string[] {
  const purposes = /^purposes = \[(.*)\]/m.exec(destinationBlocks().get(kind) ?? "")?.[1] ?? "";
  return [...purposes.matchAll(/"(.*?)"/g)].map((found) => found[1]!);
}

/** Values for all secrets, by name. */
export function stubsSecrets(): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const kind of stubKinds()) {
    const path = `tests/golden/forward/${kind}/secrets.json`;
    const own: Record<string, string> = existsSync(new URL(path, root)) ? JSON.parse(read(path)) : {};
    for (const [name, value] of Object.entries(own)) {
      if ((secrets[name] ?? value) !== value) throw new Error(`two kinds have a secret called ${name}, with different values`);
      secrets[name] = value;
    }
  }
  return secrets;
}

/**
 * Values for the secrets that a deployer's own file names, for its stubs. `known` values count first. A stub takes the secrets of its
 * golden cases, so any other name gets the value that the golden cases have for the same setting. A setting that they lack gets none:
 * its secret is reported as missing.
 */
export function secretsFor(text: string, known: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [taken, usual] = [{ ...stubsSecrets(), ...known }, destinationBlocks()];
  const values: Record<string, string> = {};
  for (const [kind, block] of listed(text)) {
    const names = new Map(secretNames(usual.get(kind) ?? ""));
    for (const [setting, name] of secretNames(block)) {
      const value = taken[name] ?? taken[names.get(setting) ?? ""];
      if (value !== undefined) values[name] = value;
    }
  }
  return values;
}

/** The values that the environment has for the secrets of a deployer's own file. */
export function secretsOfEnvironment(text: string): Record<string, string> {
  const names = secretNames(text).map(([, name]) => name);
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
