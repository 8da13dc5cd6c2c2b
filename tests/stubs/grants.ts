/**
 * Access tokens that a vendor on this machine issues for a client's secret or for a refresh token.
 *
 * A token request's form → the answer of RFC 6749. Knows the clients of the golden cases only. A refresh token that rotates serves
 * once: who sends it again has lost the whole grant.
 */
import { readFileSync } from "node:fs";

import type { StubAnswer, StubRequest } from "./types.ts";

interface Rules {
  /** Seconds of an access token's life. */
  readonly lifeS: number;
  /** The prefix of its tokens. */
  readonly prefix: string;
  /** The client's id and secret. */
  readonly client: { readonly id: string; readonly secret: string };
  /** The refresh token that the deployer has. */
  readonly first?: string;
  readonly rotates?: boolean;
  /** Members that the vendor adds to the answer. */
  readonly more?: Record<string, unknown>;
}

export class Grants {
  readonly #rules: Rules;
  readonly #until = new Map<string, number>();
  readonly #refresh = new Set<string>();
  readonly #used = new Set<string>();
  #issued = 0;
  isRevoked = false;

  constructor(rules: Rules) {
    this.#rules = rules;
    if (rules.first !== undefined) this.#refresh.add(rules.first);
  }

  get issued(): number {
    return this.#issued;
  }

  /** Answers a token request. `client` is what the request shows, wherever the vendor wants it. */
  exchange(form: URLSearchParams, client: { id: string | null; secret: string | null }, now: number): StubAnswer {
    const { client: known, rotates } = this.#rules;
    if (client.id !== known.id || client.secret !== known.secret) return { status: 401, body: { error: "invalid_client" } };
    const refused: StubAnswer = { status: 400, body: { error: "invalid_grant" } };
    if (form.get("grant_type") === "client_credentials") return this.#issue(now);
    const token = form.get("refresh_token") ?? "";
    if (this.#used.has(token)) {
      this.isRevoked = true;
      this.#until.clear();
      this.#refresh.clear();
      return refused;
    }
    if (!this.#refresh.has(token)) return refused;
    if (!rotates) return this.#issue(now);
    this.#refresh.delete(token);
    this.#used.add(token);
    const next = `${this.#rules.prefix}-refresh-${this.#used.size}`;
    this.#refresh.add(next);
    return this.#issue(now, { refresh_token: next });
  }

  /** Whether an access token is good now. */
  isLive(token: string | undefined, now: number): boolean {
    return token !== undefined && (this.#until.get(token) ?? 0) > now;
  }

  #issue(now: number, more: Record<string, unknown> = {}): StubAnswer {
    const access_token = `${this.#rules.prefix}-access-${++this.#issued}`;
    this.#until.set(access_token, now + this.#rules.lifeS * 1000);
    return { status: 200, body: { access_token, token_type: "Bearer", ...this.#rules.more, ...more } };
  }
}

const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** The longest life of an assertion, which is also that of a token, and how far its clock may be ahead. */
const ASSERTION_S_MAX = 3_600;
const AHEAD_S_MAX = 60;

/**
 * Google's tokens for one scope. Each of Google's services gets them at the same host, so a request's scope tells whose it is.
 *
 * An assertion's claims are judged. Its signature is not: nobody here has the account's public key. A refresh token that begins with
 * `revoked` gives no token.
 */
export class GoogleTokens {
  readonly #scope: string;
  readonly #until = new Map<string, number>();

  constructor(scope: string) {
    this.#scope = scope;
  }

  get issued(): number {
    return this.#until.size;
  }

  /** Whether an assertion asks for this scope. A refresh token names none. */
  isFor({ body }: StubRequest): boolean {
    return claimsOf(body)["scope"] === this.#scope;
  }

  /** Answers a token request. */
  exchange({ body, now }: StubRequest): StubAnswer {
    const form = new URLSearchParams(body);
    const refused = (error: string, error_description: string): StubAnswer => ({ status: 400, body: { error, error_description } });
    if (form.get("grant_type") === JWT_BEARER) {
      const why = this.#fault(form.get("assertion") ?? "", claimsOf(body), now / 1_000);
      if (why !== undefined) return refused("invalid_grant", why);
    } else if (form.get("grant_type") === "refresh_token") {
      if (!form.get("client_id") || !form.get("client_secret")) return refused("invalid_client", "The OAuth client was not found.");
      const refresh = form.get("refresh_token") ?? "";
      if (refresh === "" || refresh.startsWith("revoked")) return refused("invalid_grant", "Token has been expired or revoked.");
    } else {
      return refused("unsupported_grant_type", `Invalid grant_type: ${form.get("grant_type")}`);
    }
    const access_token = `ya29.stub-${this.#until.size + 1}`;
    this.#until.set(access_token, now + ASSERTION_S_MAX * 1_000);
    return { status: 200, body: { access_token, expires_in: ASSERTION_S_MAX, scope: this.#scope, token_type: "Bearer" } };
  }

  /** Whether the request's access token is good now. */
  isLive({ headers, now }: StubRequest): boolean {
    return (this.#until.get(tokenOf(headers, "Bearer") ?? "") ?? 0) > now;
  }

  /** Why an assertion gives no token. */
  #fault(assertion: string, { iss, aud, scope, iat, exp }: Record<string, unknown>, nowS: number): string | undefined {
    if (assertion.split(".").filter((part) => part !== "").length !== 3) return "Invalid JWT: three parts";
    if (partOf(assertion, 0)["alg"] !== "RS256") return "Invalid JWT: the algorithm is RS256";
    if (aud !== GOOGLE_TOKEN_URL) return "Invalid JWT: wrong audience";
    if (scope !== this.#scope) return "Invalid JWT: scope";
    if (typeof iss !== "string" || !iss.includes(".gserviceaccount.")) return "Invalid grant: account not found";
    const [issued, ends] = [Number(iat), Number(exp)];
    const isShort = ends > issued && ends - issued <= ASSERTION_S_MAX;
    const isNow = issued <= nowS + AHEAD_S_MAX && ends > nowS;
    return isShort && isNow ? undefined : "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe";
  }
}

/** What an assertion claims; nothing where a form has none. */
const claimsOf = (body: string) => partOf(new URLSearchParams(body).get("assertion") ?? "", 1);

function partOf(assertion: string, at: number): Record<string, unknown> {
  const part = assertion.split(".")[at];
  return part ? JSON.parse(Buffer.from(part, "base64url").toString()) : {};
}

/** The secrets of a kind's golden cases. */
export function goldenSecrets(kind: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`../golden/forward/${kind}/secrets.json`, import.meta.url), "utf8"));
}

/** The token behind a scheme of `Authorization`. */
export function tokenOf(headers: Readonly<Record<string, string>>, scheme: string): string | undefined {
  const [said, token] = (headers["authorization"] ?? "").split(" ");
  return said === scheme ? token : undefined;
}
