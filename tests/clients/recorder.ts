/**
 * A recorder between a client and the collector: it passes every request and answer on, byte by byte, and remembers both. It is the
 * host of a shop whose collector has the route `/_h/*`: at any other path the shop answers. On demand it is the gateway of a
 * collector that is down.
 *
 * What a client sent is read from the wire. A session's own words would not do: clients add, rename and rewrite.
 */
import { createServer, request as ask, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** JSON of any shape. */
export type Json = Record<string, any>;

/** One request of a client with the collector's answer. */
export interface Exchange {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  status: number;
  answer: string;
}

/** An event as a client sent it, with what its envelope says for each of its events. */
export interface Sent {
  event: Json;
  envelope: Json;
}

/** Starts a recorder in front of `collector`, on a free port. */
export async function startRecorder(collector: string) {
  const exchanges: Exchange[] = [];
  let failures = 0;
  const to = new URL(collector);
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url: path = "/", headers } = incoming;
    if (!path.startsWith("/_h/")) {
      exchanges.push({ method, path, headers, body: "{}", status: 404, answer: "the shop's own page" });
      incoming.resume();
      return void outgoing.writeHead(404).end();
    }
    if (method === "POST" && failures > 0) {
      failures -= 1;
      incoming.resume();
      return void outgoing.writeHead(503).end();
    }
    const bytes: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => bytes.push(chunk));
    // The headers stay as the client wrote them, `Host` included: the collector's settings document depends on it.
    const onward = ask({ host: to.hostname, port: to.port, method, path, headers }, (reply) => {
      const answer: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => answer.push(chunk));
      reply.on("end", () => {
        const status = reply.statusCode ?? 0;
        exchanges.push({ method, path, headers, body: text(bytes, headers), status, answer: text(answer, reply.headers) });
      });
      outgoing.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
      reply.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    /** Answers the next `count` posts with 503, as a gateway does whose collector is down: it knows no CORS, and passes nothing on. */
    fail: (count: number) => void (failures = count),
    /** Every event that the collector got, in the order of the requests. */
    sent: () => exchanges.filter(({ method }) => method === "POST").flatMap(events),
    close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

function text(chunks: Buffer[], headers: IncomingHttpHeaders): string {
  const whole = Buffer.concat(chunks);
  // An answer without a body may name an encoding as well.
  return (headers["content-encoding"] === "gzip" && whole.length > 0 ? gunzipSync(whole) : whole).toString("utf8");
}

function events({ path, body }: Exchange): Sent[] {
  const { batch, ...envelope } = readJson(body);
  if (Array.isArray(batch)) return batch.map((event) => ({ event, envelope }));
  // One event alone may have its type in the path only.
  const type = /\/(\w+)\/?$/.exec(path)?.[1];
  return [{ event: { type, ...envelope }, envelope: {} }];
}

/**
 * Reads JSON as the collector must: bare `NaN` and `Infinity`, which Python writes, are `null`. Whole numbers that a double cannot
 * hold become a BigInt, so that a comparison sees each digit.
 */
export function readJson(text: string): Json {
  const strict = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (word) => (word.startsWith('"') ? word : "null"));
  return JSON.parse(strict, function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
    const digits = context?.source ?? "";
    return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
  } as (key: string, value: unknown) => unknown);
}
