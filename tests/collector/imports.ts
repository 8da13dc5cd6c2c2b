/** Imports of files in specs and benches: the program that reads files, the upload, and files with known contents. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { configWith, type Collector } from "./mf.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The development configuration, whose destination takes no event of a till: nothing is forwarded here. */
const quiet = configWith("http://127.0.0.1:9/").replace(/(^\[\[destination\]\]\n(?:.+\n)*?purposes = )\["analytics"\]/m, '$1["advertising"]');

/** A configuration with a till and a call center. */
export const importConfig = `${quiet}
${["till", "phone"]
  .map(
    (name, at) => `[[source]]
name = "${name}"
kind = "server"
keys = [{ sha256 = "${String(at + 1).padStart(64, "0")}" }]
consent_basis = { basis = "contract", purposes = ["analytics"] }
`,
  )
  .join("\n")}`;

/** Builds the program that reads files, and returns its path. */
export function reader(): string {
  execFileSync("cargo", ["build", "--quiet", "--package", "hilo-import"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return join(process.env["CARGO_TARGET_DIR"] ?? join(root, "target"), "debug/hilo-import");
}

/** An upload that runs. */
export interface Upload {
  child: ChildProcess;
  /** Its exit code, the counts that it printed, and what it told a person. */
  done: Promise<{ code: number | null; counts: any; told: string }>;
  /** The import's id, as soon as it is told. */
  id: Promise<string>;
}

/** Begins to upload a file as `cargo xtask import` does. */
export function upload(collector: Collector, program: string, file: string, [source, kind, ...flags]: string[]): Upload {
  const update = flags.includes("--update");
  const query = `source=${source}&kind=${kind}${update ? "&update=1" : ""}`;
  const told = [file, "--source", source!, "--kind", kind!, ...flags.filter((flag) => flag !== "--update")];
  const child = spawn(process.execPath, [join(root, "js/import.ts"), `${collector.url}/_h`, query, program, ...told], {
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout!.on("data", (text) => (out += text));
  const id = new Promise<string>((resolve) => {
    child.stderr!.on("data", (text) => {
      err += text;
      const named = /^Import (\S+?)[, ]/m.exec(err);
      if (named) resolve(named[1]!);
    });
  });
  const done = new Promise<{ code: number | null; counts: any; told: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, counts: out === "" ? undefined : JSON.parse(out), told: err }));
  });
  return { child, done, id };
}

/** Numbers that come again in each run: a linear congruential generator (Numerical Recipes). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Writes calls of so many people into a file, each line another call. */
export async function writeCalls(path: string, lines: number, people: number): Promise<void> {
  const [out, next] = [createWriteStream(path), seeded(17)];
  out.write("id_llamada;fecha;hora;sentido;teléfono;duración;agente\n");
  for (let line = 0; line < lines; line++) {
    const person = Math.floor(next() * people);
    const [day, second] = [1 + Math.floor(next() * 28), Math.floor(next() * 86_400)];
    const clock = [second / 3_600, (second / 60) % 60, second % 60].map((part) => String(Math.floor(part)).padStart(2, "0"));
    const direction = next() < 0.7 ? "entrante" : "saliente";
    const row = `C-${line};${String(day).padStart(2, "0")}/10/2026;${clock.join(":")};${direction};6${String(person).padStart(8, "0")};${Math.floor(next() * 600)};a${person % 9}\n`;
    if (!out.write(row)) await new Promise<void>((resolve) => out.once("drain", () => resolve()));
  }
  await new Promise<void>((resolve) => out.end(resolve));
}
