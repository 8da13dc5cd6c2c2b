/**
 * Promise: the commands of RUNBOOK.md do what it says. Each block of commands that is not marked `*not run here*` runs as it stands, and
 * the JSON below it is the shape of its answer.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { promisify } from "node:util";

import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, DEV_SECRETS, eventually, startCollector, startSink } from "./mf.ts";

const run = promisify(execFile);
const text = readFileSync(new URL("../../crates/hilo-collector/RUNBOOK.md", import.meta.url), "utf8");
const MARK = "*not run here*";

/** A block of commands under its heading. */
interface Step {
  heading: string;
  commands: string;
  /** The shape of the answer, if the text shows one. */
  expected: unknown;
  isMarked: boolean;
}

function stepsOf(document: string): Step[] {
  const steps: Step[] = [];
  let [heading, line] = ["", ""];
  for (const { groups } of document.matchAll(/^```(?<language>\w*)\n(?<code>[^]*?)^```$|^#+ (?<title>.+)$|^(?<text>.+)$/gm)) {
    const { language, code, title } = groups!;
    if (title) heading = title;
    else if (language === "sh") steps.push({ heading, commands: code!, expected: undefined, isMarked: line === MARK });
    else if (language === "json") steps.at(-1)!.expected = JSON.parse(code!);
    line = groups!["text"] ?? "";
  }
  return steps;
}

/** Asserts that `found` has everything that is shown. `"…"` stands for any value. */
function fits(found: any, shown: any, place: string): void {
  if (shown === "…") return assert.notEqual(found, undefined, place);
  if (Array.isArray(shown)) {
    if (shown.length === 0) return assert.deepEqual(found, [], place);
    return shown.forEach((one, at) => fits(found?.[at], one, `${place}[${at}]`));
  }
  if (shown === null || typeof shown !== "object") return assert.equal(found, shown, place);
  for (const [name, value] of Object.entries(shown)) fits(found?.[name], value, `${place}.${name}`);
}

const steps = stepsOf(text);
const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url), triggers: true });
after(async () => {
  await collector.dispose();
  await sink.close();
});

/** The events of the person who is erased. */
const events = async (): Promise<unknown[]> => (await collector.admin("/admin/v1/profiles/u%3Auser-17/events")).events ?? [];

/** What has to be the case before the commands under a heading. */
const BEFORE: Record<string, () => Promise<unknown>> = {
  "What to look at": async () => {
    await collector.fetch("/cdn-cgi/local/scheduled");
  },
  "A destination is down": async () => {
    sink.answer(410);
    await send(collector, [pageView(anonymousId())]);
    await eventually(async () => {
      const { deadLetters } = await collector.admin("/admin/v1/dead-letters");
      return deadLetters.length === 1 ? true : undefined;
    }, 60_000);
  },
  "Send again what was given up": async () => sink.answer(200),
  "Erase a person": async () => {
    // The person of the request by letter.
    const answer = await collector.fetch("/v1/identify", {
      method: "POST",
      headers: { authorization: "Bearer sk_dev_backend", "content-type": "application/json" },
      body: JSON.stringify({ userId: "user-17", traits: { plan: "gold" } }),
    });
    assert.equal(((await answer.json()) as any).accepted, 1);
    assert.equal((await events()).length, 1);
  },
};

test("every block is run or marked, and a marked one names what only Cloudflare or a deployer's file has", () => {
  const marked = steps.filter(({ isMarked }) => isMarked);
  assert.ok(marked.length > 5 && steps.length - marked.length > 8, `${marked.length} of ${steps.length}`);
  for (const { heading, commands } of marked) {
    for (const line of commands.trim().split("\n")) {
      const isElsewhere = /cargo xtask (wrangler|config|connect)|api\.cloudflare\.com|curl (-H .*)?https:\/\/shop\.example|^ {2}-d /.test(line);
      assert.ok(isElsewhere, `${heading}: ${line}`);
    }
  }
});

let before = "";
for (const [at, step] of steps.entries()) {
  // The first block is what a person sets once.
  if (step.isMarked || at === 0) continue;
  test(`${step.heading}: ${step.commands.trim().split("\n")[0]}`, async () => {
    if (step.heading !== before) await BEFORE[step.heading]?.();
    before = step.heading;
    // `cargo xtask doctor` runs this program.
    const doctor = `node ${fileURLToPath(new URL("../../js/doctor.ts", import.meta.url))} $HILO HILO_ADMIN_TOKEN http://127.0.0.1:8787`;
    const commands = step.commands.replace("cargo xtask doctor $HILO", doctor);
    const env = { ...process.env, HILO: `${collector.url}/_h`, HILO_ADMIN_TOKEN: DEV_SECRETS.HILO_ADMIN_TOKEN, NODE_NO_WARNINGS: "1" };
    const { stdout } = await run("bash", ["-euc", commands], { env });
    assert.notEqual(stdout.trim(), "");
    if (step.expected !== undefined) fits(JSON.parse(stdout), step.expected, step.heading);
  });
}

test("what was sent again has arrived, and what was erased is gone", async () => {
  await sink.until((received) => received.some(({ status }) => status === 200), 60_000);
  await eventually(async () => ((await events()).length === 0 ? true : undefined));
});
