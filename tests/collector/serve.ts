/**
 * The server of `cargo xtask dev`: the collector, the example shop, a webhook receiver and a sign-in behind one port.
 *
 * `node serve.ts --port 8787 --state DIR [--config FILE] [--with-stubs]`. Prints `ready URL`, and before it `stubs URL` with the page of
 * the stub server, which then gets whatever destinations send. Stays until it is told to stop or
 * its standard input closes, so that it never outlives the task that started it. Builds nothing.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { miniflare } from "../packages.ts";
import { secretsFor, secretsOfEnvironment, stubsConfig, stubsSecrets } from "../stubs/configuration.ts";
import { startStubs } from "../stubs/server.ts";
import { configWith, DEV_SECRETS, startCollector } from "./mf.ts";
import { signIn } from "./tokens.ts";
import { webhookReceiver } from "./webhook_receiver.ts";

/** The entry. It sends the collector's paths to the collector, `/dev/` to the stand-ins below, and all other paths to the shop. */
const ROUTER = `
const COLLECTOR = /^\\/(_h|v1|admin)(\\/|$)|^\\/(health|readyz|version)$/;
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (COLLECTOR.test(pathname)) return env.COLLECTOR.fetch(request);
    if (pathname.startsWith("/dev/")) return env.STAND_INS.fetch(request);
    return env.SHOP.fetch(request);
  },
};`;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    state: { type: "string", default: ".hilo" },
    config: { type: "string" },
    "with-stubs": { type: "boolean", default: false },
  },
});
const port = Number(values.port);
const receive = webhookReceiver(DEV_SECRETS.WEBHOOK_SECRET);

/** The deployer's own file. Its secrets are those of the environment; beside stubs, those that the stubs take. */
const own = values.config ? readFileSync(values.config, "utf8") : undefined;
const vars = !values["with-stubs"] ? secretsOfEnvironment(own ?? "") : own === undefined ? stubsSecrets() : secretsFor(own, DEV_SECRETS);

/** The port beside the collector's: a page that stays open finds the next run. */
const stubs = values["with-stubs"] ? await startStubs({ port: port + 1, secrets: Object.values(vars) }) : undefined;
const usual = () => (stubs ? stubsConfig() : configWith(`http://127.0.0.1:${port}/dev/webhook`));

const collector = await startCollector({
  port,
  state: values.state,
  vars,
  ...(stubs && { stubs: stubs.url }),
  config: own ?? usual(),
  front: [
    {
      name: "shop",
      modules: true,
      script: ROUTER,
      compatibilityDate: "2026-08-01",
      serviceBindings: {
        COLLECTOR: "collector",
        // miniflare has Request and Response of undici. The stand-ins take and return those of the platform.
        STAND_INS: async (request: Request) => {
          const body = request.method === "POST" ? await request.text() : undefined;
          const headers = [...request.headers] as [string, string][];
          const answerer = new URL(request.url).pathname === "/dev/sign-in" ? signIn : receive;
          const answer = await answerer(new Request(request.url, { method: request.method, headers, body: body ?? null }));
          return new miniflare.Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
        },
      },
      assets: {
        directory: fileURLToPath(new URL("../../examples/shop", import.meta.url)),
        binding: "SHOP",
        routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
        assetConfig: { html_handling: "auto-trailing-slash", not_found_handling: "404-page" },
      },
    },
  ],
});
if (stubs) console.log(`stubs ${stubs.url}/__stubs/`);
console.log(`ready ${collector.url}`);

let isStopping = false;
async function stop() {
  if (isStopping) return;
  isStopping = true;
  await collector.dispose();
  await stubs?.close();
  process.exit(0);
}
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
process.stdin.on("end", stop).on("error", stop).resume();
