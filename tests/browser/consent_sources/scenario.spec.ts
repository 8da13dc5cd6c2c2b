/**
 * Promise: where a consent tool asks the visitor, the page sends and stores nothing before the tool tells a grant, sends everything
 * after it, and has nothing left in the moment after the tool tells a withdrawal. The record names the tool.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { build } from "../../packages.ts";
import { leave, passed, startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { tools } from "./tools.ts";

type Json = any;

const browser = await startBrowser();
const bodies: Record<string, string> = {};
const site = await startSite((path) => {
  const [name = "", attributes = ""] = decodeURIComponent(path.slice(1)).split("|");
  return bodies[name]?.startsWith("<!doctype") ? bodies[name] : withSnippet(bodies[name] ?? "", attributes);
});
after(async () => {
  await browser.close();
  await site.close();
});

/** How long a page gets to do what it must not do. */
const PAUSE_MS = 700;
const pause = () => Promise.all(browser.contexts().flatMap((context) => context.pages()).map((page) => passed(page, PAUSE_MS)));

/** What of hilo's is in the page: the names of cookies and keys. */
const residue = async (page: Json) => {
  const cookies = (await page.context().cookies()).map((one: Json) => one.name).filter((name: string) => /hilo/.test(name));
  return [...cookies, ...(await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]))];
};

const state = (page: Json) => page.evaluate(() => (window as Json).hilo.consent.state());
const calls = () => site.sent.map(({ call }) => call);
const records = () => site.sent.filter(({ call }) => call === "consent").map(({ body }) => body);
const changes = () => records().flatMap((body) => body["consent"].changes.map((one: Json) => `${one.purpose} ${one.state} ${one.method}`));

/** Opens a page of a new visitor, with this attributes of hilo's tag. */
async function open(attributes: string, prepare: (page: Json) => Promise<unknown> = async () => {}, name = "") {
  const page: Json = await (await browser.newContext()).newPage();
  page.problems = [];
  page.on("pageerror", (error: Error) => page.problems.push(error.message));
  await prepare(page);
  site.sent.length = 0;
  await page.goto(`${site.url}/${encodeURIComponent(`${name}|${attributes}`)}`);
  await page.waitForFunction(() => !(window as Json).hilo.q);
  return page;
}

/** Asserts that hilo has done nothing. */
async function isSilent(page: Json) {
  await pause();
  assert.deepEqual(calls(), []);
  assert.deepEqual(await residue(page), []);
  assert.equal((await state(page)).analytics, "unset");
}

async function close(page: Json) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

/** Performs `act` in the page, and returns hilo's keys a tenth of a second later. */
const leftAfter = (page: Json, act: string) =>
  page.evaluate(async (act: string) => {
    new Function(act)();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter((key) => /^hilo/.test(key));
  }, act);

for (const [name, fixture] of Object.entries(tools)) {
  for (const order of ["before hilo", "long after hilo"]) {
    test(`${name}, which loads ${order}, holds everything, grants and withdraws`, async () => {
      const install = fixture.install.toString().replace(/^install/, "function install");
      const content = order === "before hilo" ? `(${install})()` : `addEventListener("load", () => setTimeout(${install}, 400))`;
      const page = await open(fixture.attributes, (page) => page.addInitScript({ content }));
      await page.evaluate(() => (window as Json).hilo.track("Product Viewed", { product_id: "1" }));
      await page.waitForFunction(() => (window as Json).tool);
      await isSilent(page);
      await page.evaluate(() => (window as Json).tool.accept());
      await until(() => site.events().length > 1);
      assert.deepEqual(site.events().map((event) => event["event"] ?? event["type"]).sort(), ["Product Viewed", "page"]);
      await until(() => records().length);
      assert.ok(changes().includes(`analytics granted ${fixture.method}`), changes().join("\n"));
      assert.ok(fixture.signal in records()[0]!["signals"], JSON.stringify(records()[0]!["signals"]));
      assert.ok(await page.evaluate(() => (window as Json).hilo.anonymousId()));
      site.sent.length = 0;
      const left = await leftAfter(page, "tool.reject()");
      assert.deepEqual(left.filter((key: string) => !/^hilo\.(c$|r\.d)/.test(key)), [], "the refusal alone is left");
      assert.equal((await state(page)).analytics, "denied");
      assert.equal(await page.evaluate(() => (window as Json).hilo.anonymousId()), null);
      await page.evaluate(() => (window as Json).hilo.track("Product Added"));
      await until(() => records().length);
      await pause();
      assert.deepEqual([...new Set(calls())], ["consent"]);
      assert.ok(changes().includes(`analytics denied ${fixture.method}`), changes().join("\n"));
      if (name === "iubenda") assert.equal(await page.evaluate(() => (window as Json).chained), 2, "the page's own callback is called");
      await close(page);
    });
  }
}

const resolveDir = new URL("../../../js/", import.meta.url).pathname;
/** A package for the page, as one script. */
async function bundled(contents: string) {
  const { outputFiles } = await build({ stdin: { contents, resolveDir }, bundle: true, format: "iife", write: false, logLevel: "silent" });
  return outputFiles![0]!.text;
}
const TCF = await bundled('import { CmpApi } from "@iabtcf/cmpapi"; window.CmpApi = CmpApi;');
const GPP = await bundled('import { CmpApi } from "@iabgpp/cmpapi"; window.GppApi = CmpApi;');
const ACCEPT_ALL = "CQt-4cAQt-4cAAfABBENB4FgAP_gAAAAAAiQGMwAgF5gMZAAAAAA.IGMwAgF5gMZA.cGAAAAAAAAAA";
const REJECT_ALL = "CQt-4cAQt-4cAAfABBENB4FgAAAAAAAAAAiQAAAAAAAA.IGMwAgF5gMZA.YAAAAAAAAAAA";
const UNDISCLOSED = "CQt-4cAQt-4cAAfABBENB4FgAIEAAAAAAAiQGMwAQGMgAAAA";
/** The stub of TCF, which keeps what it is asked until the tool has loaded. */
const STUB = `(() => { const asked = []; window.__tcfapi = (...call) => { if (!call.length) return asked; if (call[0] === "ping") call[2]({ gdprLoaded: false, cmpLoaded: false, cmpStatus: "stub", apiVersion: "2.2" }, true); else asked.push(call); }; })();`;

/** Tools whose rules for the visitor's region ask for objections only: what they call accepted is a default. */
const OPT_OUT: Record<string, () => void> = {
  complianz() {
    const w = window as Json;
    let has = true;
    Object.assign(w, { complianz: { consenttype: "optout" }, cmplz_has_consent: () => has, cmplz_get_banner_status: () => "dismissed" });
    w.object = () => ((has = false), document.dispatchEvent(new Event("cmplz_status_change")));
  },
  cookieyes() {
    const w = window as Json;
    const told = { activeLaw: "ccpa", isUserActionCompleted: true, categories: { analytics: true, advertisement: true } };
    w.getCkyConsent = () => told;
    w.object = () => ((told.categories.analytics = false), document.dispatchEvent(new Event("cookieyes_consent_update")));
  },
  onetrust() {
    const w = window as Json;
    w.OneTrust = { IsAlertBoxClosed: () => true, GetDomainData: () => ({ ConsentModel: { Name: "opt-out" } }) };
    w.OnetrustActiveGroups = ",C0001,C0002,C0003,C0004,";
    w.object = () => ((w.OnetrustActiveGroups = ",C0001,"), w.dispatchEvent(new Event("OneTrustGroupsUpdated")));
  },
};

for (const [name, install] of Object.entries(OPT_OUT)) {
  test(`${name} grants nothing where it asks for objections only, and an objection counts`, async () => {
    const content = `(${install.toString().replace(/^(function )?/, "function ")})()`;
    const page = await open(`data-consent="${name}"`, (page) => page.addInitScript({ content }));
    await page.evaluate(() => (window as Json).hilo.track("Product Viewed"));
    await isSilent(page);
    await page.evaluate(() => (window as Json).object());
    await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics === "denied");
    await close(page);
  });
}

test("the IAB's own library of TCF drives hilo, found without a name: stub, open panel, grant, reopened panel, withdrawal", async () => {
  const page = await open("", (page) => page.addInitScript({ content: `${STUB}\n${TCF}` }));
  await page.evaluate(() => (window as Json).hilo.track("Product Viewed"));
  await isSilent(page);
  await page.evaluate(() => ((window as Json).cmp = new (window as Json).CmpApi(31, 1, true)).update("", true));
  await isSilent(page);
  await page.evaluate((string: string) => (window as Json).cmp.update(string, true), ACCEPT_ALL);
  await isSilent(page);
  await page.evaluate((string: string) => (window as Json).cmp.update(string, false), ACCEPT_ALL);
  await until(() => site.events().length > 1 && records().length);
  assert.equal((await state(page)).analytics, "granted", "the publisher has purposes 1, 7 and 8");
  assert.equal((await state(page)).advertising, "denied");
  assert.ok(changes().includes("analytics granted tcf"));
  assert.deepEqual(records()[0]!["signals"], { tcf: ACCEPT_ALL });
  await page.evaluate((string: string) => (window as Json).cmp.update(string, true), ACCEPT_ALL);
  assert.equal((await state(page)).analytics, "granted", "a reopened panel is no choice");
  site.sent.length = 0;
  await page.evaluate((string: string) => ((window as Json).no = string), REJECT_ALL);
  const left = await leftAfter(page, "cmp.update(no, false)");
  assert.deepEqual(left.filter((key: string) => !/^hilo\.(c$|r\.d)/.test(key)), []);
  await until(() => records().length);
  await pause();
  assert.deepEqual(calls(), ["consent"]);
  assert.deepEqual(changes(), ["functional denied tcf", "analytics denied tcf"]);
  await close(page);
});

test("a vendor of TCF needs its own consent and disclosure, which the library has at another place than the specification", async () => {
  for (const [string, analytics, advertising] of [[ACCEPT_ALL, "granted", "granted"], [UNDISCLOSED, "denied", "denied"]] as const) {
    const page = await open('data-vendor="793"', (page) => page.addInitScript({ content: `${STUB}\n${TCF}` }));
    await page.evaluate((string: string) => new (window as Json).CmpApi(31, 1, true).update(string, false), string);
    await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics !== "unset");
    const { analytics: one, advertising: two } = await state(page);
    assert.deepEqual([one, two], [analytics, advertising]);
    await close(page);
  }
});

test("TCF that does not apply grants nothing, and the site's own call comes before a tool without an answer", async () => {
  const page = await open("", (page) => page.addInitScript({ content: `${STUB}\n${TCF}` }));
  await page.evaluate(() => (window as Json).hilo.track("Product Viewed"));
  await isSilent(page);
  await page.evaluate(() => new (window as Json).CmpApi(31, 1, true).update(null));
  await isSilent(page);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await until(() => site.events().length && records().length);
  assert.ok(changes().includes("analytics granted api"), changes().join("\n"));
  await close(page);
  const early = await open("", (page) => page.addInitScript({ content: `${STUB}\naddEventListener("DOMContentLoaded", () => hilo.consent.grant("analytics"));` }));
  await until(() => site.events().length && records().length);
  assert.equal((await state(early)).analytics, "granted");
  await close(early);
});

test("a stored grant lets nothing out on the next page before the tool answers, and its denial comes first", async () => {
  const page = await open("", (page) => page.addInitScript({ content: `${STUB}\n${TCF}` }));
  await page.evaluate((string: string) => new (window as Json).CmpApi(31, 1, true).update(string, false), ACCEPT_ALL);
  await until(() => site.events().length && records().length);
  await pause();
  site.sent.length = 0;
  await leave(page, 'location.href = "/two"');
  await page.waitForURL("**/two");
  await page.waitForFunction(() => !(window as Json).hilo.q);
  await page.evaluate(() => (window as Json).hilo.track("Product Viewed"));
  await pause();
  assert.deepEqual(calls(), []);
  assert.equal(await page.evaluate(() => (window as Json).hilo.anonymousId()), null);
  await page.evaluate((string: string) => new (window as Json).CmpApi(31, 1, true).update(string, false), REJECT_ALL);
  await until(() => site.sent.length);
  await pause();
  assert.deepEqual([...new Set(calls())], ["consent"]);
  await until(async () => JSON.stringify(await residue(page)) === '["hilo.c"]');
  await close(page);
});

test("a page in a frame asks the tool of the page above through its locator frame", async () => {
  bodies["child"] = "";
  bodies["parent"] = `<!doctype html><title>above</title><script>
    let answer, id;
    addEventListener("message", ({ data, source }) => {
      const call = data.__tcfapiCall;
      if (!call) return;
      window.answer = (eventStatus, yes) => source.postMessage({ __tcfapiReturn: { returnValue: { eventStatus, cmpStatus: "loaded", gdprApplies: true, tcString: "C", listenerId: 1,
        purpose: { consents: {} }, vendor: { consents: {} }, publisher: { consents: { 1: yes, 8: yes } } }, success: true, callId: call.callId } }, "*");
      answer("cmpuishown", true);
    });
  </script><iframe name="__tcfapiLocator" hidden></iframe><iframe name="child" src="/child"></iframe>`;
  const page: Json = await (await browser.newContext()).newPage();
  site.sent.length = 0;
  await page.goto(`${site.url}/parent`);
  await page.waitForFunction(() => (window as Json).answer);
  await pause();
  assert.deepEqual(calls(), []);
  await page.evaluate(() => (window as Json).answer("useractioncomplete", true));
  await until(() => site.events().length);
  assert.equal(site.events()[0]!["context"].page.path, "/child");
  await page.context().close();
});

test("the IAB's own library of GPP drives hilo: 1 is an opt-out, 2 grants nothing, and nothing new flows while it changes", async () => {
  const page = await open("", (page) =>
    page.addInitScript({ content: `${GPP}\nwindow.gpp = new GppApi(31, 1); gpp.setSupportedAPIs(["7:usnat"]); gpp.setApplicableSections([7]); gpp.setCmpStatus("loaded"); gpp.setSignalStatus("not ready");` }));
  const opt = (sale: number, ads: number, gpc: boolean) =>
    page.evaluate(
      ([sale, ads, gpc]: Json) => {
        const { gpp } = window as Json;
        gpp.setSignalStatus("not ready");
        const fields = { SaleOptOutNotice: 1, SharingOptOutNotice: 1, TargetedAdvertisingOptOutNotice: 1, SaleOptOut: sale, SharingOptOut: sale, TargetedAdvertisingOptOut: ads, MspaCoveredTransaction: 2, Gpc: gpc };
        for (const [name, value] of Object.entries(fields)) gpp.setFieldValue("usnat", name, value);
        gpp.fireSectionChange("usnat");
        gpp.setSignalStatus("ready");
      },
      [sale, ads, gpc],
    );
  const choices = async () => {
    const { advertising, sale_share } = await state(page);
    return [advertising, sale_share];
  };
  await isSilent(page);
  await opt(2, 2, false);
  await isSilent(page);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await until(() => site.events().length);
  assert.deepEqual(await choices(), ["unset", "unset"], "who did not opt out has granted nothing");
  await page.evaluate(() => (window as Json).hilo.consent.grant("advertising", "sale_share"));
  assert.deepEqual(await choices(), ["granted", "granted"]);
  await page.evaluate(() => (window as Json).gpp.setSignalStatus("not ready"));
  assert.deepEqual(await choices(), ["unset", "unset"]);
  await opt(1, 2, false);
  assert.deepEqual(await choices(), ["granted", "denied"]);
  await opt(2, 2, true);
  assert.deepEqual(await choices(), ["denied", "denied"]);
  await until(() => changes().includes("sale_share denied gpp"));
  await pause();
  assert.match(records().at(-1)!["signals"].gpp, /^DBABLA~/);
  await close(page);
});

test("C22: a default of Consent Mode is no choice, and a stored choice counts on a page whose default grants", async () => {
  bodies["defaults"] = `<script>window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }
    gtag("consent", "default", { analytics_storage: "granted", ad_storage: "denied" });
    dataLayer.push(["consent", "default", { functionality_storage: "granted" }]);</script>`;
  const attributes = 'data-consent="consent_mode"';
  const page = await open(attributes, undefined, "defaults");
  await isSilent(page);
  await page.evaluate(() => (window as Json).dataLayer.push(["consent", "update", { analytics_storage: "granted", ad_storage: "denied" }]));
  await until(() => site.events().length);
  const { analytics, advertising } = await state(page);
  assert.deepEqual([analytics, advertising], ["granted", "denied"]);
  await pause();
  site.sent.length = 0;
  await page.reload();
  await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics === "granted");
  await until(() => site.events().length);
  await close(page);
});

test("hilo tells Google's tags: everything denied at first, then each choice, in order", async () => {
  const page = await open('data-emit="consent_mode"');
  const told = () => page.evaluate(() => ((window as Json).dataLayer ?? []).map((entry: Json) => Array.from(entry)));
  await page.waitForFunction(() => (window as Json).dataLayer?.length === 2);
  await isSilent(page);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics", "advertising"));
  await page.evaluate(() => (window as Json).hilo.consent.grant("personalization"));
  await page.evaluate(() => (window as Json).hilo.consent.withdraw());
  const states = (granted: string) => {
    const keys = "ad_storage ad_user_data ad_personalization analytics_storage functionality_storage personalization_storage security_storage".split(" ");
    return Object.fromEntries(keys.map((key) => [key, granted.split(" ").includes(key) ? "granted" : "denied"]));
  };
  assert.deepEqual(await told(), [
    ["consent", "default", { ...states("security_storage"), wait_for_update: 500 }],
    ["set", "ads_data_redaction", true],
    ["consent", "update", states("security_storage analytics_storage ad_storage ad_user_data")],
    ["consent", "update", states("security_storage analytics_storage ad_storage ad_user_data ad_personalization personalization_storage")],
    ["consent", "update", states("security_storage")],
  ]);
  await close(page);
});

test("with `api` as the source the site's own calls decide beside a stub that nobody replaces", async () => {
  for (const source of ["api", "api tcf"]) {
    const page = await open(`data-consent="${source}"`, (page) => page.addInitScript({ content: STUB }));
    await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
    await until(() => site.events().length);
    assert.equal((await state(page)).analytics, "granted");
    await close(page);
  }
});

test("a tool that is configured and never comes lets nothing out", async () => {
  const page = await open('data-consent="onetrust"');
  await page.evaluate(() => (window as Json).hilo.track("Product Viewed"));
  await site.quiet();
  await isSilent(page);
  await close(page);
});

test("Do Not Track is obeyed where the site wants that, until the visitor grants", async () => {
  const prepare = (page: Json) => page.addInitScript(() => Object.defineProperty(navigator, "doNotTrack", { value: "1" }));
  const page = await open("data-dnt", prepare);
  assert.deepEqual([(await state(page)).analytics, (await state(page)).functional], ["denied", "unset"]);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  assert.equal((await state(page)).analytics, "granted");
  await close(page);
  const other = await open("", prepare);
  assert.equal((await state(other)).analytics, "unset", "off by default");
  await close(other);
});
