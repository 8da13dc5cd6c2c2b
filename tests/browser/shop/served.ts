/**
 * The example shop with its collector, as `cargo xtask dev` serves them, for the specs of this folder.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Serves the shop on a free port. The state outlives `stop`, until `dispose`. */
export async function serveShop() {
  const state = mkdtempSync(join(tmpdir(), "hilo-shop-"));
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
  let served: ChildProcess;

  async function start() {
    const serve = fileURLToPath(new URL("../../collector/serve.ts", import.meta.url));
    served = spawn(process.execPath, [serve, "--port", String(port), "--state", state], { stdio: ["pipe", "pipe", "inherit"] });
    for await (const line of served.stdout!) if (String(line).includes("ready")) return;
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
  return { url: `http://127.0.0.1:${port}`, start, stop, dispose };
}
