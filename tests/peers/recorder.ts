/**
 * The server of the bench: it is each visitor's site and collector, and records what came.
 *
 * A visitor has a folder of its own (`/v17/…`), so that many can be measured at once. The page stands on `shop.localhost` and the
 * collector on `collector.localhost`, which are two sites, and both are secure contexts. What arrives is read as text: each act has a
 * mark, and a mark is found in the body of any tracker. Nothing leaves this machine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { brotliCompressSync, gunzipSync } from "node:zlib";

import type { Json } from "../browser/scenario.ts";
import type { Tracker } from "./trackers.ts";

/** How the collector fails for a visitor. */
export type Fault = "none" | "unavailable" | "refused";

/** One visitor of one tracker, and what came of it. */
export interface Visitor {
  tracker: Tracker;
  /** The address of the page. */
  url: string;
  fault: Fault;
  /** Requests that carry events, with their times. */
  arrivals: number[];
  /** How often each mark came. */
  marks: Map<string, number>;
  /** Files and documents that were loaded, as the network carries them. */
  files: { at: number; bytes: number }[];
  /** Bytes of all other requests: heads as they came, and bodies. */
  sentBytes: number;
  /** All other requests but preflights. */
  requests: number;
  preflights: number;
}

/** What an act carries in one property, exactly once. */
export const mark = (i: number) => `mark-${i}-`;
const MARK = /mark-\d+-/g;

const TYPES: Record<string, string> = { js: "text/javascript", wasm: "application/wasm" };
const page = (head: string) =>
  `<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">${head}<form id="contact"><input name="email"><button>send</button></form>`;

/** The bytes of a file as they are served. The same bytes are compressed once. */
const compressed = new Map<string, Buffer>();
export function brotli(bytes: Buffer): Buffer {
  const key = bytes.toString("latin1");
  const found = compressed.get(key) ?? brotliCompressSync(bytes);
  compressed.set(key, found);
  return found;
}

/** The body as text. PostHog compresses its bodies, and Snowplow writes an act in base64. */
function read(body: Buffer): string {
  const text = (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString("utf8");
  return text.replace(/"ue_px":"([\w+/=-]+)"/g, (_, encoded: string) => Buffer.from(encoded, "base64url").toString("utf8"));
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function collect(visitor: Visitor, path: string, request: IncomingMessage, response: ServerResponse) {
  const body = await bodyOf(request);
  if (visitor.fault === "refused") return void request.socket.destroy();
  // The request line and header fields as they came, and the body.
  visitor.sentBytes += `${request.method} ${request.url} HTTP/1.1`.length + 4 + request.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0) + body.length;
  const cors = {
    "access-control-allow-origin": request.headers.origin ?? "*",
    "access-control-allow-credentials": "true",
    "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "content-type",
    "access-control-max-age": "600",
  };
  if (request.method === "OPTIONS") {
    visitor.preflights += 1;
    return void response.writeHead(204, cors).end();
  }
  visitor.requests += 1;
  if (visitor.fault === "unavailable") return void response.writeHead(503, cors).end();
  const text = read(body);
  if (visitor.tracker.collects.test(path)) {
    visitor.arrivals.push(performance.now());
    for (const [found] of text.matchAll(MARK)) visitor.marks.set(found, (visitor.marks.get(found) ?? 0) + 1);
  }
  response.writeHead(200, { ...cors, "content-type": "application/json" }).end(JSON.stringify(visitor.tracker.answer(path, parsed(text))));
}

function serve(visitor: Visitor, path: string, home: string, request: IncomingMessage, response: ServerResponse) {
  const file = visitor.tracker.file(path, home);
  const headers = { "access-control-allow-origin": request.headers.origin ?? "*", "access-control-allow-credentials": "true" };
  if (!file) return void response.writeHead(404, headers).end();
  const bytes = brotli(file);
  visitor.files.push({ at: performance.now(), bytes: bytes.length });
  const type = TYPES[path.split(".").pop() ?? ""] ?? "application/json";
  response.writeHead(200, { ...headers, "content-type": type, "content-encoding": "br" }).end(bytes);
}

/** Starts the server. */
export async function startRecorder() {
  const visitors: Visitor[] = [];
  let port = 0;
  const host = (name: string) => `http://${name}.localhost:${port}`;
  const homeOf = (visitor: Visitor, i: number) => `${host(visitor.tracker.stored ? "shop" : "collector")}/v${i}`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const [, number = "", path = ""] = /^\/v(\d+)(\/.*)$/.exec(pathname) ?? [];
    const visitor = visitors[Number(number)];
    // Any other address is a page of the site without a tracker.
    if (!visitor || !number) return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(""));
    const home = homeOf(visitor, Number(number));
    if (request.method !== "GET") return void collect(visitor, path, request, response);
    if (path !== "/page") return serve(visitor, path, home, request, response);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(visitor.tracker.head(home)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  server.on("connection", (socket: Socket) => socket.setNoDelay(true));
  return {
    origin: host("shop"),
    /** A visitor of whom nothing is known. */
    visitor(tracker: Tracker): Visitor {
      const url = `${host("shop")}/v${visitors.length}/page`;
      const visitor: Visitor = { tracker, url, fault: "none", arrivals: [], marks: new Map(), files: [], sentBytes: 0, requests: 0, preflights: 0 };
      visitors.push(visitor);
      return visitor;
    },
    close: () => (server.closeAllConnections(), server.close()),
  };
}
export type Recorder = Awaited<ReturnType<typeof startRecorder>>;
