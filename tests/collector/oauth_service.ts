/**
 * Strict services with access tokens (RFC 6749) on loopback, at the addresses of the stub server: `/<host>/<path>`.
 *
 * The first gives tokens for a refresh token or a code, and takes contacts under a live token only. It ends the grant of whoever shows a refresh
 * token that it never gave. The second gives tokens for signed
 * assertions. The third gives a new refresh token each time, and ends the grant of whoever shows a used one.
 */
import { createHash, type KeyObject, randomUUID, verify } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** The host that it stands in for. */
const HOST = "api.hubapi.com";

/** A running service. */
export interface OAuthService {
  url: string;
  /** The refresh token that is good from the beginning. */
  first: string;
  /** The refresh tokens and codes that were shown, in order. */
  shown: string[];
  /** Every token that it gave, access and refresh. */
  given: string[];
  isRevoked: boolean;
  /** The addresses of the contacts that it took. */
  contacts: string[];
  /** How often a request came with a token that is good no longer. */
  refused: number;
  /** Ends every access token before its time. */
  expire(): void;
  /** Runs once, after the next token was granted and before it is answered. */
  beforeAnswer: (() => void) | undefined;
  /** Makes a code, as if a person had granted access at the address. */
  grant(authorizeUrl: string): string;
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** What the service remembers. */
interface Memory {
  /** The access tokens that are good. */
  live: Set<string>;
  /** The codes that are good, each with the parameters of the address at which it was granted. */
  codes: Map<string, URLSearchParams>;
  /** The refresh tokens that are good. */
  grants: Set<string>;
}

/** Judges a token request. Returns the refresh token to tell, if there is a new one; nothing for a request that is refused. */
function judge(form: URLSearchParams, service: OAuthService, { codes, grants }: Memory): { refresh?: string } | undefined {
  if (form.get("client_id") !== "client-1" || form.get("client_secret") !== "s3cret") return undefined;
  const [token, code] = [form.get("refresh_token"), form.get("code")];
  service.shown.push(token ?? code ?? "");
  if (form.get("grant_type") === "refresh_token") {
    service.isRevoked ||= !grants.has(token!);
    return service.isRevoked ? undefined : {};
  }
  const asked = codes.get(code ?? "");
  codes.delete(code ?? "");
  const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
  const isSame = (asked?.get("code_challenge") ?? challenge) === challenge;
  if (!asked || !isSame || asked.get("redirect_uri") !== form.get("redirect_uri")) return undefined;
  const refresh = `refresh-${randomUUID()}`;
  grants.add(refresh);
  return { refresh };
}

/** Answers a token request: status and body. */
async function answerToken(form: URLSearchParams, service: OAuthService, memory: Memory): Promise<[number, object]> {
  const granted = judge(form, service, memory);
  if (!granted) return [400, { error: "invalid_grant" }];
  const access = `access-${randomUUID()}`;
  memory.live.add(access);
  service.given.push(access, ...(granted.refresh ? [granted.refresh] : []));
  const hook = service.beforeAnswer;
  service.beforeAnswer = undefined;
  hook?.();
  // Whoever asks meanwhile has to wait.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return [200, { access_token: access, expires_in: 1800, ...(granted.refresh && { refresh_token: granted.refresh }) }];
}

/** Starts the service on a free port. */
export async function startOAuthService(): Promise<OAuthService> {
  const memory: Memory = { live: new Set(), codes: new Map(), grants: new Set() };
  const service: OAuthService = {
    url: "",
    first: `refresh-${randomUUID()}`,
    shown: [],
    given: [],
    isRevoked: false,
    contacts: [],
    refused: 0,
    expire: () => memory.live.clear(),
    beforeAnswer: undefined,
    grant(authorizeUrl) {
      const code = `code-${randomUUID()}`;
      memory.codes.set(code, new URL(authorizeUrl).searchParams);
      return code;
    },
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  memory.grants.add(service.first);
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const answer = (status: number, json: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    if (!request.url!.startsWith(`/${HOST}/`)) return answer(404, {});
    if (request.url!.endsWith("/token")) return answer(...(await answerToken(new URLSearchParams(body), service, memory)));
    if (!memory.live.has(request.headers.authorization?.replace("Bearer ", "") ?? "")) {
      service.refused += 1;
      return answer(401, { status: "error", category: "EXPIRED_AUTHENTICATION" });
    }
    const ids: string[] = JSON.parse(body).inputs.map((input: { id: string }) => input.id);
    service.contacts.push(...ids);
    return answer(200, { status: "COMPLETE", results: ids.map((id) => ({ id })) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return service;
}

/** A service that gives tokens for a signed assertion (RFC 7523), and takes rows under the last of them. */
export interface KeyService {
  url: string;
  /** Whether each assertion was signed by the key, and was good at that time. */
  verdicts: boolean[];
  /** The bodies that it took. */
  taken: string[];
  close(): Promise<void>;
}

/** Judges an assertion for the token endpoint at `audience`. */
function isGood(assertion: string, key: KeyObject, audience: string): boolean {
  const [head = "", claims = "", signature = ""] = assertion.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  const isSigned = verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"));
  const { aud, iat, exp } = read(claims);
  const now = Date.now() / 1000;
  return isSigned && read(head).alg === "RS256" && aud === audience && iat <= now + 1 && exp > now;
}

/** Starts such a service on a free port. */
export async function startKeyService(key: KeyObject): Promise<KeyService> {
  const token = `access-${randomUUID()}`;
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const answer = (status: number, json: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    if (request.url!.endsWith("/token")) {
      const assertion = new URLSearchParams(body).get("assertion") ?? "";
      const verdict = isGood(assertion, key, `https:/${request.url}`);
      service.verdicts.push(verdict);
      return verdict ? answer(200, { access_token: token, expires_in: 3600 }) : answer(400, { error: "invalid_grant" });
    }
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, {});
    service.taken.push(body);
    return answer(200, { kind: "bigquery#tableDataInsertAllResponse" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: KeyService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    verdicts: [],
    taken: [],
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  return service;
}

/** A service whose refresh tokens are good once (Buffer). It answers token requests only. */
export interface RotatingService {
  url: string;
  /** The refresh token that is good from the beginning. */
  first: string;
  /** The refresh tokens that were shown, in order. */
  shown: string[];
  isRevoked: boolean;
  /** Runs once, when the next token request has come: before it is judged, or after it. The request gets no answer. */
  interrupt: { when: "before" | "after"; run: () => void } | undefined;
  close(): Promise<void>;
}

/** Starts such a service on a free port. */
export async function startRotatingService(): Promise<RotatingService> {
  const used = new Set<string>();
  let good = `refresh-${randomUUID()}`;
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const answer = (status: number, json: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    if (request.url !== "/auth.buffer.com/token") return answer(503, {});
    const shown = new URLSearchParams(body).get("refresh_token") ?? "";
    service.shown.push(shown);
    const { when, run } = service.interrupt ?? {};
    service.interrupt = undefined;
    if (when === "before") return run?.();
    service.isRevoked ||= used.has(shown);
    if (service.isRevoked || shown !== good) return answer(400, { error: "invalid_grant" });
    used.add(shown);
    good = `refresh-${randomUUID()}`;
    if (when === "after") return run?.();
    return answer(200, { access_token: `access-${randomUUID()}`, expires_in: 3600, refresh_token: good });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: RotatingService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    first: good,
    shown: [],
    isRevoked: false,
    interrupt: undefined,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  return service;
}
