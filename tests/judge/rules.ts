/**
 * The rules that a JSON Schema cannot state: the `x-` keys of `tests/specs` (step 7 of its README), a function each.
 *
 * A request and its operation → findings. Only `judge.ts` calls this.
 */
import { readFileSync } from "node:fs";

import { graphql, Webhook } from "../packages.ts";

type Json = any;

/** A request beside what it matched. */
export interface Context {
  readonly vendor: string;
  readonly operation: Json;
  readonly path: Record<string, string>;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly secrets: readonly string[] | undefined;
}

const bytes = (text: string) => Buffer.byteLength(text, "utf8");

/** `x-max-bytes`: UTF-8 bytes of the body. */
export function size({ operation, body }: Context, found: string[]) {
  const max = operation["x-max-bytes"];
  if (max !== undefined && bytes(body) > max) found.push(`body: ${bytes(body)} bytes, of ${max}`);
}

/** `x-refuse-anywhere`: a plain e-mail address, for example. */
export function refused({ operation, body }: Context, found: string[]) {
  const pattern = operation["x-refuse-anywhere"];
  const [text] = (pattern && new RegExp(pattern).exec(body)) || [];
  if (text) found.push(`body: ${text} may stand nowhere in it`);
}

/** `x-span`: the days between two times of the query. */
export function span({ operation, url }: Context, found: string[]) {
  const rule = operation["x-span"];
  if (!rule) return;
  const [from, to] = [rule.from, rule.to].map((name) => Date.parse(url.searchParams.get(name) ?? ""));
  const days = (to! - from!) / 86_400_000;
  if (!(days >= 0 && days <= rule.maxDays)) found.push(`query ${rule.to}: ${days} days after ${rule.from}, of ${rule.maxDays}`);
}

/** `x-signature`: the vendor's own library verifies. The clock is the request's own, because age is the test's business. */
export function signature({ operation, headers, body, secrets }: Context, found: string[]) {
  if (!operation["x-signature"] || !secrets) return;
  const { now } = Date;
  Date.now = () => Number(headers.get("webhook-timestamp")) * 1_000;
  try {
    const fields = Object.fromEntries(headers);
    const isRight = secrets.some((secret) => {
      try {
        new Webhook(secret).verify(body, fields);
        return true;
      } catch {
        return false;
      }
    });
    if (!isRight) found.push("webhook-signature: none of the secrets made it for this body");
  } finally {
    Date.now = now;
  }
}

/** `x-path-field-in`, `x-path-field-absent`: the external id's field that the path names. */
export function pathField({ operation, path }: Context, found: string[], body: Json) {
  const { param, array } = operation["x-path-field-in"] ?? {};
  const field = path[param];
  if (field && !body?.[array]?.every?.((record: Json) => field in record)) found.push(`body: a record lacks ${field}, which the path names`);
  const absent = path[operation["x-path-field-absent"]];
  if (absent && absent in Object(body)) found.push(`body: has ${absent}, which the path names`);
}

/** `x-host-by-grant`: the host of a token request. */
export function grantHost({ operation, url }: Context, found: string[], body: Json) {
  const pattern = operation["x-host-by-grant"]?.[body?.grant_type];
  if (pattern && !new RegExp(pattern).test(url.hostname)) found.push(`host: ${url.hostname} gives no token for ${body.grant_type}`);
}

/** The `x-` keys of the body's own schema. */
export function rulesOfSchema(schema: Json, body: Json, found: string[]) {
  const item = schema["x-max-item-bytes"];
  for (const [at, one] of (item ? (body?.[item.array] ?? []) : []).entries()) {
    const count = bytes(JSON.stringify(one));
    if (count > item.max) found.push(`body/${item.array}/${at}: ${count} bytes, of ${item.max}`);
  }
  const combined = schema["x-max-combined"];
  if (combined) {
    const count = combined.of.reduce((sum: number, name: string) => sum + (body?.[name]?.length ?? 0), 0);
    if (count > combined.max) found.push(`body: ${count} of ${combined.of.join(", ")} together, of ${combined.max}`);
  }
  const [array, member] = schema["x-unique-by"] ?? [];
  const values = (body?.[array] ?? []).map?.((one: Json) => one?.[member]).filter((value: Json) => value !== undefined) ?? [];
  if (new Set(values).size < values.length) found.push(`body/${array}: the same ${member} twice`);
}

/** `x-graphql`: the query is valid by the schema, and so are its variables. */
export function graphQuery({ vendor, operation }: Context, found: string[], body: Json) {
  if (!operation["x-graphql"]) return;
  const text = readFileSync(new URL(`../specs/${vendor}/${operation["x-graphql"]}`, import.meta.url), "utf8");
  const schema = graphql.buildSchema(text);
  try {
    const document = graphql.parse(String(body?.query));
    for (const error of graphql.validate(schema, document)) found.push(`query: ${error.message}`);
    for (const one of document.definitions) {
      if (one.kind !== graphql.Kind.OPERATION_DEFINITION) continue;
      const { errors } = graphql.getVariableValues(schema, one.variableDefinitions ?? [], body?.variables ?? {});
      for (const error of errors ?? []) found.push(`variables: ${error.message}`);
    }
  } catch (error) {
    found.push(`query: ${(error as Error).message}`);
  }
}

/** `x-graphql`, the answer: each value has the type of the schema, and nothing that was asked for is missing. */
export function graphAnswer(vendor: string, file: string, asked: string, answer: Json, found: string[]) {
  if (!answer?.data) return;
  const schema = graphql.buildSchema(readFileSync(new URL(`../specs/${vendor}/${file}`, import.meta.url), "utf8"));
  const { query: source, variables: variableValues } = JSON.parse(asked);
  const missing: string[] = [];
  const fieldResolver = (from: Json, _args: Json, _context: Json, { path }: { path: { key: string | number } }) => {
    if (from[path.key] === undefined) missing.push(String(path.key));
    return from[path.key];
  };
  const { errors } = graphql.graphqlSync({ schema, source, variableValues, rootValue: answer.data, fieldResolver });
  for (const error of errors ?? []) found.push(`answer: ${error.message}`);
  for (const name of missing) found.push(`answer: ${name} is missing`);
}
