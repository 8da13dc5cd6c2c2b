/**
 * Ways through the runtime that the collector takes in one step each: every look from Rust into JavaScript costs, and every
 * promise that Rust itself waits for costs two functions and two turns. Declared in `bindings.rs`. Decides nothing.
 */

/** A request without its body, a line each: method, address, country, region, city, then `name:value` of those `names` that are there. */
export function head(request, names) {
  const { cf, headers } = request;
  const line = (text) => `${text ?? ""}`.replaceAll("\n", " ");
  const lines = [request.method, request.url, line(cf?.country), line(cf?.region), line(cf?.city)];
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) lines.push(`${name}:${value}`);
  }
  return lines.join("\n");
}

/** The header fields of the last answer, read: those of a busy shop's next answer are mostly the same. */
let last = { fields: "[]", headers: new Headers() };

/** An answer; `fields` are a JSON list of names and values. What carries an encoding was encoded beforehand. */
export function reply(status, fields, body, isEncoded) {
  if (fields !== last.fields) last = { fields, headers: new Headers(JSON.parse(fields)) };
  return new Response(body, { status, headers: last.headers, encodeBody: isEncoded ? "manual" : "automatic" });
}

/** An answer without a body. */
export function nothing() {
  return new Response(null, { status: 204 });
}

/** An object's answer to `body`: its status, its text, and the header field `name`. */
export async function ask(stub, url, body, name) {
  const response = await stub.fetch(url, { method: "POST", body });
  const { status } = response;
  // Reading even an empty text takes its turns.
  return [status, status === 204 ? "" : await response.text(), name && response.headers.get(name)];
}

/** Lets `answer` make the answer to a request's body. */
export async function answered(request, answer) {
  const body = new Uint8Array(await request.arrayBuffer());
  try {
    return answer(body);
  } catch (trap) {
    // worker-build's shell starts the module anew after a trap, and it only sees errors that were not caught.
    reportError(trap);
    throw trap;
  }
}
