/**
 * A bucket that speaks S3 on this machine. It computes each signature itself, and creates files only.
 *
 * A PUT → a file, once: a second PUT of one name gets 412. The lines are sealed, so nobody here can read them.
 */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { ALL, visitIn } from "./visit.ts";

/** Nobody can read the lines of the visit here. */
const VISIT = visitIn(Object.fromEntries(Object.keys(ALL).map((event) => [event, "line"])));

const secrets: Record<string, string> = JSON.parse(readFileSync(new URL("../golden/forward/archive/secrets.json", import.meta.url), "utf8"));
const BUCKET = "shop-archive";
const REGION = "eu-central-1";
/** How far the clock may be off. */
const SKEW_MS = 15 * 60_000;

interface Line {
  id: string;
  subject: string;
}

const refusal = (status: number, code: string): StubAnswer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`,
});
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** The signature of a request, by AWS's rules. */
function signature({ method, url, headers, body }: StubRequest, signed: string[], secret: string): string {
  const values: Record<string, string> = { ...headers, host: url.host };
  const lines = signed.map((name) => `${name}:${values[name]?.trim()}\n`).join("");
  const canonical = [method, url.pathname, "", lines, signed.join(";"), sha256(body)].join("\n");
  const date = headers["x-amz-date"] ?? "";
  const scope = `${date.slice(0, 8)}/${REGION}/s3/aws4_request`;
  const key = ["s3", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${secret}`, date.slice(0, 8)), REGION));
  return hmac(key, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")).toString("hex");
}

export const create: CreateStub = () => {
  const files = new Map<string, string>();
  const lines = (): Line[] => [...files.values()].flatMap((body) => body.split("\n").slice(0, -1).map((line) => JSON.parse(line)));

  return {
    kind: "archive",
    spec: "archive",
    hosts: /^s3\.eu-central-1\.storage\.example$/,
    expects: { granted: Array(6).fill("line"), analytics: Array(6).fill("line") },
    visit: { granted: VISIT, analytics: VISIT },
    answer(request: StubRequest): StubAnswer {
      const { url, headers, body, now } = request;
      const date = (headers["x-amz-date"] ?? "").replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
      const [, id, signed = "", given] = /Credential=([^/]+)\/.*SignedHeaders=([^,]+), Signature=(\w+)$/.exec(headers["authorization"] ?? "") ?? [];
      if (id !== secrets["ARCHIVE_ID"]) return refusal(401, "Unauthorized");
      if (!(Math.abs(Date.parse(date) - now) <= SKEW_MS)) return refusal(403, "RequestTimeTooSkewed");
      if (headers["x-amz-content-sha256"] !== sha256(body)) return refusal(400, "XAmzContentSHA256Mismatch");
      if (given !== signature(request, signed.split(";"), secrets["ARCHIVE_KEY"] ?? "")) return refusal(403, "SignatureDoesNotMatch");
      const [, bucket, ...rest] = url.pathname.split("/");
      if (bucket !== BUCKET) return refusal(404, "NoSuchBucket");
      const name = decodeURIComponent(rest.join("/"));
      if (files.has(name)) return refusal(412, "PreconditionFailed");
      files.set(name, body);
      return { status: 200, headers: { etag: `"${sha256(body).slice(0, 32)}"` } };
    },
    // A line that stands in two files is one: readers know it by its id.
    arrived: (): Arrival[] => [...new Map(lines().map((line) => [line.id, line])).values()].map(({ subject }) => ({ who: subject, what: "line" })),
    state: () => ({ files: [...files].map(([name, body]) => ({ name, lines: body.split("\n").length - 1 })) }),
  };
};
