/**
 * The judge of hilo's outgoing requests: `{method, url, headers, body}` → what is wrong with it by the vendor's own rules.
 *
 * Reads `tests/specs/<vendor>/openapi.json`; `tests/specs/README.md` says what its keys mean, and the order of the steps. No finding
 * means that the vendor would take the request. Knows no vendor by name, sends nothing, and judges no age: time is the test's.
 */
import { existsSync, readFileSync } from "node:fs";

import { Ajv2020, addFormats } from "../packages.ts";
import { grantHost, graphAnswer, graphQuery, pathField, refused, rulesOfSchema, signature, size, span, type Context } from "./rules.ts";

/** JSON of any shape. */
export type Json = any;

/** A request as hilo's golden files have it. */
export interface Judged {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What only the caller knows. */
export interface Secrets {
  /** The secrets that may have signed a request (Standard Webhooks). */
  readonly secrets?: readonly string[];
}

export interface Judge {
  /** Compiles every schema of a body now, which takes a second, so that no request waits for it. */
  prepare(): void;
  /** The findings, each a sentence; none for a sound request. */
  judge(request: Judged, known?: Secrets): string[];
  /** What is wrong with the body of a success, by the vendor's description; nothing where it describes none. */
  judgeAnswer(request: Judged, body: Json): string[];
  /** The names of members that the vendor does not describe, in objects that are open for custom ones. */
  custom(request: Judged): string[];
}

/** An operation that a request matched. */
interface Match {
  readonly operation: Json;
  readonly servers: Json[];
  readonly path: Record<string, string>;
}

/** Vendors that also run in the deployer's own network. */
const MAY_BE_PLAIN = new Set(["kafka", "clickhouse"]);
const BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?";

const specs = new URL("../specs/", import.meta.url);
const judges = new Map<string, Judge>();

/** The judge of a folder of `tests/specs`. */
export function judgeOf(vendor: string): Judge {
  const known = judges.get(vendor);
  if (known) return known;
  const document = JSON.parse(readFileSync(new URL(`${vendor}/openapi.json`, specs), "utf8"));
  const judge = new Vendor(vendor, document);
  judges.set(vendor, judge);
  return judge;
}

class Vendor implements Judge {
  readonly #vendor: string;
  readonly #document: Json;
  readonly #open: InstanceType<typeof Ajv2020>;
  readonly #closed: InstanceType<typeof Ajv2020>;
  readonly #roots = new WeakMap<object, Json>();
  /** Names that the vendor gives to fields beyond its schemas. */
  readonly #official: Set<string>;

  constructor(vendor: string, document: Json) {
    this.#vendor = vendor;
    this.#document = document;
    const names = new URL(`${vendor}/official/field-names.json`, specs);
    this.#official = new Set(existsSync(names) ? Object.values<string[]>(JSON.parse(readFileSync(names, "utf8"))).flat() : []);
    [this.#open, this.#closed] = [document, closed(document)].map((schemas) => {
      const ajv = new Ajv2020({ strict: false, allErrors: true });
      addFormats(ajv);
      return ajv.addSchema(schemas, vendor);
    }) as [InstanceType<typeof Ajv2020>, InstanceType<typeof Ajv2020>];
  }

  prepare() {
    for (const item of Object.values<Json>(this.#document.paths)) {
      for (const operation of Object.values<Json>(item)) {
        for (const content of Object.values<Json>(operation?.requestBody?.content ?? {})) this.#open.compile(this.#rooted(content.schema));
      }
    }
  }

  judge(request: Judged, known: Secrets = {}): string[] {
    const url = new URL(request.url);
    const match = this.#match(request.method, url.pathname);
    if (typeof match === "string") return [match];
    const headers = new Headers(request.headers);
    const found: string[] = [];
    this.#host(url, match, found);
    this.#parameters(url, headers, match, found);
    const [type, content] = this.#content(request, headers, match, found);
    const bodies = content ? parsed(request.body ?? "", type, content, found) : [];
    this.#credentials(headers, bodies, match.operation, found);
    const schema = content && this.#schema(content.schema);
    for (const body of bodies) if (schema) this.#body(this.#open, content.schema, body, found);
    const context: Context = { vendor: this.#vendor, operation: match.operation, path: match.path, url, headers, body: request.body ?? "", secrets: known.secrets };
    for (const rule of [size, refused, span, signature]) rule(context, found);
    for (const body of bodies) {
      rulesOfSchema(schema, body, found);
      for (const rule of [pathField, grantHost, graphQuery]) rule(context, found, body);
    }
    return found;
  }

  judgeAnswer(request: Judged, body: Json): string[] {
    const match = this.#match(request.method, new URL(request.url).pathname);
    if (typeof match === "string") return [match];
    const schema = match.operation.responses?.["200"]?.content?.["application/json"]?.schema;
    const found: string[] = [];
    if (schema) this.#body(this.#open, schema, body, found);
    if (match.operation["x-graphql"]) graphAnswer(this.#vendor, match.operation["x-graphql"], request.body ?? "", body, found);
    return found;
  }

  custom(request: Judged): string[] {
    const match = this.#match(request.method, new URL(request.url).pathname);
    if (typeof match === "string") return [];
    const [type, content] = this.#content(request, new Headers(request.headers), match, []);
    const names = new Set<string>();
    for (const body of content ? parsed(request.body ?? "", type, content, []) : []) {
      const validate = this.#closed.compile(this.#rooted(content.schema));
      validate(body);
      for (const error of validate.errors ?? []) if (error.keyword === "additionalProperties") names.add(error.params["additionalProperty"]);
    }
    return [...names].filter((name) => !this.#official.has(name));
  }

  /** Step 1. The path with the fewest parameters counts. */
  #match(method: string, pathname: string): Match | string {
    const found: (Match & { item: Json })[] = [];
    for (const [template, item] of Object.entries<Json>(this.#document.paths)) {
      const isAny = Object.values<Json>(item).some((operation) => operation?.["x-any-path"]);
      const path = isAny ? { any: pathname.slice(1) } : parametersOf(template, pathname);
      if (path) found.push({ item, path, servers: item.servers ?? this.#document.servers, operation: item[method.toLowerCase()] });
    }
    const [best] = found.sort((a, b) => Object.keys(a.path).length - Object.keys(b.path).length);
    if (!best) return `path: ${this.#vendor} has no ${pathname}`;
    return best.operation ? best : `method: ${pathname} takes no ${method}`;
  }

  /** Step 2. */
  #host(url: URL, match: Match, found: string[]) {
    const isKnown = match.servers.some((server) => new RegExp(server["x-host-pattern"]).test(url.hostname));
    if (!isKnown) found.push(`host: ${url.hostname} is not the vendor's`);
    const isPlain = url.protocol === "http:" && MAY_BE_PLAIN.has(this.#vendor);
    if (url.protocol !== "https:" && !isPlain) found.push(`scheme: ${url.protocol}`);
    if (url.username || url.password) found.push("credentials in the URL");
  }

  /** Step 3. */
  #parameters(url: URL, headers: Headers, match: Match, found: string[]) {
    const described: Json[] = match.operation.parameters ?? [];
    for (const one of described) {
      const given =
        one.in === "path" ? [match.path[one.name]] : one.in === "query" ? url.searchParams.getAll(one.name) : [headers.get(one.name)];
      const values = given.filter((value) => value !== undefined && value !== null) as string[];
      if (values.length === 0) {
        if (one.required) found.push(`${one.in} ${one.name}: is missing`);
        continue;
      }
      const isList = one.schema.type === "array";
      if (!isList && values.length > 1) found.push(`${one.in} ${one.name}: stands there twice`);
      const value = isList ? values.map((text) => typed(text, one.schema.items)) : typed(values[0]!, one.schema);
      const validate = this.#open.compile(this.#rooted(one.schema));
      if (!validate(value)) found.push(`${one.in} ${one.name}: ${this.#open.errorsText(validate.errors)}`);
    }
    const names = new Set(described.filter((one) => one.in === "query").map((one) => one.name));
    for (const name of url.searchParams.keys()) if (!names.has(name)) found.push(`query ${name}: is not described`);
  }

  /** Step 4. */
  #credentials(headers: Headers, bodies: Json[], operation: Json, found: string[]) {
    const alternatives: Json[] = operation.security ?? this.#document.security ?? [];
    const schemes = this.#document.components?.securitySchemes ?? {};
    const holds = (names: Json) => Object.keys(names).every((name) => holdsScheme(schemes[name], headers, bodies[0]));
    if (alternatives.length > 0 && !alternatives.some(holds)) found.push("credentials: none of the ways that the vendor takes");
  }

  /** Step 5. */
  #content(request: Judged, headers: Headers, match: Match, found: string[]): [string, Json] {
    const contents = match.operation.requestBody?.content;
    const given = (headers.get("content-type") ?? "").toLowerCase();
    if (!contents) {
      if (request.body) found.push("body: none is taken");
      return ["", undefined];
    }
    for (const [type, content] of Object.entries<Json>(contents)) {
      const plain = type.toLowerCase();
      const isEqual = given === plain || (!plain.includes(";") && /^\s*charset=utf-8$/.test(given.slice(plain.length + 1)) && given.startsWith(`${plain};`));
      if (isEqual) return [plain, content];
    }
    found.push(`content type: ${given || "none"}`);
    return ["", undefined];
  }

  /** Step 6. */
  #body(ajv: InstanceType<typeof Ajv2020>, schema: Json, body: Json, found: string[]) {
    const validate = ajv.compile(this.#rooted(schema));
    if (validate(body)) return;
    // A condition that fails says only that something below it does, and that is told beside it.
    const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== "if");
    for (const error of errors.length > 0 ? errors : (validate.errors ?? [])) found.push(`body${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
  }

  /** A schema with the full addresses of those it refers to; the same object each time, so that it is compiled once. */
  #rooted(schema: Json): Json {
    const known = this.#roots.get(schema);
    if (known) return known;
    const text = JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${this.#vendor}#/`);
    const rooted = JSON.parse(text);
    this.#roots.set(schema, rooted);
    return rooted;
  }

  #schema(schema: Json): Json {
    return schema.$ref ? this.#document.components.schemas[schema.$ref.split("/").at(-1)] : schema;
  }
}

/** The parameters of a path that a template matches: each is a segment, or a part of one. */
function parametersOf(template: string, pathname: string): Record<string, string> | undefined {
  const pattern = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  const found = new RegExp(`^${pattern}$`).exec(pathname);
  return found ? Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)])) : undefined;
}

/** A text of a URL or a header as its schema's type. */
function typed(text: string, schema: Json): Json {
  if (["integer", "number"].includes(schema.type) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (schema.type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

function holdsScheme(scheme: Json, headers: Headers, body: Json): boolean {
  if (scheme["x-body-member"]) return Boolean(body?.[scheme["x-body-member"]]);
  const isHttp = scheme.type === "http";
  const given = headers.get(isHttp ? "authorization" : scheme.name) ?? "";
  const usual = scheme.scheme === "bearer" ? "^Bearer [\\x21-\\x7e]+$" : `^Basic ${BASE64}$`;
  if (!new RegExp(scheme["x-header-pattern"] ?? usual).test(given)) return false;
  if (scheme.scheme !== "basic") return true;
  const pair = Buffer.from(given.slice("Basic ".length), "base64").toString("utf8");
  return new RegExp(scheme["x-basic"] ?? "^[^:]+:").test(pair);
}

/** The values of a body: several where its type has a value on each line, or one after another. */
function parsed(body: string, type: string, content: Json, found: string[]): Json[] {
  try {
    if (type.startsWith("application/x-www-form-urlencoded")) return [Object.fromEntries(new URLSearchParams(body))];
    if (content["x-lines"]) return body.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    if (content["x-concatenated"]) return concatenated(body);
    return [JSON.parse(body)];
  } catch {
    found.push(`body: is no ${content["x-lines"] ? "lines of JSON" : type}`);
    return [];
  }
}

/** JSON texts one after another, with or without space between them. */
function concatenated(text: string): Json[] {
  const values: Json[] = [];
  let [depth, start, isText] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (isText && sign === "\\") at++;
    else if (sign === '"') isText = !isText;
    else if (!isText && "{[".includes(sign)) depth++;
    else if (!isText && "}]".includes(sign) && --depth === 0) {
      values.push(JSON.parse(text.slice(start, at + 1)));
      start = at + 1;
    }
  }
  if (text.slice(start).trim() !== "") throw new SyntaxError("rest");
  return values;
}

/** A copy in which no object is open beside the names that it describes (step 8). */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const isOpen = copy["properties"] !== undefined && copy["additionalProperties"] !== undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}
