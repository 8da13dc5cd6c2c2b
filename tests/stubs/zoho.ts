/**
 * Zoho CRM on this machine: an account in Europe with leads, contacts, deals and a module of touchpoints.
 *
 * Records → a result for each, in order, with 200 where all are stored and 207 where some are. A record is found by the first of
 * `duplicate_check_fields`. The token endpoint gives ten tokens in ten minutes, and then refuses with 200, as Zoho does.
 */
import { Grants, goldenSecrets, tokenOf } from "./grants.ts";
import type { Arrival, CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { NAMED_ACTS, visitIn } from "./visit.ts";

const VISIT = { ...visitIn(NAMED_ACTS), "signs in": ["Form Started", "Form Submitted", "Leads"] };

type Row = Record<string, any>;

const HOST = "www.zohoapis.eu";
const TOKENS_MAX = 10;
const TOKENS_MS = 600_000;

/** The modules of the account, and what each record needs. */
const MODULES: Record<string, string[]> = {
  Leads: ["Last_Name", "Company"],
  Contacts: ["Last_Name"],
  Deals: ["Deal_Name", "Stage"],
  Touchpoints: ["Name"],
};

/** Fields that are no texts. */
const TYPES: Record<string, string> = { Amount: "number", Email_Opt_Out: "boolean" };

const refused = (code: string, details: Row = {}) => ({ code, status: "error", message: code.toLowerCase().replaceAll("_", " "), details });

const SECRETS = goldenSecrets("zoho");

class Zoho implements Stub {
  readonly kind = "zoho";
  readonly spec = "zoho";
  readonly hosts = /^(www\.zohoapis|accounts\.zoho)\.(com|eu|in|com\.au|jp|com\.cn|ca|sa|uk|ae)$|^accounts\.zohocloud\.ca$/;
  readonly expects = {
    granted: ["Leads", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    analytics: ["Leads", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
  };
  readonly visit = { granted: VISIT, analytics: VISIT };
  readonly #grants = new Grants({
    lifeS: 3600,
    prefix: "1000.zoho",
    client: { id: SECRETS["ZOHO_CLIENT_ID"] ?? "", secret: SECRETS["ZOHO_CLIENT_SECRET"] ?? "" },
    first: SECRETS["ZOHO_REFRESH_TOKEN"] ?? "",
    more: { expires_in: 3600, api_domain: `https://${HOST}` },
  });
  readonly #modules = new Map<string, Map<string, Row>>(Object.keys(MODULES).map((name) => [name, new Map()]));
  readonly #arrivals: Arrival[] = [];
  #tokenTimes: number[] = [];

  answer(request: StubRequest): StubAnswer {
    const { url, headers, body, now } = request;
    if (url.pathname === "/oauth/v2/token") return this.#token(request);
    if (url.hostname !== HOST || !this.#grants.isLive(tokenOf(headers, "Zoho-oauthtoken"), now)) {
      return { status: 401, body: refused("INVALID_TOKEN") };
    }
    const [, module = ""] = /^\/crm\/v8\/(\w+)\/upsert$/.exec(url.pathname) ?? [];
    return module ? this.#upsert(module, JSON.parse(body)) : { status: 404, body: refused("INVALID_URL_PATTERN") };
  }

  arrived(): readonly Arrival[] {
    return this.#arrivals;
  }

  state() {
    const modules = Object.fromEntries([...this.#modules].map(([name, rows]) => [name, [...rows.values()]]));
    return { modules, tokens: this.#grants.issued };
  }

  #token({ url, body, now }: StubRequest): StubAnswer {
    this.#tokenTimes = this.#tokenTimes.filter((at) => now - at < TOKENS_MS);
    if (this.#tokenTimes.length >= TOKENS_MAX) return { status: 200, body: "Access Denied" };
    // Each data center knows its own clients only, and says so with 200.
    if (url.hostname !== "accounts.zoho.eu") return { status: 200, body: { error: "invalid_client" } };
    const form = new URLSearchParams(body);
    const answer = this.#grants.exchange(form, { id: form.get("client_id"), secret: form.get("client_secret") }, now);
    if (answer.status !== 200) return { ...answer, status: 200 };
    this.#tokenTimes.push(now);
    return answer;
  }

  #upsert(module: string, { data, duplicate_check_fields }: { data: Row[]; duplicate_check_fields: string[] }): StubAnswer {
    if (!this.#modules.has(module)) return { status: 400, body: refused("INVALID_MODULE") };
    const by = duplicate_check_fields[0] ?? "";
    const seen = data.map((row) => String(row[by]).toLowerCase());
    const store = (row: Row, at: number) => (seen.indexOf(seen[at]!) < at ? refused("DUPLICATE_DATA", { api_name: by }) : this.#store(module, by, row, at));
    const results = data.map(store);
    const failures = results.filter((result) => result.status === "error").length;
    return { status: failures === 0 ? 200 : failures === results.length ? 202 : 207, body: { data: results } };
  }

  /** Stores one record of a request. */
  #store(module: string, by: string, row: Row, at: number) {
    const rows = this.#modules.get(module)!;
    const key = String(row[by] ?? "").toLowerCase();
    const known = key ? rows.get(key) : undefined;
    const wrongType = Object.entries(TYPES).find(([name, type]) => row[name] !== undefined && typeof row[name] !== type);
    if (wrongType) return refused("INVALID_DATA", { api_name: wrongType[0], expected_data_type: wrongType[1], json_path: `$.data[${at}].${wrongType[0]}` });
    const lacking = known ? undefined : MODULES[module]?.find((name) => !row[name]);
    if (lacking) return refused("MANDATORY_NOT_FOUND", { api_name: lacking, json_path: `$.data[${at}]` });
    rows.set(key || `row-${rows.size}`, { ...known, ...row });
    if (!known) this.#arrivals.push({ who: row["Email"] ?? "", what: module === "Touchpoints" ? row["Name"] : module });
    const details = { id: `572576700000${rows.size}`, Modified_Time: "2026-11-24T10:00:00+00:00" };
    return { code: "SUCCESS", status: "success", message: "record", action: known ? "update" : "insert", duplicate_field: known ? by : null, details };
  }
}

export const create: CreateStub = () => new Zoho();
