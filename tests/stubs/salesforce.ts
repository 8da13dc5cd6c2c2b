/**
 * Salesforce on this machine: an org with leads, contacts, touchpoints, tasks and opportunities, upserted by an external id.
 *
 * A collection → a result for each record, in order. A new record needs its required fields, a field must exist, and a record that is
 * named by an external id must be there. An id that stands twice in one request is refused for both.
 */
import { Grants, goldenSecrets, tokenOf } from "./grants.ts";
import { readSalesforce } from "./reading.ts";
import type { Arrival, CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { NAMED_ACTS, visitIn } from "./visit.ts";

const VISIT = { ...visitIn(NAMED_ACTS), "signs in": ["Form Started", "Form Submitted", "Lead"] };

type Row = Record<string, any>;
type Part = Record<"method" | "url" | "referenceId", string>;

const HOST = "acme.my.salesforce.com";
/** A session of two hours, as a new org has it. */
const SESSION_S = 7_200;
/** Calls of one day before the org refuses more. */
const CALLS_MAX = 15_000;

/** What a new record needs. */
const REQUIRED: Record<string, string[]> = {
  Lead: ["LastName", "Company"],
  Contact: ["LastName"],
  Opportunity: ["Name", "StageName", "CloseDate"],
};

/** The custom fields that the deployer has made, by object. Standard fields are the judge's. */
const CUSTOM: Record<string, RegExp> = {
  Lead: /^Collector_Id__c$/,
  Contact: /^Collector_Id__c$/,
  Opportunity: /^Order_Number__c$/,
  Task: /^Event_Id__c$/,
  Touchpoint__c: /^(Event_Id|Occurred_At|Url|Channel|Campaign|Products|Cart_Id|Order_Number|Amount|Currency_Code)__c$/,
};

const oops = (statusCode: string, message: string, ...fields: string[]) => ({ success: false, errors: [{ statusCode, message, fields }] });

const SECRETS = goldenSecrets("salesforce");
const CLIENT = { id: SECRETS["SALESFORCE_CLIENT_ID"] ?? "", secret: SECRETS["SALESFORCE_CLIENT_SECRET"] ?? "" };

class Salesforce implements Stub {
  readonly kind = "salesforce";
  readonly spec = "salesforce";
  readonly hosts = /^([a-z0-9.-]+\.my|login|test)\.salesforce\.com$/;
  readonly expects = {
    granted: ["Lead", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    analytics: ["Lead", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
  };
  readonly visit = { granted: VISIT, analytics: VISIT };
  readonly #grants = new Grants({
    lifeS: SESSION_S,
    prefix: "00D",
    client: CLIENT,
    more: { instance_url: `https://${HOST}`, issued_at: "0", signature: "s" },
  });
  readonly #objects = new Map<string, Map<string, Row>>();
  readonly #arrivals: Arrival[] = [];
  readonly #deleted = new Set<string>();
  #calls = 0;

  answer(request: StubRequest): StubAnswer {
    if (request.url.pathname === "/services/oauth2/token") return this.#token(request);
    if (!this.#grants.isLive(tokenOf(request.headers, "Bearer"), request.now)) {
      return { status: 401, body: [{ errorCode: "INVALID_SESSION_ID", message: "Session expired or invalid" }] };
    }
    if (++this.#calls > CALLS_MAX) return { status: 403, body: [{ errorCode: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded." }] };
    return readSalesforce(request) ?? this.#take(request);
  }

  arrived(): readonly Arrival[] {
    return this.#arrivals;
  }

  deleted(who: string) {
    return this.#deleted.has(who);
  }

  state() {
    const objects = Object.fromEntries([...this.#objects].map(([name, rows]) => [name, [...rows.values()]]));
    return { objects, calls: this.#calls, tokens: this.#grants.issued, deleted: [...this.#deleted] };
  }

  #token({ url, body, now }: StubRequest): StubAnswer {
    const form = new URLSearchParams(body);
    // Client credentials are answered by the org's own host only.
    if (url.hostname !== HOST) return { status: 400, body: { error: "invalid_grant", error_description: "request not supported on this domain" } };
    return this.#grants.exchange(form, { id: form.get("client_id"), secret: form.get("client_secret") }, now);
  }

  #take({ url, body }: StubRequest): StubAnswer {
    const headers = { "sforce-limit-info": `api-usage=${this.#calls}/${CALLS_MAX}` };
    const [, , version = "", kind = "", , object = "", field = ""] = url.pathname.split("/").slice(1);
    if (Number(version.slice(1)) < 31) return { status: 410, body: [{ errorCode: "UNSUPPORTED_API_VERSION", message: "Invalid Api version" }] };
    const asked = JSON.parse(body);
    if (asked.compositeRequest) {
      const compositeResponse = asked.compositeRequest.map((part: Part) => this.#part(part));
      return { status: 200, headers, body: { compositeResponse } };
    }
    if (kind !== "composite" || !object) return { status: 404, headers, body: [{ errorCode: "NOT_FOUND", message: "no such resource" }] };
    return { status: 200, headers, body: this.#upsert(object, field, asked.records) };
  }

  #upsert(object: string, field: string, records: Row[]) {
    return records.map((record) => {
      const { attributes: _, ...row } = record;
      const key = String(row[field]).toLowerCase();
      if (records.filter((other) => String(other[field]).toLowerCase() === key).length > 1) {
        return oops("DUPLICATE_VALUE", `Duplicate external id specified: ${row[field]}`, field);
      }
      const rows = this.#rowsOf(object);
      const known = rows.get(key);
      const error = this.#wrong(object, field, row, known === undefined);
      if (error) return error;
      rows.set(key, { ...known, ...row });
      if (!known) this.#arrivals.push({ who: whoOf(object, row), what: object.endsWith("__c") ? row["Name"] : object });
      return { id: `a0${object.length}${rows.size}`, success: true, created: known === undefined, errors: [] };
    });
  }

  /** The error of a record, if it has one. */
  #wrong(object: string, field: string, row: Row, isNew: boolean) {
    const custom = Object.keys(row).filter((name) => name.endsWith("__c"));
    const unknown = custom.find((name) => !(CUSTOM[object] ?? /^$/).test(name));
    if (!CUSTOM[object]) return oops("NOT_FOUND", `sObject type '${object}' is not supported.`);
    if (unknown) return oops("INVALID_FIELD", `No such column '${unknown}' on sobject of type ${object}`);
    if (!row[field]) return oops("MISSING_ARGUMENT", `${field} not specified`);
    const relation = Object.entries(row).find(([name]) => name.endsWith("__r") || name === "Who");
    const missing = relation && this.#missing(relation);
    if (missing) return missing;
    const lacking = isNew ? (REQUIRED[object] ?? []).filter((name) => !row[name]) : [];
    if (lacking.length > 0) return oops("REQUIRED_FIELD_MISSING", `Required fields are missing: [${lacking}]`, ...lacking);
    return undefined;
  }

  /** The error of a relationship whose record is not there. */
  #missing([name, to]: [string, Row]) {
    const target = name === "Who" ? to["attributes"].type : name.replace("__r", "");
    const [key = "", value] = Object.entries(to).find(([field]) => field.endsWith("__c")) ?? [];
    const isThere = [...this.#rowsOf(target).values()].some((known) => known[key] === value);
    return isThere ? undefined : oops("INVALID_FIELD", `Foreign key external ID: ${value} not found for field ${key} in entity ${target}`);
  }

  /** A composite request's part: a deletion by an external id. */
  #part({ method, url, referenceId }: Part) {
    const [object = "", , value = ""] = url.split("/sobjects/")[1]?.split("/").map(decodeURIComponent) ?? [];
    const isGone = method === "DELETE" && this.#rowsOf(object).delete(value.toLowerCase());
    if (isGone) this.#deleted.add(value);
    const body = isGone ? null : [{ errorCode: "NOT_FOUND", message: "The requested resource does not exist" }];
    return { body, httpHeaders: {}, httpStatusCode: isGone ? 204 : 404, referenceId };
  }

  #rowsOf(object: string): Map<string, Row> {
    const rows = this.#objects.get(object) ?? new Map<string, Row>();
    this.#objects.set(object, rows);
    return rows;
  }
}

function whoOf(object: string, row: Row): string {
  const isPerson = object === "Lead" || object === "Contact";
  return (isPerson ? row["Email"] : row["Lead__r"]?.["Collector_Id__c"]) ?? "";
}

export const create: CreateStub = () => new Salesforce();
