/**
 * Promise: `cargo xtask doctor` finds nothing wrong with a healthy deployment, and names the fault and its remedy for each of these broken
 * ones.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";

import { examine, type Finding, lines } from "../../js/doctor.ts";
import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, type Collector, type CollectorOptions, DEV_SECRETS, eventually, startCollector, startSink } from "./mf.ts";

const token = DEV_SECRETS.HILO_ADMIN_TOKEN;
const sink = await startSink();
const healthy = await startCollector({ config: configWith(sink.url), triggers: true });
const origin = "http://127.0.0.1:8787";
after(async () => {
  await healthy.dispose();
  await sink.close();
});

const look = (url: string, more: object = {}) => examine({ url, token, origin, key: "wk_shop", ...more });
const failed = (findings: Finding[]) => findings.filter(({ level }) => level === "FAIL");

/** Asserts that the fault is found, each with a remedy. */
function finds(findings: Finding[], what: RegExp, remedy: RegExp): void {
  const told = lines(findings).join("\n");
  const found = failed(findings).find((one) => what.test(one.what));
  assert.ok(found, told);
  assert.match(found.remedy ?? "", remedy, told);
  assert.ok(findings.every(({ level, remedy }) => level === "ok" || remedy), told);
}

/** A proxy in front of the healthy collector that spoils something. */
async function spoiled(
  work: (url: string) => Promise<void>,
  { request, answer, body }: { request?: (incoming: IncomingMessage) => void; answer?: (headers: IncomingMessage["headers"]) => void; body?: (text: string) => string },
): Promise<void> {
  const proxy = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    request?.(incoming);
    // What is rewritten must not be compressed.
    if (body) incoming.headers["accept-encoding"] = "identity";
    const onward = httpRequest(new URL(incoming.url ?? "/", healthy.url), { method: incoming.method, headers: incoming.headers }, (answered) => {
      const chunks: Buffer[] = [];
      answered.on("data", (chunk: Buffer) => chunks.push(chunk));
      answered.on("end", () => {
        const headers = { ...answered.headers };
        answer?.(headers);
        const bytes = Buffer.concat(chunks);
        const sent = body ? Buffer.from(body(bytes.toString("utf8"))) : bytes;
        delete headers["transfer-encoding"];
        outgoing.writeHead(answered.statusCode ?? 502, { ...headers, "content-length": String(sent.length) }).end(sent);
      });
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    await work(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}/_h`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

async function broken(options: CollectorOptions, work: (collector: Collector) => Promise<void>): Promise<void> {
  const collector = await startCollector(options);
  try {
    await work(collector);
  } finally {
    await collector.dispose();
  }
}

test("a healthy deployment has nothing that fails, and the command succeeds", async () => {
  await healthy.fetch("/cdn-cgi/local/scheduled");
  const findings = await eventually(async () => {
    const found = await look(`${healthy.url}/_h`);
    return found.some(({ what }) => what === "the queue moves") ? found : undefined;
  });
  assert.deepEqual(failed(findings), [], lines(findings).join("\n"));
  for (const what of ["every binding is there", "pages of strangers may not call", "the cookie comes back, and its device is known again", "the clocks agree"]) {
    assert.ok(findings.some((one) => one.what === what && one.level === "ok"), `${what}\n${lines(findings).join("\n")}`);
  }
  const args = [fileURLToPath(new URL("../../js/doctor.ts", import.meta.url)), `${healthy.url}/_h`, "DOCTOR_TOKEN", origin, "wk_shop"];
  const command = spawnSync("node", args, { encoding: "utf8", env: { ...process.env, DOCTOR_TOKEN: token, NODE_NO_WARNINGS: "1" } });
  assert.deepEqual([command.status, command.stdout.trim().split("\n").at(-1)], [0, "healthy"], command.stdout + command.stderr);
});

test("1. a secret is missing", () =>
  broken({ vars: { HILO_SECRET: undefined } }, async ({ url }) => finds(await look(`${url}/_h`), /^health: secret_missing/, /wrangler secret put HILO_SECRET/)));

test("2. no hilo.toml was pushed to a live site", () =>
  broken({ vars: { HILO_DEV: undefined, HILO_ADMIN_TOKEN: "an admin token of this live site" } }, async ({ url }) =>
    finds(await look(`${url}/_h`, { token: "an admin token of this live site" }), /^health: config_missing/, /cargo xtask config push/)));

test("3. the pages' origin is not listed", async () =>
  finds(await look(`${healthy.url}/_h`, { origin: "https://www.shop.example" }), /pages of https:\/\/www\.shop\.example may not call/, /list "https:\/\/www\.shop\.example" under origins/));

test("4. a clock is wrong", () =>
  spoiled(async (url) => finds(await look(url), /the clocks differ by [56]\d\d s/, /set the clock/), {
    body: (text) => text.replace(/"now":"[^"]+"/, `"now":"${new Date(Date.now() + 600_000).toISOString()}"`),
  }));

test("5. a destination takes nothing", () =>
  broken({ config: configWith(sink.url) }, async (collector) => {
    sink.answer(500);
    try {
      await send(collector, [pageView(anonymousId())]);
      const told = await eventually(async () => {
        const findings = await look(`${collector.url}/_h`);
        return findings.find(({ what }) => what.startsWith("health: destination_errors"));
      }, 60_000);
      assert.match(told.what, /\(webhook, status 500\) since 20/);
      assert.match(told.remedy ?? "", /GET \/admin\/v1\/deliveries/);
    } finally {
      sink.answer(200);
    }
  }));

test("the queue brings nothing for a quarter of an hour", () =>
  spoiled(async (url) => finds(await look(url), /^the queue has brought nothing since 20/, /RUNBOOK\.md/), {
    // The time cannot be moved here: the proxy says that a later probe was sent.
    body: (text) => text.replace(/"probedAt":"[^"]+"/, `"probedAt":"${new Date(Date.now() + 960_000).toISOString()}"`),
  }));

test("6. the proxy takes the cookie away, in one direction or the other", async () => {
  await spoiled(async (url) => finds(await look(url), /^no cookie comes with the answer/, /pass Set-Cookie/), {
    answer: (headers) => void delete headers["set-cookie"],
  });
  await spoiled(async (url) => finds(await look(url), /does not get its cookie back/, /pass the header field Cookie/), {
    request: (incoming) => void delete incoming.headers.cookie,
  });
});

test("7. the prefix is wrong, so a page of the site comes in the collector's place", async () =>
  finds(await look(`${healthy.url}/wrong`), /is no collector: it answered 404/, /the prefix that HILO_MOUNT names/));

test("8. the proxy lets every page read", () =>
  spoiled(async (url) => finds(await look(url), /pages of strangers may call/, /take access-control-allow-origin out/), {
    answer: (headers) => void (headers["access-control-allow-origin"] = "*"),
  }));

test("9. a wrong admin token is said so", async () =>
  finds(await look(`${healthy.url}/_h`, { token: "wrong" }), /the admin token does not count: unauthorized/, /Authorization: Bearer/));
