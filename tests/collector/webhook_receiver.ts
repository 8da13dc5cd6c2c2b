/**
 * A webhook endpoint for a developer's machine: it verifies and lists deliveries, and can be switched off.
 *
 * `POST /dev/webhook` takes a delivery, `GET /dev/webhook` lists them newest first, `POST /dev/webhook/down` makes it
 * answer 503 until `POST /dev/webhook/up`. Verifies as the Standard Webhooks specification demands. Stores nothing on disk.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** How many of the latest deliveries are listed. */
const KEPT_MAX = 1_000;
/** How many seconds a timestamp may be off (Standard Webhooks: protects from replays). */
const TOLERANCE_S = 300;

interface Delivery {
  id: string | null;
  verified: boolean;
  at: string;
  body: unknown;
}

/** Whether a signature in the header is right for these bytes. */
export function isSigned(headers: Headers, body: string, secret: string): boolean {
  const id = headers.get("webhook-id") ?? "";
  const at = headers.get("webhook-timestamp") ?? "";
  if (!id || Math.abs(Date.now() / 1000 - Number(at)) > TOLERANCE_S) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const right = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest();
  return (headers.get("webhook-signature") ?? "").split(" ").some((signature) => {
    const [version, text] = signature.split(",", 2);
    const given = Buffer.from(text ?? "", "base64");
    return version === "v1" && given.length === right.length && timingSafeEqual(given, right);
  });
}

/** The receiver as one function from request to response. */
export function webhookReceiver(secret: string): (request: Request) => Promise<Response> {
  const kept: Delivery[] = [];
  let isDown = false;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname === "/dev/webhook") return Response.json(kept);
    if (request.method !== "POST") return Response.json({ error: "not found" }, { status: 404 });
    if (pathname === "/dev/webhook/down" || pathname === "/dev/webhook/up") {
      isDown = pathname.endsWith("down");
      return Response.json({ down: isDown });
    }
    const text = await request.text();
    if (isDown) return Response.json({ error: "down" }, { status: 503 });
    const verified = isSigned(request.headers, text, secret);
    kept.unshift({ id: request.headers.get("webhook-id"), verified, at: new Date().toISOString(), body: parsed(text) });
    kept.length = Math.min(kept.length, KEPT_MAX);
    return Response.json({ ok: true });
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
