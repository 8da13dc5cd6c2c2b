/**
 * Sequences of runtime calls that the collector makes in one step each. Every call from Rust into JavaScript costs time, and
 * every promise that Rust itself awaits costs two functions and two turns. `bindings.rs` declares these functions. They decide
 * nothing.
 */

/**
 * Reads a request without its body. The result has one line each for method, address, country, region, city and time zone, then a line
 * `name:value` for each of the `names` that the request has. A request whose address has `all` in it has all of its fields: which ones
 * a webhook's vendor signs stands in hilo.toml.
 */
export function head(request, names, all) {
  const { cf, headers } = request;
  if (request.url.includes(all)) names = headers.keys();
  const line = (text) => `${text ?? ""}`.replaceAll("\n", " ");
  const lines = [request.method, request.url, line(cf?.country), line(cf?.region), line(cf?.city), line(cf?.timezone)];
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) lines.push(`${name}:${value}`);
  }
  return lines.join("\n");
}

/** The parsed header fields of the last answer. In a busy shop the next answer mostly has the same fields. */
let last = { fields: "[]", headers: new Headers() };

/**
 * Makes an answer; `fields` is a JSON list of names and values, and `id` is the request's. A body with an encoding was encoded
 * beforehand.
 */
export function reply(status, fields, body, isEncoded, id) {
  if (fields !== last.fields) last = { fields, headers: new Headers(JSON.parse(fields)) };
  const response = new Response(body, { status, headers: last.headers, encodeBody: isEncoded ? "manual" : "automatic" });
  // No two answers have the same id, so it is not among the fields that are kept.
  response.headers.set("x-hilo-request-id", id);
  return response;
}

/** Writes a point to the dataset `env[binding]`. Nobody waits for it, and a point that is lost has no consequence. */
export function measure(env, binding, index, blobs, doubles) {
  try {
    env[binding]?.writeDataPoint({ indexes: [index], blobs, doubles });
  } catch {
    // A point is no reason to fail.
  }
}

/** Makes an answer without a body. */
export function nothing() {
  return new Response(null, { status: 204 });
}

/** Sends `body` to an object. Returns the answer's status and its text. */
export async function ask(stub, url, body) {
  const response = await stub.fetch(url, { method: "POST", body });
  const { status } = response;
  // Reading even an empty text takes several turns of the event loop.
  return [status, status === 204 ? "" : await response.text()];
}

/** Stores `text` in the data center's cache. The cache needs an address and a lifetime. */
export async function keepCopy(url, text) {
  const headers = { "cache-control": "max-age=2592000" };
  await caches.default.put(url, new Response(text, { headers })).catch(() => undefined);
}

/** Reads the text that `keepCopy` has stored. */
export async function copy(url) {
  const found = await caches.default.match(url).catch(() => undefined);
  return found && (await found.text());
}

/** Counts a request of `key` against the rate limit `env[limit]`. A limit that fails allows the request. */
export async function within(env, limit, key) {
  try {
    return (await env[limit].limit({ key })).success;
  } catch {
    return true;
  }
}

/**
 * Creates an object in the bucket `env[binding]`, unless it is there. Returns the status that S3 would answer: 200, 412 for an object
 * that is there, 404 for a bucket that is not bound.
 */
export async function create(env, binding, name, body, contentType) {
  const bucket = env[binding];
  if (bucket === undefined) return 404;
  const onlyIf = { etagDoesNotMatch: "*" };
  return (await bucket.put(name, body, { onlyIf, httpMetadata: { contentType } })) === null ? 412 : 200;
}

/** Lists the objects of the bucket `env[binding]`, a page at a time: JSON with their names, and what leads to the next page. */
export async function files(env, binding, prefix, cursor) {
  const { objects, ...page } = await env[binding].list({ prefix, cursor: cursor || undefined });
  return JSON.stringify({ names: objects.map(({ key }) => key), next: page.truncated ? page.cursor : null });
}

/** Reads an object of the bucket `env[binding]`, if it is there. */
export async function file(env, binding, name) {
  return (await env[binding].get(name))?.text();
}

/** Passes a request's body and the last part of its address to `answer`, and returns the answer. */
export async function answered(request, answer) {
  const { url } = request;
  const body = new Uint8Array(await request.arrayBuffer());
  try {
    return answer(body, url.slice(url.lastIndexOf("/") + 1));
  } catch (trap) {
    // worker-build's shell starts the module again after a trap, and it only sees errors that were not caught.
    reportError(trap);
    throw trap;
  }
}
