/**
 * Promise: the tracker's files reach a browser in the encoding that it asked for, with their type, open to pages of every origin,
 * and cached for as long as their names allow.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { startCollector } from "./mf.ts";

const files = readdirSync(fileURLToPath(new URL("../../js/sdk/dist/cdn", import.meta.url)));
const collector = await startCollector();
after(() => collector.dispose());

/** Sends a request, and returns the body as it came, still encoded. */
async function get(path: string, headers: Record<string, string> = {}) {
  const call = request(new URL(path, collector.url), { headers }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

test("hilo.js comes in the encoding that the browser asks for", async () => {
  const plain = await get("/_h/hilo.js", { "accept-encoding": "identity" });
  assert.equal(plain.status, 200);
  assert.equal(plain.headers["content-encoding"], undefined);
  // The local front encodes an answer again, in the first encoding of the request. Cloudflare's own front does not.
  const brotli = await get("/_h/hilo.js", { "accept-encoding": "br, gzip, deflate" });
  assert.equal(brotli.headers["content-encoding"], "br");
  assert.deepEqual(brotliDecompressSync(brotli.body), plain.body);
  const gzip = await get("/_h/hilo.js", { "accept-encoding": "gzip" });
  assert.equal(gzip.headers["content-encoding"], "gzip");
  assert.deepEqual(gunzipSync(gzip.body), plain.body);
  for (const { headers } of [plain, brotli, gzip]) {
    assert.equal(headers["content-type"], "text/javascript; charset=utf-8");
    assert.match(headers["cache-control"]!, /^public, max-age=300\b/);
    assert.equal(headers["vary"], "Accept-Encoding");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
    assert.equal(headers["access-control-allow-origin"], "*");
  }
});

test("a file that has not changed is answered with 304", async () => {
  const first = await get("/_h/hilo.js", { "accept-encoding": "br" });
  const headers = { "accept-encoding": "br", "if-none-match": first.headers["etag"]! };
  const again = await get("/_h/hilo.js", headers);
  assert.equal(again.status, 304);
  assert.equal(again.headers["access-control-allow-origin"], "*");
  assert.equal(again.body.length, 0);
  const other = await get("/_h/hilo.js", { ...headers, "if-none-match": '"another"' });
  assert.equal(other.status, 200);
});

test("files with a content hash in their name may be cached for ever", async () => {
  const hashed = files.filter((file) => /[-.][0-9a-zA-Z]{8,}\.(js|wasm)$/.test(file));
  assert.ok(hashed.some((file) => file.endsWith(".wasm")), files.join(" "));
  for (const file of hashed) {
    const { status, headers } = await get(`/_h/${file}`, { "accept-encoding": "br" });
    assert.equal(status, 200);
    assert.equal(headers["content-encoding"], "br");
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.match(headers["cache-control"]!, /max-age=31536000, immutable$/);
    if (file.endsWith(".wasm")) assert.equal(headers["content-type"], "application/wasm");
  }
});

test("no other file of the directory is served", async () => {
  for (const path of ["/_h/hilo.js.br", "/_h/../hilo.js.gz", "/_h/nothing.js", "/_h/.hidden.js"]) {
    assert.equal((await get(path)).status, 404, path);
  }
});
