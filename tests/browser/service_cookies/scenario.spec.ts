/**
 * Promise: destinations get the ids that their services keep in cookies, from the first event on, of the cookies that the site names, each
 * for its purpose alone. Nothing is read before a grant or after a withdrawal, and the page stores none of them.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { eventually, startCollector } from "../../collector/mf.ts";
import { stubsConfig, stubsSecrets } from "../../stubs/configuration.ts";
import { startStubs } from "../../stubs/server.ts";
import { type Json, passed, startBrowser, startSite, withSnippet } from "../scenario.ts";

const COOKIES = {
  _ga: "GA1.1.1380133182.1764792191",
  _ga_ABC123: "GS2.1.s1764792195$o28$g0$t1764792195$j60$l0$h69286059",
  _fbp: "fb.0.1764792191000.1234567890",
  _fbc: "fb.0.1764792191000.IwAR2-Example_Click",
  session: "a-secret-of-the-site",
};
const NAMED = 'data-cookies="_ga _ga_ABC123 _fbp _fbc"';

const [browser, stubs] = await Promise.all([startBrowser(), startStubs()]);
const collector = await startCollector({ config: stubsConfig(), stubs: stubs.url, vars: stubsSecrets() });
const site = await startSite((path) => withSnippet("", path === "/named" ? NAMED : "", "wk_shop").replace("/_h/hilo.js", `${collector.url}/_h/hilo.js`));
after(async () => {
  await browser.close();
  await site.close();
  await collector.dispose();
  await stubs.close();
});

const stateOf = (kind: string) => stubs.state().vendors.find((one) => one.kind === kind)!.state as Json;

/** The names of acts at Google and Meta. */
const NAMES: Record<string, [google: string, meta: string]> = { "Signed Up": ["sign_up", "CompleteRegistration"], "Product Shared": ["share", ""] };

/** What Google and Meta took of an act. */
const taken = (act: string) => ({
  google: (stateOf("ga4")["hits"] as Json[]).filter((hit) => hit["name"] === NAMES[act]![0]),
  meta: (stateOf("meta")["events"] as Json[]).filter((event) => event["event_name"] === NAMES[act]![1]),
});

/** A page of a visitor with all cookies, and the bodies that it sends. */
async function visit(path: string) {
  const context = await browser.newContext();
  // The collector is at 127.0.0.1: for a browser `localhost` is another site.
  const url = site.url.replace("127.0.0.1", "localhost");
  await context.addCookies(Object.entries(COOKIES).map(([name, value]) => ({ name, value, url })));
  const page = await context.newPage();
  const bodies: string[] = [];
  page.on("request", (request) => request.method() === "POST" && bodies.push(request.postData() ?? ""));
  await page.goto(url + path);
  await page.waitForFunction(() => !(window as any).hilo.q);
  const decide = (call: string, purposes: string[]) => page.evaluate(([call, purposes]) => (window as any).hilo.consent[call as "grant"](...purposes!), [call, purposes] as const);
  const track = (name: string) => page.evaluate((name) => ((window as any).hilo.track(name), (window as any).hilo.flush()), name);
  return { page, bodies, decide, track };
}

/** The ids of other services in the envelopes of events. */
const told = (bodies: string[]) => bodies.filter((body) => body.includes('"batch":')).map((body) => JSON.parse(body).context.cookies ?? []);

test("Google and Meta get the ids of their cookies with the first event, and after a withdrawal none", async () => {
  const { page, bodies, decide, track } = await visit("/named");
  await decide("grant", ["analytics", "advertising"]);
  await track("Signed Up");
  const all = await eventually(async () => {
    const { google, meta } = taken("Signed Up");
    return google.length && meta.length ? { google: google[0]!, meta: meta[0]! } : undefined;
  });
  assert.deepEqual([all.google["client_id"], all.google["params"]["session_id"]], ["1380133182.1764792191", "1764792195"]);
  assert.deepEqual([all.meta["user_data"].fbp, all.meta["user_data"].fbc], [COOKIES._fbp, COOKIES._fbc]);
  assert.equal(told(bodies)[0].length, 4, "the first envelope has them");

  await decide("deny", ["advertising"]);
  await track("Signed Up");
  const { google, meta } = await eventually(async () => (taken("Signed Up").google.length > 1 ? taken("Signed Up") : undefined));
  assert.equal(google[1]!["client_id"], "1380133182.1764792191");
  assert.equal(meta.length, 1, "Meta gets no more");
  assert.deepEqual(told(bodies).at(-1).map((text: string) => text.trim().split("=")[0]), ["_ga", "_ga_ABC123"]);
  assert.ok(!bodies.join().includes(COOKIES.session), "no other cookie is read");
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(Object.values(COOKIES).every((value) => !stored.includes(value)), stored);

  const before = bodies.length;
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await track("Signed In");
  await passed(page, 500);
  assert.deepEqual(told(bodies.slice(before)), []);
  await page.context().close();
});

test("a site that names no cookie has none read", async () => {
  const { page, bodies, decide, track } = await visit("/");
  await decide("grant", ["analytics", "advertising"]);
  await track("Product Shared");
  const { google } = await eventually(async () => (taken("Product Shared").google.length ? taken("Product Shared") : undefined));
  assert.notEqual(google[0]!["client_id"], "1380133182.1764792191");
  assert.ok(!bodies.join().includes("cookies\":["), bodies.join("\n"));
  await page.context().close();
});
