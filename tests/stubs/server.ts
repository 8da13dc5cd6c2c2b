/**
 * All vendors on one port of this machine: `http://127.0.0.1:PORT/<host>/<path>?<query>` is `https://<host>/<path>?<query>`.
 *
 * The vendor's judge sees each request first, see `vendor.ts`. `/__stubs/` is the page, `/__stubs/state` its data; `POST
 * /__stubs/faults` and `/__stubs/clock` spoil answers and move the vendors' clock. Listens on loopback only.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { FAULTS, written, type Fault, type FaultName } from "./faults.ts";
import { VENDORS } from "./index.ts";
import { page } from "./page.ts";
import type { Arrival, CreateStub } from "./types.ts";
import { Vendor } from "./vendor.ts";

/** The most bytes of a request's body; the largest limit of a vendor is 20 MB. */
const BODY_BYTES_MAX = 24 * 1024 * 1024;
/** The most requests to a host that no stub answers for. */
const STRAYS_MAX = 100;

export interface StubsOptions {
  /** TCP port. Without it a free port is taken. */
  port?: number;
  stubs?: readonly CreateStub[];
  /** Secrets that may have signed a request, beside those of the golden cases. */
  secrets?: readonly string[];
}

/** Everything that the page shows. */
export interface StubsState {
  now: string;
  vendors: (Pick<Vendor, "received" | "violations" | "faults"> & { kind: string; hosts: string; arrived: readonly Arrival[] | undefined; state: unknown })[];
  /** Addresses of hosts that no stub answers for. */
  strays: string[];
}

export interface StubServer {
  readonly url: string;
  readonly vendors: readonly Vendor[];
  vendor(kind: string): Vendor;
  state(): StubsState;
  /** Spoils the next `count` answers of a vendor. */
  fault(kind: string, fault: Fault, count?: number): void;
  /** Moves the vendors' clock. */
  advance(ms: number): void;
  /** Resolves when `condition` holds after a request. Rejects after `ms`. */
  until(condition: () => boolean, ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts every stub. */
export async function startStubs({ port = 0, stubs = VENDORS, secrets }: StubsOptions = {}): Promise<StubServer> {
  const world = new World(stubs.map((create) => new Vendor(create(), secrets)));
  const server = createServer((request, response) => void world.serve(request, response));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const close = () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve())));
  return Object.assign(world, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close });
}

class World {
  readonly vendors: readonly Vendor[];
  readonly strays: string[] = [];
  #aheadMs = 0;
  #waiting: (() => void)[] = [];

  constructor(vendors: readonly Vendor[]) {
    this.vendors = vendors;
  }

  async serve(request: IncomingMessage, response: ServerResponse) {
    response.on("error", () => {});
    const [path = "/", query] = (request.url ?? "/").split(/\?(.*)/s);
    try {
      const body = await read(request);
      if (path.startsWith("/__stubs/")) this.#control(request, path, body, response);
      else this.#answer(request, path + (query === undefined ? "" : `?${query}`), body, response);
    } catch (error) {
      if (!response.headersSent) response.writeHead(400);
      response.end((error as Error).message);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  vendor(kind: string): Vendor {
    const found = this.vendors.find((one) => one.stub.kind === kind);
    if (!found) throw new Error(`there is no stub of ${kind}`);
    return found;
  }

  state(): StubsState {
    const vendors = this.vendors.map(({ stub, received, violations, faults }) => ({
      kind: stub.kind,
      hosts: stub.hosts.source,
      received,
      violations,
      faults,
      arrived: stub.arrived?.(),
      state: stub.state(),
    }));
    return { now: new Date(this.#now()).toISOString(), vendors, strays: this.strays };
  }

  fault(kind: string, fault: Fault, count = 1) {
    if (!Object.hasOwn(FAULTS, fault.fault)) throw new Error(`there is no fault called ${fault.fault}`);
    this.vendor(kind).faults.push({ ...fault, count });
  }

  advance(ms: number) {
    this.#aheadMs += ms;
  }

  async until(condition: () => boolean, ms = 60_000) {
    const deadline = AbortSignal.timeout(ms);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        deadline.addEventListener("abort", () => reject(new Error(`not seen within ${ms} ms`)));
      });
    }
  }

  #now(): number {
    return Date.now() + this.#aheadMs;
  }

  #answer(request: IncomingMessage, rest: string, body: string, response: ServerResponse) {
    const url = new URL(`https:/${rest}`);
    const asked = { method: request.method ?? "GET", url, headers: headersOf(request), body, now: this.#now() };
    const vendor = this.vendors.find((one) => one.isAsked(asked));
    if (!vendor) {
      this.strays.push(`${request.method} ${url.origin}${url.pathname}`);
      this.strays.splice(0, this.strays.length - STRAYS_MAX);
      response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ error: `no stub answers for ${url.hostname}` }));
      return;
    }
    const { answer, fault } = vendor.take(asked);
    if (fault) return FAULTS[fault.fault].spoil(response, answer, fault);
    const { headers: fields, body: text } = written(answer);
    response.writeHead(answer.status, fields).end(text);
  }

  #control(request: IncomingMessage, path: string, body: string, response: ServerResponse) {
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(value));
    // A page of another site can lead its own name to this address, or post a form here.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) return json(403, { error: "this machine only" });
    if (request.method === "GET" && path === "/__stubs/") {
      const language = /^es\b/i.test(request.headers["accept-language"] ?? "") ? "es" : "en";
      return response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(page(this.state(), language));
    }
    if (request.method === "GET" && path === "/__stubs/state") return json(200, this.state());
    if (request.method !== "POST" || request.headers["content-type"] !== "application/json") return json(404, { error: "not found" });
    const asked = JSON.parse(body) as { vendor: string; fault: FaultName; count?: number; advanceMs?: number };
    if (path === "/__stubs/faults") {
      const { vendor, count, ...fault } = asked;
      this.fault(vendor, fault, count);
      return json(200, { faults: this.vendor(vendor).faults });
    }
    if (path === "/__stubs/clock" && Number.isFinite(asked.advanceMs)) {
      this.advance(asked.advanceMs!);
      return json(200, { now: this.state().now });
    }
    return json(404, { error: "not found" });
  }
}

/** Without the fields that belong to the connection to this machine. */
function headersOf(request: IncomingMessage): Record<string, string> {
  const { host, connection, ...rest } = request.headers;
  const fields = Object.entries(rest).filter(([name]) => !/^(cf-|transfer-encoding$)/.test(name));
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`a body of more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
