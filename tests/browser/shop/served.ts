/**
 * The example shop with its collector, as `cargo xtask dev` serves them, for the specs of this folder.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether this machine's `port` is free; which one was, for the port 0. */
export const probe = (port: number) =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().on("error", reject).listen(port, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** A free port whose neighbor is free too: the stubs listen there. */
export async function freePort(): Promise<number> {
  const port = await probe(0);
  return probe(port + 1).then(() => port, freePort);
}

/** Serves the shop on a free port. The state outlives `stop`, until `dispose`. `withStubs` sends to a stub of every service. */
export async function serveShop({ withStubs = false } = {}) {
  const state = mkdtempSync(join(tmpdir(), "hilo-shop-"));
  const port = await freePort();
  let served: ChildProcess;

  async function start() {
    const serve = fileURLToPath(new URL("../../collector/serve.ts", import.meta.url));
    served = spawn(process.execPath, [serve, "--port", String(port), "--state", state, ...(withStubs ? ["--with-stubs"] : [])], { stdio: ["pipe", "pipe", "inherit"] });
    // It is read until the end: the collector writes its log there, and a pipe that nobody reads would end it.
    await new Promise<void>((resolve, reject) => {
      served.once("exit", (code) => reject(new Error(`the shop's server ended with ${code} before it was ready`)));
      served.stdout!.on("data", (text: Buffer) => text.includes("ready") && resolve());
    });
  }

  async function stop() {
    const ended = new Promise((resolve) => served.once("exit", resolve));
    served.kill("SIGTERM");
    await ended;
  }

  async function dispose() {
    await stop();
    rmSync(state, { recursive: true, force: true });
  }

  await start();
  return { url: `http://127.0.0.1:${port}`, stubs: `http://127.0.0.1:${port + 1}`, start, stop, dispose };
}
