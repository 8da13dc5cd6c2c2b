/**
 * Promise: `cargo xtask dev --with-stubs` starts the shop, the collector and a stub of every service, an order by clicks arrives on the
 * stubs' page, and whoever ends the task ends everything that it has started.
 *
 * Runs the command itself, so whatever is not built yet is built first.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { eventually } from "../../collector/mf.ts";
import { VENDORS } from "../../stubs/index.ts";
import { startBrowser } from "../scenario.ts";
import { freePort, probe } from "./served.ts";

const STARTS_MS = 600_000;
const ARRIVES_MS = 60_000;

const root = fileURLToPath(new URL("../../../", import.meta.url));
const state = mkdtempSync(join(tmpdir(), "hilo-dev-"));
const port = await freePort();
const browser = await startBrowser();
const dev = spawn("cargo", ["xtask", "dev", "--port", String(port), "--state", state, "--no-open", "--with-stubs"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
const ended = new Promise<number | null>((resolve) => dev.once("exit", resolve));
let [lines, progress] = ["", ""];
dev.stdout.on("data", (text) => (lines += text));
dev.stderr.on("data", (text) => (progress += text));
after(async () => {
  dev.kill("SIGTERM");
  await Promise.all([browser.close(), ended]);
  rmSync(state, { recursive: true, force: true });
});

test("it prints where the stubs' page and the shop are", async () => {
  const ready = async () => /^ready .*$/m.test(lines) || (dev.exitCode === null ? undefined : true);
  await eventually(ready, STARTS_MS).catch(() => assert.fail(progress));
  assert.deepEqual(lines.trim().split("\n"), [`stubs http://127.0.0.1:${port + 1}/__stubs/`, `ready http://127.0.0.1:${port}`], progress);
});

test("the stubs' page shows the order of a visitor who allows everything, and refuses nothing of it", async () => {
  const page = await (await browser.newContext({ locale: "en-US" })).newPage();
  await page.goto(`http://127.0.0.1:${port}/list/`);
  await page.click("hilo-banner section [part=accept]");
  await page.click(".card");
  await page.click("[data-add]");
  await page.waitForSelector(".badge:text-is('1')");
  await page.goto(`http://127.0.0.1:${port}/checkout/`);
  for (const [name, text] of Object.entries({ name: "Ana García", email: "ana@shop.example", address: "Calle Mayor 1", city: "Madrid" })) await page.fill(`main [name=${name}]`, text);
  await page.click("main form .button");
  const order = await page.textContent(".thanks strong");
  const [segment, posthog] = await eventually(async () => {
    await page.goto(`http://127.0.0.1:${port + 1}/__stubs/`);
    const sections = await Promise.all(["segment", "posthog"].map((kind) => page.textContent(`#${kind}`)));
    return sections.every((text) => text?.includes(order!)) ? sections : undefined;
  }, ARRIVES_MS);
  for (const text of [segment, posthog]) assert.match(text!, /Order Completed/);
  assert.deepEqual(await page.locator("section h2").allTextContents(), VENDORS.map((create) => create().kind));
  assert.equal(await page.locator(".bad").count(), 0, await page.textContent("main") ?? "");
});

test("SIGTERM ends the task, the collector and the stubs", async () => {
  dev.kill("SIGTERM");
  assert.equal(await ended, 0, progress);
  assert.match(progress, /\nstopped\.\n$/);
  for (const used of [port, port + 1]) await probe(used);
});
