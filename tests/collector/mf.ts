/**
 * The collector on real workerd, for specs and for `cargo xtask dev`. No other script names a binding.
 *
 * Bindings come from `crates/hilo-collector/wrangler.jsonc`. This file adds what a deployer sets by `wrangler secret`.
 * Builds nothing: `cargo xtask build --dev` has made `build-dev/` and `js/sdk/dist/cdn` before.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { miniflare, wrangler } from "../packages.ts";

// wrangler warns of the secrets that wrangler.jsonc requires. This file sets them itself.
process.env["WRANGLER_LOG"] ??= "error";

const root = fileURLToPath(new URL("../../", import.meta.url));
const crate = join(root, "crates/hilo-collector");
const specs = join(root, "tests/collector");

/** The values that a developer's machine has in place of a deployment's secrets. */
export const DEV_SECRETS = {
  HILO_ADMIN_TOKEN: "dev-admin",
  HILO_SECRET: "a development secret, public by nature",
  // 32 bytes in the form of the Standard Webhooks specification.
  WEBHOOK_SECRET: `whsec_${Buffer.from("hilo-development-webhook-secret!").toString("base64")}`,
};

/**
 * The key that signs user tokens on a developer's machine (`tokens.ts`). It is no secret: its public half stands in the
 * built-in `hilo.toml`, as a key that counts with HILO_DEV=1 only.
 */
export const DEV_SIGN_IN = { issuer: "hilo-development", seed: "hilo-development-sign-in-secret!" };

/** The options of `startCollector`. Every default suits a spec. */
export interface CollectorOptions {
  /** Folder for state that outlives the run. Without it the state is temporary. */
  state?: string;
  /** Text of a `hilo.toml` to upload. Without it the built-in configuration serves. */
  config?: string;
  /** Variables and secrets in place of the usual ones. `undefined` removes one. */
  vars?: Record<string, string | undefined>;
  /** The URL of the stub server (`tests/stubs`), which gets every https request of a destination. */
  stubs?: string;
  /** TCP port. Without it a free port is taken. */
  port?: number;
  /** Workers in front of the collector. The first of them is the entry. */
  front?: object[];
  /** `false` serves no files. miniflare puts no router before a Worker without assets. */
  assets?: boolean;
  /** `false` binds KV to a value that throws at every read, as KV does in an outage. */
  kv?: boolean;
  /** Requests that a rate limit of wrangler.jsonc lets pass, in place of its own number. `false` takes all limits away. */
  rates?: Record<string, number> | false;
  /** `true` runs the scheduled check at `GET /cdn-cgi/local/scheduled`. */
  triggers?: boolean;
  /** `false` leaves deliveries in the queue. */
  consumer?: boolean;
  /** `true` runs the release build. Only a bench needs it; specs run the development build, which is ready sooner. */
  release?: boolean;
  /** The root of another checkout, whose build and bindings are used. It has no files of the tracker. */
  checkout?: string;
  /** Gets every line that workerd writes. */
  onLine?: (line: string) => void;
  /** A module of this folder that stands in front of the built script, as the Worker's entry. */
  entry?: string;
  /** `true` lets a bench look into the isolate (`isolate.ts`). */
  inspected?: boolean;
}

/** A running collector. */
export interface Collector {
  url: string;
  state: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** JSON of an admin call. */
  admin(path: string, init?: RequestInit): Promise<any>;
  /** Uploads a configuration to KV, or a text under another key. */
  configure(text: string, key?: string): Promise<void>;
  /** The process id of workerd. */
  workerd(): number;
  /** The address of the isolate's inspector, of a collector that is `inspected`. */
  inspector(): Promise<string>;
  /** SIGKILL to workerd. It comes back on the same port and state. */
  kill(): void;
  dispose(): Promise<void>;
}

/** A rate limit as miniflare has it. */
interface RateLimit {
  namespace_id: string;
  simple: { limit: number; period: 10 | 60 };
}

/** The rate limits of wrangler.jsonc, with the numbers of a spec. */
function rateLimits(known: Record<string, RateLimit> = {}, rates: CollectorOptions["rates"] = {}): Record<string, RateLimit> {
  if (rates === false) return {};
  return Object.fromEntries(
    Object.entries(known).map(([name, one]) => [name, { ...one, simple: { ...one.simple, limit: rates[name] ?? one.simple.limit } }]),
  );
}

function collectorWorker({ vars = {}, stubs, release = false, checkout = root, entry, rates }: CollectorOptions) {
  const crate = join(checkout, "crates/hilo-collector");
  const build = join(crate, release ? "build" : "build-dev");
  if (!existsSync(join(build, "index.js"))) {
    throw new Error(`The collector is not built. Run: cargo xtask build${release ? "" : " --dev"}`);
  }
  // wrangler insists on an assets folder; the collector also works without the tracker's files.
  mkdirSync(join(checkout, "js/sdk/dist/cdn"), { recursive: true });
  const { workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(join(crate, "wrangler.jsonc")) as {
    workerOptions: { bindings?: Record<string, unknown>; compatibilityFlags?: string[]; ratelimits?: Record<string, RateLimit> };
  };
  // workerd on a machine of one's own has no jurisdictions, so the one of a deployer's wrangler.jsonc stays out.
  const own = { HILO_DEV: "1", HILO_STUBS: stubs, HILO_JURISDICTION: "", ...DEV_SECRETS };
  const bindings: Record<string, unknown> = { ...workerOptions.bindings, ...own, ...vars };
  for (const [name, value] of Object.entries(bindings)) if (value === undefined) delete bindings[name];
  return {
    ...workerOptions,
    name: "collector",
    rootPath: crate,
    modulesRoot: build,
    modules: [
      ...(entry ? [{ type: "ESModule" as const, path: join(build, entry), contents: readFileSync(join(specs, entry)) }] : []),
      { type: "ESModule" as const, path: join(build, "index.js") },
      { type: "CompiledWasm" as const, path: join(build, "index_bg.wasm") },
    ],
    // The flag refuses loopback, where all receivers of a spec are. The Worker's own rules about targets are tested.
    compatibilityFlags: (workerOptions.compatibilityFlags ?? []).filter((f) => f !== "global_fetch_strictly_public"),
    bindings,
    // wrangler.jsonc has the archive's bucket in a comment,
    r2Buckets: { ARCHIVE: "hilo-archive" },
    // and the dataset for points. workerd takes points and keeps none.
    analyticsEngineDatasets: { METRICS: { dataset: "hilo" } },
    ratelimits: rateLimits(workerOptions.ratelimits, rates),
  };
}

/** Starts the collector. The caller disposes of it. */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const state = options.state ?? mkdtempSync(join(tmpdir(), "hilo-state-"));
  mkdirSync(state, { recursive: true });
  const { Miniflare, Log, LogLevel, convertV4MiniflareOptions } = miniflare;
  const worker = collectorWorker(options);
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: options.port ?? 0,
      ...(options.inspected && { inspectorPort: 0 }),
      ...(options.triggers && { unsafeTriggerHandlers: true }),
      cf: false,
      log: new Log(process.env["HILO_LOG"] ? LogLevel.INFO : LogLevel.ERROR),
      resourcePersistencePath: state,
      ...(options.onLine && { handleStructuredLogs: ({ message }: { message: string }) => options.onLine!(message) }),
      workers: [
        ...((options.front ?? []) as []),
        {
          ...worker,
          ...(options.assets === false && { assets: undefined }),
          ...(options.consumer === false && { queueConsumers: undefined }),
          ...(options.kv === false && { kvNamespaces: undefined, bindings: { ...worker.bindings, CONFIG: "no namespace" } }),
        },
      ],
    }),
  );
  const url = (await mf.ready).origin;
  const collector: Collector = {
    url,
    state,
    fetch(path, init) {
      const headers = new Headers(init?.headers);
      // The collector refuses some bodies before it has read them. That ends the connection, so no other request may use it.
      if (init?.body) headers.set("connection", "close");
      return fetch(new URL(path, url), { ...init, headers });
    },
    async admin(path, init = {}) {
      const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}`, ...init.headers };
      return (await fetch(new URL(path, url), { ...init, headers })).json();
    },
    async configure(text, key = "hilo.toml") {
      const kv = (await mf.getKVNamespace("CONFIG", "collector")) as unknown as { put(key: string, text: string): Promise<void> };
      await kv.put(key, text);
    },
    workerd: () => childOf(process.pid, "workerd"),
    inspector: async () => new URL("/core:user:collector", await mf.getInspectorURL()).href,
    kill: () => process.kill(collector.workerd(), "SIGKILL"),
    async dispose() {
      await mf.dispose();
      if (options.state === undefined) rmSync(state, { recursive: true, force: true });
    },
  };
  if (options.config !== undefined) await collector.configure(options.config);
  return collector;
}

/** The process id of the child of `parent` that runs `program`. */
export function childOf(parent: number, program: string): number {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  for (const line of lines) {
    const [pid, ppid, args] = line.trim().split(/\s+/, 3);
    if (Number(ppid) === parent && args?.includes(program)) return Number(pid);
  }
  throw new Error(`no ${program} runs below process ${parent}`);
}

/** One request as a sink received it. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
  /** The status of the answer. */
  status: number;
}

/** How a sink answers. */
export interface AnswerOptions {
  /** Milliseconds before the answer. `Infinity`: none comes. */
  afterMs?: number;
  /** `true` begins a body and never ends it. */
  drips?: boolean;
}

/** A receiver of webhooks on loopback. A spec sets its answer. */
export interface Sink {
  url: string;
  received: Received[];
  /** Sets the answer for all later requests. */
  answer(status: number, headers?: Record<string, string>, how?: AnswerOptions): void;
  /** How often each `webhook-id` came. */
  counts(): Map<string, number>;
  /** Resolves when `condition` holds for the received requests. Rejects after `ms`. */
  until(condition: (received: Received[]) => boolean, ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts a sink on a free port. */
export async function startSink(): Promise<Sink> {
  const received: Received[] = [];
  let reply: { status: number; headers: Record<string, string>; how: AnswerOptions } = { status: 200, headers: {}, how: {} };
  let waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // A kill cut the request off, so it did not arrive.
      return;
    }
    const { status, headers, how } = reply;
    const answer = () => (how.drips ? response.writeHead(status, headers).write("{") : response.writeHead(status, headers).end());
    if (!how.afterMs) answer();
    else if (how.afterMs !== Infinity) setTimeout(answer, how.afterMs);
    const body = Buffer.concat(chunks).toString("utf8");
    received.push({ path: request.url ?? "/", headers: request.headers, body, at: Date.now(), status });
    for (const wake of waiting.splice(0)) wake();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    answer: (status, headers = {}, how = {}) => void (reply = { status, headers, how }),
    counts() {
      const counts = new Map<string, number>();
      for (const { headers } of received) {
        const id = headers["webhook-id"] as string;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    },
    async until(condition, ms = 60_000) {
      const deadline = AbortSignal.timeout(ms);
      while (!condition(received)) {
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve);
          deadline.addEventListener("abort", () => reject(new Error(`not seen within ${ms} ms: ${received.length} requests`)));
        });
      }
    },
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

/**
 * The text of the development configuration, with another destination URL. `further` destinations are added by name and URL.
 */
export function configWith(webhook: string, further: Record<string, string> = {}): string {
  const text = readFileSync(join(crate, "hilo.toml"), "utf8").replace(/^url = .*$/m, `url = ${JSON.stringify(webhook)}`);
  const entry = ([name, url]: [string, string]) =>
    `[[destination]]\nname = "${name}"\ntype = "webhook"\npurposes = ["analytics"]\nurl = ${JSON.stringify(url)}\n` +
    `secret = { secret = "WEBHOOK_SECRET" }\n`;
  return [text, ...Object.entries(further).map(entry)].join("\n");
}

/** A fresh anonymous id. */
export function anonymousId(): string {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The hash of an event's id, which the journal has in the place of the id. */
export const messageHash = (messageId: string) => createHash("sha256").update(messageId).digest("hex").slice(0, 16);

/**
 * The reject log, as soon as `has` holds for its lines. No request waits for the log: an isolate sends what it has gathered
 * within seconds.
 */
export function rejectLog(collector: Collector, has: (rejects: any[]) => boolean): Promise<any> {
  return eventually(async () => {
    const log = await collector.admin("/admin/v1/rejects");
    return has(log.rejects) ? log : undefined;
  });
}

/** Calls `read` until it returns a value other than `undefined`, for what the collector does after its answer. */
export async function eventually<T>(read: () => Promise<T | undefined>, ms = 20_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not seen within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
