/**
 * Promise: compressed bodies are accepted, and no compressed body costs more memory than an honest one.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { envelope, pageView, post } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const honest = () => gzipSync(JSON.stringify(envelope([pageView(anonymousId())])));

async function check(body: Uint8Array, encoding: string, status: number, code?: string) {
  const answer = await post(collector, "/_h/v1/batch", body, { "content-encoding": encoding });
  assert.equal(answer.status, status);
  assert.equal(answer.body["error"]?.code, code);
}

/** The most memory that workerd has had so far, in kilobytes. */
function peak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${collector.workerd()}/status`, "utf8"))![1]);
}

test("a gzip body is accepted", () => check(honest(), "gzip", 200));
test("a gzip body that is cut short is refused", () => check(honest().subarray(0, -12), "gzip", 400, "malformed_body"));
test("a gzip body with a wrong checksum is refused", () => {
  const body = honest();
  body[body.length - 6]! ^= 1;
  return check(body, "gzip", 415, "unsupported_encoding");
});
test("a body in another encoding is refused", () => check(brotliCompressSync("{}"), "br", 415, "unsupported_encoding"));
test("a body with two encodings is refused", () => check(gzipSync(honest()), "gzip, gzip", 415, "unsupported_encoding"));

test("many bodies of 300 KB that inflate to 300 MB do not exhaust the memory", { skip: process.platform !== "linux" }, async () => {
  const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024, " "));
  assert.ok(bomb.length < 512 * 1024);
  await check(bomb, "gzip", 413, "inflated_too_large");
  const before = peak();
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 8 }, () => check(bomb, "gzip", 413, "inflated_too_large")));
  }
  const grown = (peak() - before) / 1024;
  // Eight bodies of 300 KB are open at a time, each inflated to 1 MiB at most. The rest is the runtime's own memory.
  assert.ok(grown < 64, `grew by ${grown} MB`);
  await check(honest(), "gzip", 200);
});
