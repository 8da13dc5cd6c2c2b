/**
 * The checks of `cargo xtask doctor`: looks at a deployment from outside, as its visitors and its operator do, and says what to do.
 *
 * In: the collector's address with its prefix, and the admin token, if there is one. Out: one line for each finding, `ok`, `warn`, `skip`
 * or `FAIL` with a remedy below; exit code 0, or 1 where something failed. Each check is a function, and a check that cannot run says
 * why. The check of the cookie makes one device and erases it.
 */
import { randomUUID } from "node:crypto";

/** The seconds by which two clocks may differ: a user token's leeway. */
const SKEW_S = 60;
/** The minutes after which a probe of the queue should have arrived: three scheduled checks. */
const QUEUE_MIN = 15;
/** How long an answer may take. */
const ANSWER_MS = 15_000;
/** Bindings without which a deployment works. */
const OPTIONAL = ["METRICS"];
/** Second-level names under which companies register their own, so that two hosts below one of them are strangers. */
const SHARED_SUFFIXES = /^(co|com|net|org|gov|edu|ac|or|ne)\.[a-z]{2}$|^(workers|pages)\.dev$|^(vercel|netlify)\.app$/;

type Level = "ok" | "warn" | "skip" | "FAIL";

export interface Finding {
  level: Level;
  what: string;
  remedy?: string;
}

export interface Options {
  /** The collector's address with its prefix. */
  url: string;
  /** The admin token of an owner or operator. */
  token?: string | undefined;
  /** The origin of the site's pages. */
  origin?: string | undefined;
  /** A write key of a browser source. */
  key?: string | undefined;
  /** The version that should run. */
  version?: string | undefined;
}

const ok = (what: string): Finding => ({ level: "ok", what });
const warn = (what: string, remedy: string): Finding => ({ level: "warn", what, remedy });
const fail = (what: string, remedy: string): Finding => ({ level: "FAIL", what, remedy });
const skip = (what: string, remedy: string): Finding => ({ level: "skip", what, remedy });

interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

class Doctor {
  private readonly base: string;
  private readonly options: Options;
  private origin: string | undefined;
  private key: string | undefined;

  constructor(options: Options) {
    this.options = options;
    this.base = options.url.replace(/\/$/, "");
    this.origin = options.origin;
    this.key = options.key;
  }

  async findings(): Promise<Finding[]> {
    const first = await this.reach();
    if (first.some(({ level }) => level === "FAIL")) return first;
    const found = [...first, ...(await this.health())];
    if (this.options.token) found.push(...(await this.deployment()), ...(await this.readConfig()));
    else found.push(skip("bindings, queue and hilo.toml", "put the token of an owner or operator into HILO_ADMIN_TOKEN, or name another variable with --admin-token-env"));
    return [...found, ...(await this.cors()), ...(await this.cookie()), ...(await this.files())];
  }

  private async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.base + path, { redirect: "manual", signal: AbortSignal.timeout(ANSWER_MS), ...init });
    const text = await response.text();
    let body: any;
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    return { status: response.status, headers: response.headers, body };
  }

  private admin(path: string): Promise<Answer> {
    return this.ask(`/admin/v1${path}`, { headers: { authorization: `Bearer ${this.options.token}` } });
  }

  private async reach(): Promise<Finding[]> {
    const began = Date.now();
    let answer: Answer;
    try {
      answer = await this.ask("/version");
    } catch (error) {
      const why = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
      return [fail(`${this.base} cannot be reached: ${why}`, "see the name, the certificate, and the route in wrangler.jsonc")];
    }
    if (answer.body?.name !== "hilo") {
      const remedy = "the route in wrangler.jsonc or the proxy passes another path: it must end in the prefix that HILO_MOUNT names, such as https://shop.example/_h";
      return [fail(`${this.base} is no collector: it answered ${answer.status}`, remedy)];
    }
    const found = [ok(`${this.base} answers, version ${answer.body.version}`)];
    const { version } = this.options;
    if (version && version !== answer.body.version) {
      found.push(warn(`version ${answer.body.version} runs, and this checkout has ${version}`, "cargo xtask deploy, or take the checkout of what runs"));
    }
    if (!answer.headers.get("x-hilo-request-id")) {
      found.push(warn("answers come without x-hilo-request-id", "the proxy takes header fields away: let it pass all of them"));
    }
    const skewS = Math.abs(Date.parse(answer.body.now) - (began + Date.now()) / 2) / 1000;
    if (!(skewS <= SKEW_S)) {
      const remedy = "set the clock of this machine, or of the proxy that answers in the collector's place: user tokens and signatures count for seconds";
      found.push(fail(`the clocks differ by ${Math.round(skewS)} s`, remedy));
    } else found.push(ok("the clocks agree"));
    if (!this.base.startsWith("https://") && !/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(this.base)) {
      found.push(fail("the address is not encrypted", "use https: no cookie is Secure otherwise"));
    }
    return found;
  }

  private async health(): Promise<Finding[]> {
    const headers: Record<string, string> = this.options.token ? { authorization: `Bearer ${this.options.token}` } : {};
    const { body } = await this.ask("/health", { headers });
    if (!Array.isArray(body?.faults)) return [fail("/health is not answered by the collector", "let the route or the proxy pass every path below the prefix")];
    if (body.faults.length === 0) return [ok("health: no fault")];
    return body.faults.map((one: any) => {
      const about = [one.about, ...(one.details ?? [])].filter(Boolean).join(", ");
      const what = `health: ${one.code}${about ? ` (${about})` : ""} since ${one.since}`;
      return one.loses_events && !one.bridged ? fail(what, one.remedy) : warn(what, one.remedy);
    });
  }

  private async deployment(): Promise<Finding[]> {
    const { status, body } = await this.admin("/deployment");
    if (status === 401 || status === 403) return [fail(`the admin token does not count: ${body?.code}`, body?.message ?? "")];
    // Without a configuration or a secret no admin call can be answered. Health has said so.
    if (status !== 200) return [skip("bindings and queue", `mend what health names: the admin call answered ${status}`)];
    const found: Finding[] = [];
    for (const { name, isBound } of body.bindings) {
      if (isBound || OPTIONAL.includes(name)) continue;
      found.push(fail(`nothing is bound as ${name}`, `compare the bindings in wrangler.jsonc with the account, and deploy again: cargo xtask deploy`));
    }
    if (found.length === 0) found.push(ok("every binding is there"));
    if (body.isDev && this.base.startsWith("https://")) {
      found.push(fail("HILO_DEV=1 on a live site: everybody has its development keys", "remove the variable HILO_DEV, and deploy again"));
    }
    const { jurisdiction } = body;
    if (jurisdiction) found.push(ok(`Durable Objects are in the jurisdiction ${jurisdiction}; queue, KV and points have none`));
    else found.push(ok("Durable Objects are near their first callers: no jurisdiction was chosen"));
    const { probedAt, arrivedAt } = body.queue;
    if (!probedAt) {
      found.push(warn("no scheduled check has run yet", "wait five minutes, or see triggers in wrangler.jsonc"));
    } else {
      const waitedMin = (Date.parse(probedAt) - Date.parse(arrivedAt)) / 60_000;
      if (waitedMin >= QUEUE_MIN) found.push(fail(`the queue has brought nothing since ${arrivedAt}`, "see the consumer and the backlog of hilo-deliveries in Cloudflare's dashboard, and RUNBOOK.md"));
      else found.push(ok("the queue moves"));
      const ageMin = (Date.now() - Date.parse(probedAt)) / 60_000;
      if (ageMin >= QUEUE_MIN) found.push(warn(`the last scheduled check was at ${probedAt}`, "see the cron trigger in Cloudflare's dashboard"));
    }
    return found;
  }

  /** Takes origin and key of the first browser source, where none is named. */
  private async readConfig(): Promise<Finding[]> {
    const { status, body } = await this.admin("/config");
    if (status !== 200) return [];
    const sources = (body.config.sources as any[]).filter((source) => source.kind === "browser");
    const named = this.origin ?? new URL(this.base).origin;
    const source = sources.find((one) => one.origins.includes(named)) ?? sources[0];
    if (!source) return [skip("pages", "hilo.toml has no source of kind = \"browser\"")];
    this.origin ??= source.origins.includes(named) ? named : source.origins.find((one: string) => !one.includes("*"));
    this.key ??= source.keys.find((key: any) => key.state === "active")?.key;
    return [];
  }

  private async cors(): Promise<Finding[]> {
    const preflight = (origin: string) =>
      this.ask("/v1/hello", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-hilo,content-type" },
      });
    const found: Finding[] = [];
    if (this.origin) {
      const { status, headers } = await preflight(this.origin);
      const isOpen = status === 204 && headers.get("access-control-allow-origin") === this.origin && headers.get("access-control-allow-credentials") === "true";
      if (isOpen) found.push(ok(`pages of ${this.origin} may call`));
      else found.push(fail(`pages of ${this.origin} may not call: the preflight is answered with ${status}`, `list "${this.origin}" under origins of its [[source]], and let the proxy pass OPTIONS and the header fields access-control-*`));
    } else found.push(skip("CORS of the site's pages", "name the site: --origin https://www.shop.example"));
    const stranger = "https://stranger.invalid";
    const allowed = (await preflight(stranger)).headers.get("access-control-allow-origin");
    if (allowed === null) found.push(ok("pages of strangers may not call"));
    else found.push(fail(`pages of strangers may call: access-control-allow-origin is ${allowed}`, "the proxy adds header fields of its own: take access-control-allow-origin out of its settings"));
    return found;
  }

  private async cookie(): Promise<Finding[]> {
    if (!this.origin || !this.key) return [skip("the cookie", "name a page and its key: --origin https://www.shop.example --key wk_…")];
    const { origin, key } = this;
    const consent = { categoryPreferences: { functional: true, analytics: true }, revision: 1 };
    const hello = (anonymousId?: string, cookie?: string) =>
      this.ask("/v1/hello", {
        method: "POST",
        headers: { origin, "content-type": "application/json", "x-hilo": "1", ...(cookie && { cookie }) },
        body: JSON.stringify({ writeKey: key, anonymousId, consent }),
      });
    const id = randomUUID();
    const first = await hello(id);
    if (first.status !== 200) return [fail(`a page cannot begin: ${first.status} ${first.body?.code ?? ""}`, first.body?.message ?? "the proxy must pass POST and the header field X-Hilo")];
    const own = first.headers.getSetCookie().find((one) => /^(__Host-)?hilo=/.test(one));
    const party = this.party(origin);
    if (!own) {
      if (party?.level === "FAIL") return [party];
      return [fail("no cookie comes with the answer", "let the proxy pass Set-Cookie, and call the collector on the site's own host")];
    }
    const found = party ? [party] : [];
    const isLocal = this.base.startsWith("http://");
    const lacks = ["Path=/", "HttpOnly", "SameSite=Lax", ...(isLocal ? [] : ["Secure"])].filter((word) => !own.split("; ").includes(word));
    if (lacks.length > 0) found.push(fail(`the cookie lacks ${lacks.join(", ")}`, "the proxy rewrites cookies: let it pass Set-Cookie as it is"));
    if (!isLocal && !own.startsWith("__Host-")) found.push(warn("the cookie is shared by all hosts of the domain", "leave cookie_domain out of hilo.toml, unless every host of the domain is yours"));
    const cookie = own.split(";")[0]!;
    // As a page whose storage was wiped: it has the cookie alone.
    const again = await hello(undefined, cookie);
    if (again.body?.anonymousId === id) found.push(ok("the cookie comes back, and its device is known again"));
    else found.push(fail("the collector does not get its cookie back", "let the proxy pass the header field Cookie"));
    const erased = await this.ask("/v1/me", { method: "DELETE", headers: { origin, "x-hilo": "1", cookie } });
    if (erased.status >= 300) found.push(warn(`the device of this check was not erased: ${erased.status}`, `POST /admin/v1/profiles/a:${id}/erase`));
    return found;
  }

  /** Whether a browser counts the collector's cookie as the site's own. */
  private party(origin: string): Finding | undefined {
    const [site, own] = [new URL(origin).hostname, new URL(this.base).hostname];
    if (site === own) return ok("the cookie is the site's own: page and collector have one host");
    const labels = (host: string) => host.split(".").reverse();
    const [a, b] = [labels(site), labels(own)];
    const common = a.findIndex((label, at) => label !== b[at]);
    const shared = a.slice(0, common < 0 ? a.length : common).reverse().join(".");
    if (!shared.includes(".") || SHARED_SUFFIXES.test(shared)) {
      return fail(`${own} is another site than ${site}: browsers block its cookie or forget it`, "serve the collector on the site's own host, by a route or a proxy: examples/proxies");
    }
    return warn(`${own} is another host of ${shared} than ${site}: Safari keeps its cookie for 7 days`, "serve the collector on the host of the pages, such as /_h there");
  }

  private async files(): Promise<Finding[]> {
    const response = await fetch(`${this.base}/hilo.js`, { headers: { "accept-encoding": "gzip, br" }, signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer();
    const kind = response.headers.get("content-type") ?? "";
    if (response.status !== 200 || !kind.includes("javascript")) {
      return [fail(`hilo.js is not served: ${response.status} ${kind}`, "cargo xtask build makes the files, and ASSETS in wrangler.jsonc binds them")];
    }
    const found: Finding[] = [];
    if (!/^(br|gzip)$/.test(response.headers.get("content-encoding") ?? "")) {
      found.push(warn("hilo.js comes without compression", "let the proxy pass Accept-Encoding and Content-Encoding"));
    }
    if (!/max-age=\d+/.test(response.headers.get("cache-control") ?? "")) {
      found.push(warn("hilo.js comes without Cache-Control", "let the proxy pass Cache-Control, so that browsers keep the file"));
    }
    return found.length > 0 ? found : [ok("hilo.js comes compressed, and browsers keep it")];
  }
}

/** Looks at a deployment. */
export function examine(options: Options): Promise<Finding[]> {
  return new Doctor(options).findings();
}

/** The lines for people. */
export function lines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ level, what, remedy }) => [`${level.padEnd(4)}  ${what}`, ...(remedy ? [`      → ${remedy}`] : [])]);
}

if (process.argv[1] && import.meta.url === new URL(process.argv[1], "file:").href) {
  const [url = "", variable = "HILO_ADMIN_TOKEN", origin = "", key = "", version = ""] = process.argv.slice(2);
  const given = (text: string) => text || undefined;
  const findings = await examine({ url, token: given(process.env[variable] ?? ""), origin: given(origin), key: given(key), version: given(version) }).catch(
    (error: Error): Finding[] => [fail(`a check broke off: ${error.message}`, "run the same command again")],
  );
  for (const line of lines(findings)) console.log(line);
  const failed = findings.filter(({ level }) => level === "FAIL").length;
  console.log(failed === 0 ? "healthy" : `${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
