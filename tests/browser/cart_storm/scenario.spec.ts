/**
 * Promise: three browsers and an app edit one cart at random while networks flap, pages reload and the collector is killed, and in
 * the end all four, the hub and an oracle have the same cart, byte for byte, with no unit lost or doubled.
 *
 * Runs for half a minute; `HILO_STORM_SECONDS=300` for longer. Prints its seed and replays from `HILO_SEED`.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { type Collector, startCollector } from "../../collector/mf.ts";
import { claimsOf, signToken } from "../../collector/tokens.ts";
import { miniflare } from "../../packages.ts";
import { startBrowser, withSnippet } from "../scenario.ts";
import { type Ops, oracle } from "./oracle.ts";

type Json = any;

const SECONDS = Number(process.env["HILO_STORM_SECONDS"] ?? 30);
const SEED = Number(process.env["HILO_SEED"] ?? Date.now() % 1_000_000);
/** How often the collector is killed, and a page loaded anew. */
const KILL_MS = Math.min(20_000, SECONDS * 350);
const RELOAD_MS = 7_000;
/** How long all devices may take to agree, once the network is back. */
const SETTLE_MS = 60_000;
const USER = "cust_storm";
const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Records every message before the collector gets it, because a page that is left cannot report its last message itself. */
const FRONT = `
export default {
  async fetch(request, env) {
    const tap = (body) => env.TAP.fetch("http://tap/", { method: "POST", body });
    if (request.headers.get("upgrade") === "websocket") return relay(await env.COLLECTOR.fetch(request), tap);
    if (request.url.endsWith("/v1/cart/ops")) {
      const body = await request.text();
      await tap(body);
      return env.COLLECTOR.fetch(request.url, { method: "POST", headers: request.headers, body });
    }
    if (/^\\/(_h|v1|admin)(\\/|$)/.test(new URL(request.url).pathname)) return env.COLLECTOR.fetch(request);
    return new Response(env.PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};
function relay(answer, tap) {
  const hub = answer.webSocket;
  if (!hub) return answer;
  const [client, page] = Object.values(new WebSocketPair());
  page.accept();
  hub.accept();
  let turn = Promise.resolve();
  page.addEventListener("message", ({ data }) => {
    turn = turn.then(() => data.startsWith('{"t":"ops"') && tap(data)).then(() => hub.send(data)).catch(() => {});
  });
  hub.addEventListener("message", ({ data }) => page.send(data));
  page.addEventListener("close", () => (turn = turn.then(() => hub.close())));
  hub.addEventListener("close", ({ code, reason }) => page.close(code, reason));
  return new Response(null, { status: 101, webSocket: client });
}`;

/** Mulberry32: small, seeded, good enough for choosing. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) % below;
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What each device in the storm can do. */
interface Device {
  act(verb: string, id: string, units: number): Promise<void>;
  network(isOn: boolean): Promise<void>;
  reload?(): Promise<void>;
  /** The device's lines, the operations that wait, and the operations that were given up. */
  show(): Promise<{ lines: [string, number][]; waiting: number; lost: number }>;
  end(): Promise<void>;
}

async function browserDevice(browser: Json, url: string, token: string): Promise<Device> {
  const context: Json = await browser.newContext();
  const page: Json = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error: Error) => errors.push(error.message));
  const begin = async () => {
    // The page comes from the same server that is killed, so loading it may fail. The storm is not about that.
    for (;;) {
      try {
        await page.goto(url, { timeout: 5_000 });
        await page.waitForFunction(() => !(window as Json).hilo?.q && (window as Json).hilo, undefined, { timeout: 5_000 });
        break;
      } catch {
        await pause(300);
      }
    }
    await page.evaluate(([user, token]: string[]) => (window as Json).hilo.identify(user, {}, { token }), [USER, token]);
  };
  await begin();
  return {
    async act(verb, id, units) {
      await page.evaluate(([verb, id, units]: Json[]) => (window as Json).hilo.cart[verb]({ product_id: id, currency: "EUR" }, units), [verb, id, units]);
    },
    network: (isOn) => context.setOffline(!isOn),
    async reload() {
      await context.setOffline(false);
      await begin();
    },
    async show() {
      const state: Json = await page.evaluate(
        () => new Promise((resolve) => void (window as Json).hilo.cart.on((state: Json) => resolve(state))),
      );
      assert.deepEqual(errors, []);
      const lines = state.lines.map((line: Json) => [line.product_id, line.quantity]);
      return { lines: lines.sort(), waiting: state.status.pending, lost: state.status.lost };
    },
    end: () => context.close(),
  };
}

function nativeDevice(url: string, token: string): Device {
  const program = `${process.env["CARGO_TARGET_DIR"] ?? `${root}target`}/debug/native-cart`;
  const child = spawn(program, [url, "wk_shop"], { env: { ...process.env, HILO_USER_TOKEN: token }, stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((line: string) => void)[] = [];
  createInterface(child.stdout).on("line", (line) => {
    waiting.shift()?.(line);
  });
  const say = async (line: string) => void child.stdin.write(`${line}\n`);
  return {
    act: (verb, id, units) => say(`${verb} ${id} ${units}`),
    network: (isOn) => say(isOn ? "online" : "offline"),
    async show() {
      const line = new Promise<string>((resolve) => waiting.push(resolve));
      await say("show");
      const { lines, ...rest } = JSON.parse(await line);
      return { lines: lines.sort(), ...rest };
    },
    async end() {
      await say("end");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

/** Edits at random until `until`. Returns how many units it added to its own line and to the common line. */
async function edit(device: Device, index: number, until: number, random: (below: number) => number) {
  const added = { own: 0, common: 0 };
  let isOn = true;
  let reloadAt = Date.now() + RELOAD_MS * (1 + index);
  while (Date.now() < until) {
    await pause(50 + random(500));
    if (random(4) === 0) await device.network((isOn = !isOn));
    if (device.reload && Date.now() > reloadAt) {
      reloadAt = Date.now() + RELOAD_MS * 4;
      await device.reload();
      isOn = true;
    }
    const units = 1 + random(3);
    const kind = random(6);
    if (kind === 0) {
      await device.act("add", `own-${index}`, units);
      added.own += units;
    } else if (kind === 1) {
      await device.act("add", "common", units);
      added.common += units;
    } else {
      const id = `wild-${random(3)}`;
      const verb = ["add", "add", "set", "dec", "remove"][random(5)]!;
      await device.act(verb, id, units);
    }
  }
  await device.network(true);
  return added;
}

async function hubCart(collector: Collector, token: string): Promise<Json> {
  const headers = { authorization: "Bearer wk_shop", "x-hilo": "1", "x-hilo-user-token": token, origin: collector.url };
  // An epoch that no cart ever has asks for the whole cart.
  return (await collector.fetch("/v1/cart?epoch=4294967295", { headers })).json();
}

// The program must not be older than the source. This takes seconds when nothing has changed, and minutes when something has: not the test's time.
execFileSync("cargo", ["build", "--quiet", "--package", "native-cart"], { cwd: root, stdio: "inherit" });

test(`four devices and the hub agree after a storm of ${SECONDS} s`, { timeout: (SECONDS + 180) * 1_000 }, async (t) => {
  t.diagnostic(`HILO_SEED=${SEED}`);
  const token = signToken(claimsOf(USER));
  const sent: Ops[] = [];
  const tap = async (request: Request) => {
    const text = await request.text();
    // A page that is killed in the middle of a message sends half of it.
    if (text.endsWith("}")) sent.push(JSON.parse(text));
    return new miniflare.Response("");
  };
  const serviceBindings = { COLLECTOR: "collector", TAP: tap };
  const collector = await startCollector({
    front: [{ name: "front", modules: true, script: FRONT, compatibilityDate: "2026-08-01", bindings: { PAGE: withSnippet("", "", "wk_shop") }, serviceBindings }],
  });
  const browser = await startBrowser();
  const devices: Device[] = [];
  for (let i = 0; i < 3; i += 1) devices.push(await browserDevice(browser, collector.url, token));
  devices.push(nativeDevice(collector.url, token));

  const until = Date.now() + SECONDS * 1_000;
  const killing = (async () => {
    let kills = 0;
    for (let at = Date.now() + KILL_MS; at < until; at += KILL_MS) {
      await pause(at - Date.now());
      collector.kill();
      kills += 1;
    }
    return kills;
  })();
  const added = await Promise.all(devices.map((device, i) => edit(device, i, until, chance(SEED + i))));
  const kills = await killing;
  const began = Date.now();
  let shown = await Promise.all(devices.map((device) => device.show()));
  const isSettled = () => shown.every((one) => one.waiting === 0 && JSON.stringify(one.lines) === JSON.stringify(shown[0]!.lines));
  while (!isSettled() && Date.now() - began < SETTLE_MS) {
    await pause(200);
    shown = await Promise.all(devices.map((device) => device.show()));
  }
  const settled = Date.now() - began;
  const hub = await hubCart(collector, token);
  await Promise.all(devices.map((device) => device.end()));
  await browser.close();
  await collector.dispose();

  const expected = oracle(sent, hub.full.vv);
  t.diagnostic(`${sent.length} messages, ${kills} kills, all agreed after ${settled} ms: ${JSON.stringify(expected)}`);
  const quantity = (id: string) => expected.find(([one]) => one === id)?.[1] ?? 0;
  const common = added.reduce((sum, one) => sum + one.common, 0);
  assert.deepEqual([common, ...added.map((one) => one.own)], [quantity("common"), ...added.map((_, i) => quantity(`own-${i}`))], "lines that were only added to");
  for (const [i, one] of shown.entries()) assert.deepEqual({ i, ...one }, { i, lines: expected, waiting: 0, lost: 0 });
  const told = oracle([{ replica: "0", from: 1, to: 0, put: hub.full.put, drop: [] }], hub.full.vv);
  assert.equal(JSON.stringify(told), JSON.stringify(expected), "the hub");
});
