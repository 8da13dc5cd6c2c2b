/**
 * The clients: where each comes from, how it runs, and how many events its session tells.
 */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { startBrowser } from "../browser/scenario.ts";
import { build } from "../packages.ts";
import * as sessions from "./sessions.ts";
import type { Setup } from "./sessions.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const installed = join(process.env["CARGO_TARGET_DIR"] ?? join(here, "../../target"), "clients");
const require = createRequire(new URL("package.json", import.meta.url));
const run = promisify(execFile);

/** The address that each page's visit begins at. */
const LANDING = "/p/mug?utm_source=mail&utm_campaign=spring&email=ana%40shop.example";

type Session = (setup: Setup, client?: any) => Promise<void>;

/** A client of another collector, and its session. */
export interface Client {
  name: string;
  /** What sends: a page with its public key, or a server with its secret one. */
  kind: "page" | "server";
  /** How many events the session tells. */
  events: number;
  run(setup: Setup, pages: Pages): Promise<unknown>;
}

function page(name: string, entry: string, events: number, session: Session): Client {
  return { name, kind: "page", events, run: (setup, pages) => pages.visit(entry, session, setup) };
}

function node(name: string, alias: string, events: number, session: Session): Client {
  return { name, kind: "server", events, run: (setup) => session(setup, require(alias)) };
}

function python(version: string, events: number): Client {
  const env = { ...process.env, PYTHONPATH: join(installed, `python-${version}`), PYTHONDONTWRITEBYTECODE: "1" };
  const args = ({ host, writeKey, userId, anonymousId }: Setup) => [join(here, "python/session.py"), host, writeKey, userId, anonymousId];
  return {
    name: `segment-analytics-python ${version}`,
    kind: "server",
    events,
    run: (setup) => run("python3", args(setup), { env, timeout: 60_000 }),
  };
}

/** Every client, with the oldest and the newest version where they differ on the wire. */
export const CLIENTS: Client[] = [
  page("@segment/analytics-next", "@segment/analytics-next", 7, sessions.analyticsNext),
  node("@segment/analytics-node 3", "@segment/analytics-node", 7, sessions.analyticsNode),
  node("@segment/analytics-node 2", "analytics-node-2", 7, sessions.analyticsNode),
  python("2.4", 8),
  python("2.3", 8),
  // The other entry loads its plugins from RudderStack's own servers.
  page("@rudderstack/analytics-js", "@rudderstack/analytics-js/bundled", 6, sessions.rudderJs),
  node("@rudderstack/rudder-sdk-node", "@rudderstack/rudder-sdk-node", 7, sessions.rudderNode),
  page("@jitsu/js", "@jitsu/js", 5, sessions.jitsu),
  {
    name: "the crate segment",
    kind: "server",
    events: 7,
    run: ({ host, writeKey, userId, anonymousId }) =>
      run(join(installed, "rust/debug/hilo-client-session"), [host, writeKey, userId, anonymousId], { timeout: 60_000 }),
  },
];

/** A site on loopback in a browser. */
export interface Pages {
  /** Opens a page with the package `entry`, and lets `session` run in it to its end. The page stays open: some clients send late. */
  visit(entry: string, session: Session, setup: Setup): Promise<void>;
  close(): Promise<void>;
}

/** Starts the site and its browser. */
export async function startPages(): Promise<Pages> {
  const browser = await startBrowser();
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end('<!doctype html><title>Mug</title><link rel="icon" href="data:,">');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    async visit(entry, session, setup) {
      const context = await browser.newContext({ locale: "es-ES", timezoneId: "Europe/Madrid" });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      await page.goto(url + LANDING);
      await page.addScriptTag({ content: await bundle(entry) });
      await page.evaluate(session, setup).catch((error: Error) => {
        throw new Error([error.message, ...faults].join("\n"));
      });
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** The package as one script that puts its exports into `window.client`. */
async function bundle(entry: string): Promise<string> {
  const stdin = { contents: `export * from ${JSON.stringify(entry)};`, resolveDir: here };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "iife", globalName: "client", logLevel: "error" });
  return outputFiles[0]!.text;
}
