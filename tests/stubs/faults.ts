/**
 * What can go wrong between hilo and a vendor: a catalogue of faults, and how each spoils an answer.
 *
 * A fault and the vendor's own answer → bytes on the socket, or none. Counts nothing: `vendor.ts` does.
 */
import type { ServerResponse } from "node:http";

import type { StubAnswer } from "./types.ts";

/** How a fault behaves. */
interface Kind {
  /** Whether the vendor has kept the request before the fault. */
  readonly isCommitted: boolean;
  /** Whether hilo can know what became of the request. */
  readonly isKnown: boolean;
  spoil(response: ServerResponse, answer: StubAnswer, fault: Fault): void;
}

export interface Fault {
  readonly fault: FaultName;
  /** For `status` and `html_page`. */
  readonly status?: number;
  /** For `status`: the text of `Retry-After`, in seconds or a date. */
  readonly retryAfter?: string;
}

/** Between the bytes of a slow answer. hilo waits ten seconds for an answer. */
const DRIP_MS = 500;
const LARGE_BYTES = 5 * 1024 * 1024;
const PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

const lost = (isCommitted: boolean): Kind => ({ isCommitted, isKnown: false, spoil: () => {} });
const dropped = (isCommitted: boolean): Kind => ({ isCommitted, isKnown: false, spoil: (response) => void response.socket?.destroy() });

export const FAULTS = {
  /** Any status, without the vendor's own words. */
  status: {
    isCommitted: false,
    isKnown: true,
    spoil: (response, _, { status = 503, retryAfter }) =>
      response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end(),
  },
  /** The vendor never answers, and has not kept the request. */
  timeout_before: lost(false),
  /** The vendor never answers, and has kept the request. */
  timeout_after: lost(true),
  /** The connection ends before the request is kept. */
  drop_before: dropped(false),
  /** The connection ends after the request is kept. */
  drop_after: dropped(true),
  /** The first half of the vendor's answer. */
  truncated_json: {
    isCommitted: true,
    isKnown: false,
    spoil(response, answer) {
      const text = written(answer).body;
      response.writeHead(answer.status, { "content-type": "application/json" }).end(text.slice(0, Math.floor(text.length / 2)));
    },
  },
  /** The page of a proxy in front of the vendor. */
  html_page: {
    isCommitted: false,
    isKnown: true,
    spoil: (response, _, { status = 502 }) => response.writeHead(status, { "content-type": "text/html" }).end(PAGE),
  },
  /** A success without a word. */
  empty_200: { isCommitted: true, isKnown: false, spoil: (response) => response.writeHead(200, { "content-length": "0" }).end() },
  /** A success that has no body by its nature. */
  no_content: { isCommitted: true, isKnown: false, spoil: (response) => response.writeHead(204).end() },
  /** Somewhere else: to a private host, where nobody may follow. */
  redirect: {
    isCommitted: false,
    isKnown: true,
    spoil: (response) => response.writeHead(308, { location: "http://169.254.169.254/latest/meta-data/" }).end(),
  },
  /** An error of 5 MB. */
  large_body: { isCommitted: false, isKnown: true, spoil: (response) => response.writeHead(500).end("x".repeat(LARGE_BYTES)) },
  /** The vendor's answer, byte by byte, for longer than anybody waits. */
  slow_drip: {
    isCommitted: true,
    isKnown: false,
    spoil(response, answer) {
      const { headers, body } = written(answer);
      response.writeHead(answer.status, headers);
      let at = 0;
      const timer = setInterval(() => (at < body.length ? response.write(body[at++]) : response.write(" ")), DRIP_MS);
      response.on("close", () => clearInterval(timer));
    },
  },
  /** The door does not open. */
  unauthorized: { isCommitted: false, isKnown: true, spoil: (response) => response.writeHead(401).end() },
} satisfies Record<string, Kind> as Record<FaultNames, Kind>;

type FaultNames =
  | "status" | "timeout_before" | "timeout_after" | "drop_before" | "drop_after" | "truncated_json" | "html_page" | "empty_200"
  | "no_content" | "redirect" | "large_body" | "slow_drip" | "unauthorized";

export type FaultName = FaultNames;

/** An answer as HTTP has it. */
export function written({ headers = {}, body }: StubAnswer): { headers: Record<string, string>; body: string } {
  if (body === undefined) return { headers, body: "" };
  const isText = typeof body === "string";
  const type = isText ? "text/plain" : "application/json";
  return { headers: { "content-type": type, ...headers }, body: isText ? body : JSON.stringify(body) };
}
