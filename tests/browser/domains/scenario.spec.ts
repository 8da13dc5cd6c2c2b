/**
 * Promise: a visitor who follows a link from one site of the owner to another one keeps the anonymous id, whatever way the link is
 * followed. No event, no copied link and no address bar holds the token. Without a grant, a listed site before and the
 * collector's answer the page goes on with its own id.
 *
 * The two sites are two hosts of this machine: `127.0.0.1` and `localhost`.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { bound, isBound, leave, MORE, startBrowser, startSite, until, withSnippet } from "../scenario.ts";

type Json = any;

const LISTED = 'data-domains="localhost 127.0.0.1"';
const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const other = () => site.url.replace("127.0.0.1", "localhost");
const links = () => `<a id="link" href="${other()}/b">The other site</a> <a id="granted" href="${other()}/granted">The other site, with consent</a>
<a id="fragment" href="${other()}/b#part">A part of it</a> <a id="stopped" href="${other()}/b">Stopped</a> <x-card></x-card>
<script>document.getElementById("stopped").addEventListener("click", (event) => event.preventDefault());
customElements.define("x-card", class extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = '<a id="deep" href="${other()}/granted">Deep</a>'; }
});</script>`;
const PAGES: Record<string, () => [body: string, attributes: string]> = {
  "/a": () => [links() + GRANT, LISTED],
  "/unlisted": () => [links() + GRANT, ""],
  "/undecided": () => [links(), LISTED],
  "/b": () => ["", LISTED],
  "/granted": () => [GRANT, LISTED],
  "/routes": () => [GRANT, `${LISTED} data-pages="hash"`],
  "/plain": () => [GRANT, ""],
  "/tool": () => ["", `${LISTED} data-consent="cookiebot"`],
  "/views-off": () => [GRANT, `${LISTED} data-pages="off"`],
};
const browser = await startBrowser();
const site = await startSite((path) => withSnippet(...(PAGES[path]?.() ?? ["", LISTED])));
after(async () => {
  await browser.close();
  await site.close();
});

const calls = (name: string) => site.sent.filter(({ call }) => call === name);
const idOf = (page: Json) => page.evaluate(() => (window as Json).hilo.anonymousId());
/** Paths and ids of the page views that came, each once. */
const views = () => [...new Map(site.events().filter(({ type }) => type === "page").map((event) => [event["messageId"], event])).values()];
const viewsAt = (path: string) => views().filter((event) => event["context"].page.path === path);
const pause = () => new Promise((resolve) => setTimeout(resolve, 700));

/** A page of a new visitor, who has consented on the first site. */
async function visit(path = "/a", prepare: (page: Json) => Promise<unknown> = async () => {}) {
  site.answer(() => ({ status: 200 }));
  site.sent.length = 0;
  const context: Json = await browser.newContext();
  const page: Json = await context.newPage();
  const problems: string[] = [];
  for (const one of [page]) one.on("pageerror", (error: Error) => problems.push(error.message));
  context.on("page", (one: Json) => one.on("pageerror", (error: Error) => problems.push(error.message)));
  await prepare(page);
  await bound(page, () => page.goto(site.url + path));
  if (path === "/a") await page.waitForFunction(() => (window as Json).hilo.anonymousId());
  const close = async () => {
    assert.deepEqual(problems, []);
    await context.close();
    // No call but the one that is for it holds a token.
    const rest = site.sent.filter(({ call }) => call !== "adopt");
    assert.doesNotMatch(JSON.stringify(rest.map(({ body, headers }) => [body, headers])), /tok_|hilo=/);
  };
  return { page, context, close, id: await idOf(page) };
}

/** Waits for a token by `sign`, such as the pointer over the link. */
async function ready(page: Json, sign: () => Promise<unknown>) {
  await Promise.all([page.waitForResponse((response: Json) => response.url().endsWith("/v1/handoff")), sign()]);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
}

/** Follows a link of the first site in this tab. */
async function follow(page: Json, link: string, to: string, sign = () => page.hover(link)) {
  await ready(page, sign);
  await page.click(link);
  await page.waitForURL(`**${to}`);
}

test("a link hands the visitor over, and the other site has a clean address and no other id", async () => {
  const { page, id, close } = await visit();
  await follow(page, "#granted", "/granted");
  await until(() => viewsAt("/granted").length);
  assert.deepEqual(viewsAt("/granted").map((event) => event["anonymousId"]), [id]);
  assert.equal(await page.evaluate(() => location.href), `${other()}/granted`);
  assert.equal(await idOf(page), id);
  const [{ body, headers } = assert.fail()] = calls("handoff");
  assert.deepEqual([body, headers["x-hilo"]], [{ writeKey: "wk_t", anonymousId: id, to: other() }, "1"]);
  const [adopted = assert.fail()] = calls("adopt");
  const { consent, ...rest } = adopted.body;
  assert.deepEqual([rest, adopted.headers["x-hilo"]], [{ writeKey: "wk_t", token: `tok_${id}` }, "1"]);
  assert.deepEqual(consent.categoryPreferences, { functional: true, analytics: true });
  await site.quiet();
  assert.deepEqual([calls("handoff").length, calls("adopt").length], [1, 1]);
  assert.equal(viewsAt("/granted")[0]!["context"].page.url, `${other()}/granted`);
  // The receipt is about the id that was handed over.
  assert.deepEqual(calls("consent").map((one) => one.body["anonymousId"] ?? one.body["spareId"]), [id, id]);
  await close();
});

for (const [how, act] of [
  ["Enter", async (page: Json) => (await page.focus("#granted"), await page.keyboard.press("Enter"))],
  ["a click in a shadow root", async (page: Json) => page.click("#deep")],
] as const) {
  test(`${how} hands the visitor over`, async () => {
    const { page, id, close } = await visit();
    await ready(page, () => (how === "Enter" ? page.focus("#granted") : page.hover("#deep")));
    await act(page);
    await page.waitForURL("**/granted");
    await until(() => viewsAt("/granted").length);
    assert.deepEqual(viewsAt("/granted").map((event) => event["anonymousId"]), [id]);
    await close();
  });
}

for (const [how, options] of [
  ["Ctrl", { modifiers: ["Control"] }],
  ["the middle button", { button: "middle" }],
] as const) {
  test(`a click with ${how} hands the visitor over in another tab, and the link holds no token after it`, async () => {
    const { page, context, id, close } = await visit();
    await ready(page, () => page.hover("#granted"));
    const [tab] = await Promise.all([context.waitForEvent("page"), page.click("#granted", options)]);
    await until(() => viewsAt("/granted").length);
    assert.deepEqual(viewsAt("/granted").map((event) => event["anonymousId"]), [id]);
    assert.equal(await tab.evaluate(() => location.hash), "");
    assert.equal(await page.getAttribute("#granted", "href"), `${other()}/granted`);
    await close();
  });
}

test("a pointer that goes over links many times asks once, and a cancelled click uses no token", async () => {
  const { page, id, close } = await visit();
  await ready(page, () => page.hover("#stopped"));
  for (const link of ["#granted", "#link", "#fragment", "#stopped", "#link"]) await page.hover(link);
  await page.click("#stopped");
  await pause();
  assert.equal(await page.getAttribute("#stopped", "href"), `${other()}/b`);
  assert.equal(calls("handoff").length, 1);
  await page.click("#granted");
  await page.waitForURL("**/granted");
  await until(() => viewsAt("/granted").length);
  assert.deepEqual([viewsAt("/granted")[0]!["anonymousId"], calls("handoff").length], [id, 1]);
  await close();
});

test("a link with a fragment of its own is left as it is", async () => {
  const { page, close } = await visit();
  await page.hover("#fragment");
  await page.click("#fragment");
  await page.waitForURL("**/b#part");
  await isBound(page);
  await pause();
  assert.equal(await page.evaluate(() => location.hash), "#part");
  assert.deepEqual([calls("handoff"), calls("adopt")], [[], []]);
  await close();
});

test("the id that a visitor had on the other site is replaced, in its other tabs too", async () => {
  const { page, context, id, close } = await visit();
  const tab = await context.newPage();
  await bound(tab, () => tab.goto(`${other()}/granted`));
  await tab.waitForFunction(() => (window as Json).hilo.anonymousId());
  const own = await idOf(tab);
  assert.notEqual(own, id);
  await site.quiet();
  site.sent.length = 0;
  await follow(page, "#link", "/b");
  await until(() => viewsAt("/b").length);
  assert.deepEqual(viewsAt("/b").map((event) => event["anonymousId"]), [id]);
  await tab.waitForFunction((id: string) => (window as Json).hilo.anonymousId() === id, id);
  await site.quiet();
  assert.doesNotMatch(JSON.stringify(site.events()), new RegExp(own));
  await close();
});

test("where fragments are routes, no view has the token", async () => {
  const { page, id, close } = await visit();
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/routes`);
  await follow(page, "#link", "/routes");
  await until(() => viewsAt("/routes").length);
  await site.quiet();
  assert.deepEqual(viewsAt("/routes").map((event) => [event["anonymousId"], event["context"].page.url]), [[id, `${other()}/routes`]]);
  await close();
});

for (const [what, referer] of [
  ["a page that nothing leads to", undefined],
  ["a site that is not listed", "http://stranger.example/"],
] as const) {
  test(`a token from ${what} is dropped`, async () => {
    const { page, id, close } = await visit();
    await page.goto("about:blank");
    await page.goto(`${other()}/granted#hilo=tok_${id}`, { referer });
    await until(() => viewsAt("/granted").length);
    assert.notEqual(viewsAt("/granted")[0]!["anonymousId"], id);
    assert.equal(await page.evaluate(() => location.hash), "");
    await site.quiet();
    assert.deepEqual(calls("adopt"), []);
    await close();
  });
}

test("a refusal of the collector leaves the page its own id", async () => {
  const { page, id, close } = await visit();
  site.answer(({ call }) => (call === "adopt" ? { status: 403, body: { error: { code: "handoff_used", message: "used" } } } : { status: 200 }));
  await follow(page, "#granted", "/granted");
  await until(() => viewsAt("/granted").length);
  assert.notEqual(viewsAt("/granted")[0]!["anonymousId"], id);
  assert.equal(calls("adopt").length, 1);
  await close();
});

test("a token that proves the id in the place of a cookie comes with the visitor", async () => {
  const { page, id, close } = await visit();
  site.answer(({ call, body }) => (call === "adopt" ? { status: 200, body: { anonymousId: body["token"].slice(4), token: "proof1", revision: 0, denied: [], settings: {} } } : { status: 200 }));
  await follow(page, "#granted", "/granted");
  await until(() => calls("consent").some(({ headers }) => headers["x-hilo-auth"]));
  assert.deepEqual(calls("consent").at(-1)!.headers["x-hilo-auth"], "proof1");
  assert.deepEqual(await page.evaluate(() => [localStorage["hilo.p"], localStorage["hilo.id"]]), ["proof1", id]);
  await close();
});

/** Lets the test end the minute for which a token holds. */
const minute = (page: Json) =>
  page.addInitScript(() => {
    const own = setTimeout;
    (window as Json).setTimeout = (act: () => void, ms: number, ...rest: unknown[]) => (ms === 60_000 ? (((window as Json).passMinute = act), 0) : own(act, ms, ...rest));
  });

test("an answer within a minute hands over, and nothing is sent or stored before", async () => {
  const { page, id, close } = await visit("/a", minute);
  await follow(page, "#link", "/b");
  await isBound(page);
  site.sent.length = 0;
  await pause();
  assert.deepEqual([site.sent.length, await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage }))], [0, []]);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await until(() => viewsAt("/b").length);
  assert.deepEqual(viewsAt("/b").map((event) => event["anonymousId"]), [id]);
  assert.equal(await page.evaluate(() => (window as Json).hilo.consent.state().analytics), "granted");
  await until(() => calls("consent").length);
  assert.deepEqual(calls("consent").map(({ body }) => body["anonymousId"]), [id]);
  await close();
});

test("an answer after a minute finds no token, and the page has its own id", async () => {
  const { page, id, close } = await visit("/a", minute);
  await follow(page, "#link", "/b");
  await isBound(page);
  await page.evaluate(() => (window as Json).passMinute());
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await until(() => viewsAt("/b").length);
  assert.notEqual(viewsAt("/b")[0]!["anonymousId"], id);
  assert.deepEqual(calls("adopt"), []);
  await close();
});

test("a denial hands nothing over, before and during the collector's answer", async () => {
  for (const isLate of [false, true]) {
    const { page, context, close } = await visit();
    let answer = () => {};
    await context.route("**/v1/adopt", (route: Json) => void (answer = () => route.continue().catch(() => {})));
    await follow(page, "#link", "/b");
    await isBound(page);
    site.sent.length = 0;
    if (isLate) {
      await Promise.all([page.waitForRequest("**/v1/adopt"), page.evaluate(() => (window as Json).hilo.consent.grant("analytics"))]);
    }
    await page.evaluate(() => (window as Json).hilo.consent.deny("functional", "analytics"));
    answer();
    await site.quiet();
    assert.deepEqual(site.sent.filter(({ call }) => call !== "adopt" && call !== "consent"), []);
    const keys = await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage }).filter((key) => !/^hilo\.(c|r\.d\d+)$/.test(key)));
    assert.deepEqual([keys, await idOf(page)], [[], null]);
    await close();
  }
});

/** What Cookiebot's page has: nothing chosen, everything granted or denied. */
const cookiebot = (page: Json, choice: "unset" | "granted" | "denied") =>
  page.evaluate((choice: string) => {
    const yes = choice === "granted";
    (window as Json).Cookiebot = { hasResponse: choice !== "unset", consent: { preferences: yes, statistics: yes, marketing: yes, method: "explicit" } };
    dispatchEvent(new Event("CookiebotOnConsentReady"));
  }, choice);

test("a consent tool that grants on the other site hands over, at the visitor's next visit too", async () => {
  const { page, id, close } = await visit();
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/tool`);
  await follow(page, "#link", "/tool");
  await isBound(page);
  await cookiebot(page, "unset");
  await pause();
  assert.deepEqual(calls("adopt"), []);
  await cookiebot(page, "granted");
  await until(() => viewsAt("/tool").length && calls("consent").length);
  assert.deepEqual(viewsAt("/tool").map((event) => event["anonymousId"]), [id]);
  assert.deepEqual(calls("adopt").map(({ body }) => body["consent"].categoryPreferences.analytics), [true]);
  assert.ok(calls("consent").some(({ body }) => body["consent"].changes.some((one: Json) => one.purpose === "analytics" && one.method === "tool")));
  await site.quiet();
  // The first site has another visitor now: nobody but the tool tells on the other one that the earlier choice still holds.
  await page.goto(site.url + "/a");
  await isBound(page);
  await page.evaluate(() => (window as Json).hilo.reset());
  await page.waitForFunction((id: string) => ![null, id].includes((window as Json).hilo.anonymousId()), id);
  const next = await idOf(page);
  site.sent.length = 0;
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/tool`);
  await follow(page, "#link", "/tool");
  await isBound(page);
  await cookiebot(page, "granted");
  await until(() => viewsAt("/tool").length);
  assert.deepEqual(viewsAt("/tool").map((event) => event["anonymousId"]), [next]);
  await cookiebot(page, "denied");
  await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics === "denied");
  await close();
});

test("a consent tool that denies on the other site hands nothing over", async () => {
  const { page, close } = await visit();
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/tool`);
  await follow(page, "#link", "/tool");
  await isBound(page);
  site.sent.length = 0;
  await cookiebot(page, "denied");
  await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics === "denied");
  await pause();
  assert.deepEqual(site.sent.filter(({ call }) => call !== "consent"), []);
  await close();
});

test("a logout on the first site leaves no token of the visitor who was there", async () => {
  const { page, id, close } = await visit();
  await ready(page, () => page.hover("#granted"));
  await page.evaluate(() => (window as Json).hilo.reset());
  await page.waitForFunction((id: string) => ![null, id].includes((window as Json).hilo.anonymousId()), id);
  await page.evaluate(() => document.getElementById("granted")!.click());
  await page.waitForURL("**/granted");
  await until(() => viewsAt("/granted").length);
  assert.notEqual(viewsAt("/granted")[0]!["anonymousId"], id);
  assert.deepEqual(calls("adopt"), []);
  await close();
});

test("a page without captured views, whose events have its own id, drops the token", async () => {
  const { page, id, close } = await visit();
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/views-off`);
  await follow(page, "#link", "/views-off");
  await isBound(page);
  await page.evaluate(() => (window as Json).hilo.track("Seen"));
  await until(() => site.events().some(({ event }) => event === "Seen"));
  assert.equal(await page.evaluate(() => location.hash), "");
  assert.notEqual(site.events().find(({ event }) => event === "Seen")!["anonymousId"], id);
  assert.deepEqual(calls("adopt"), []);
  await close();
});

test("a page that is left while the collector's answer is on its way loses no view", async () => {
  const { page, context, id, close } = await visit();
  let isAsked = false;
  await context.route("**/v1/adopt", () => void (isAsked = true));
  await follow(page, "#granted", "/granted");
  await until(() => isAsked);
  await leave(page, 'location.href = "/plain"');
  await page.waitForURL("**/plain");
  await until(() => viewsAt("/granted").length);
  assert.notEqual(viewsAt("/granted")[0]!["anonymousId"], id);
  await close();
});

test("where the second file does not load, the view leaves after five and a half seconds with the page's own id", async () => {
  const { page, id, close } = await visit();
  await page.route(`${other()}/**`, (route: Json) => (MORE.test(route.request().url()) ? route.abort() : route.continue()));
  // The address keeps the token, which is of no use to anybody else.
  await follow(page, "#granted", "/granted#hilo=*");
  await until(() => viewsAt("/granted").length);
  assert.notEqual(viewsAt("/granted")[0]!["anonymousId"], id);
  assert.deepEqual(calls("adopt"), []);
  await close();
});

test("without the list nothing is asked, and no view waits", async () => {
  const { page, id, close } = await visit("/unlisted");
  await page.hover("#granted");
  await page.click("#granted");
  await page.waitForURL("**/granted");
  await page.goBack();
  await page.evaluate((url: string) => document.getElementById("link")!.setAttribute("href", url), `${other()}/plain#hilo=tok_${id}`);
  await page.click("#link");
  await page.waitForURL("**/plain#hilo=*");
  await page.waitForFunction(() => (window as Json).hilo.anonymousId?.());
  assert.deepEqual([calls("handoff"), calls("adopt")], [[], []]);
  assert.match(await page.evaluate(() => location.hash), /^#hilo=/);
  await page.context().close();
  void close;
});

test("a visitor without an answer gets no token on the first site", async () => {
  const { page, close } = await visit("/undecided");
  await page.hover("#link");
  await pause();
  await page.click("#link");
  await page.waitForURL("**/b");
  await pause();
  assert.deepEqual(site.sent, []);
  await close();
});
