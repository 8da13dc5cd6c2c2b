/**
 * The processor time that the collector's script takes before its first request. Prints milliseconds, of the release build.
 *
 * As in `wrangler check startup`, a Worker imports the script at its first request, so that its global scope runs alone. A second request
 * shows what a request costs by itself. The time is what the kernel charges to workerd, because V8's profiler measures a busy machine
 * rather than the script. Only Linux tells it; elsewhere nothing is printed. Builds nothing.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { miniflare, wrangler } from "../packages.ts";
import { childOf } from "./mf.ts";

const ROUNDS = 5;

const crate = fileURLToPath(new URL("../../crates/hilo-collector/", import.meta.url));
const build = join(crate, "build");

/** The entry imports the script at its first request. */
const ENTRY = `
export default {
  async fetch() {
    await import("./index.js");
    return new Response("ok");
  },
};`;

/** Milliseconds of processor time that all threads of a process have had. */
function processorMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

async function measure(): Promise<number> {
  const { Miniflare, convertV4MiniflareOptions } = miniflare;
  const { workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(join(crate, "wrangler.jsonc"));
  const { compatibilityDate, compatibilityFlags } = workerOptions as { compatibilityDate?: string; compatibilityFlags?: string[] };
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      compatibilityDate,
      compatibilityFlags,
      cf: false,
      modulesRoot: build,
      modules: [
        { type: "ESModule", path: join(build, "entry.js"), contents: ENTRY },
        { type: "ESModule", path: join(build, "index.js") },
        { type: "CompiledWasm", path: join(build, "index_bg.wasm") },
      ],
    }),
  );
  try {
    await mf.ready;
    const workerd = childOf(process.pid, "workerd");
    const request = async () => {
      const before = processorMs(workerd);
      const answer = await mf.dispatchFetch("https://shop.example/");
      if ((await answer.text()) !== "ok") throw new Error(`the script does not start: ${answer.status}`);
      return processorMs(workerd) - before;
    };
    return (await request()) - (await request());
  } finally {
    await mf.dispose();
  }
}

if (!existsSync(join(build, "index.js"))) throw new Error("The collector is not built. Run: cargo xtask build");
if (existsSync("/proc/self/schedstat")) {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure());
  console.log(rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!.toFixed(1));
}
