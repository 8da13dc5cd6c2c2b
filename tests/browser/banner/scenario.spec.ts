/**
 * Promise: the banner asks while a purpose is unset, takes each answer by one act, and grants nothing by itself. Each receipt has the
 * version of the notice, and nothing is stored or sent before an answer. All on a page with a strict content security policy.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, beforeEach, test } from "node:test";

import { until } from "../scenario.ts";
import { browser, choices, focused, site, visit, type Page } from "./site.ts";

const UNSET = Array(4).fill("unset");
const GRANTED = Array(4).fill("granted");
const DENIED = Array(4).fill("denied");

after(async () => {
  await browser.close();
  await site.close();
});
beforeEach(() => void (site.sent.length = 0));

const asks = (page: Page) => page.locator("section").isVisible();
const isOpen = (page: Page) => page.locator("dialog").isVisible();
const hides = (page: Page) => page.waitForSelector("section", { state: "hidden" });
const boxes = (page: Page) => page.locator("dialog input").evaluateAll((all: Element[]) => all.map((box) => (box as HTMLInputElement).checked));
const residue = (page: Page) => page.evaluate(() => [document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter(Boolean));
/** Presses the keys in order, and gives what has the focus after each. */
async function press(page: Page, ...keys: string[]) {
  const path: string[] = [];
  for (const key of keys) {
    await page.keyboard.press(key);
    path.push(await focused(page));
  }
  return path;
}

test("before an answer nothing is stored or sent, and neither Escape nor scrolling nor ten idle minutes are an answer", async () => {
  const { page, context, faults } = await visit("/en/1");
  await page.clock.install();
  await page.reload();
  await page.waitForFunction(() => !(window as any).hilo.q && (window as any).hilo.banner);
  assert.equal(await asks(page), true);
  await page.locator("section [part=reject]").focus();
  await page.keyboard.press("Escape");
  await page.mouse.wheel(0, 900);
  await page.clock.runFor(10 * 60_000);
  assert.equal(await asks(page), true, "the first layer stays");
  assert.deepEqual(await choices(page), UNSET);
  assert.deepEqual(await residue(page), []);
  assert.deepEqual(site.sent, []);
  assert.equal(await page.locator("section button").count(), 3, "there is no X");
  assert.deepEqual(faults, [], "the content security policy has nothing to refuse");
  await context.close();
});

test("one click accepts all, and one click rejects all", async () => {
  for (const [part, expected] of [["accept", GRANTED], ["reject", DENIED]] as const) {
    const { page, context, faults } = await visit("/en/1");
    await page.locator(`section [part=${part}]`).click();
    await hides(page);
    assert.deepEqual(await choices(page), expected);
    await page.reload();
    await page.waitForFunction(() => !(window as any).hilo.q && (window as any).hilo.banner);
    assert.equal(await asks(page), false, "an answered visitor is not asked on the next page");
    assert.deepEqual(faults, []);
    await context.close();
  }
});

test("accept, reject and choose are equally prominent", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, context } = await visit("/es/1", { viewport: { width: 390, height: 844 }, colorScheme });
    const looks = await page.locator("section button").evaluateAll((all: Element[]) =>
      all.map((button) => {
        const { fontSize, fontWeight, padding, color, backgroundColor, border, borderRadius } = getComputedStyle(button);
        const { width, height } = button.getBoundingClientRect();
        return { look: [fontSize, fontWeight, padding, color, backgroundColor, border, borderRadius, height].join(), width, height, parent: button.parentElement!.className };
      }),
    );
    assert.equal(new Set(looks.map((one) => one.look)).size, 1);
    assert.deepEqual(looks.map((one) => one.parent), Array(3).fill("answers"));
    assert.equal(looks[0]!.width, looks[1]!.width, "reject and accept have the same width");
    for (const { height, width } of looks) assert.ok(height >= 44 && width >= 44);
    await context.close();
  }
});

test("the banner takes no focus, is announced, and is answered by the keyboard alone", async () => {
  const { page, context } = await visit("/en/1");
  assert.equal(await focused(page), "BODY");
  await page.waitForFunction(() => document.querySelector("hilo-banner")!.shadowRoot!.querySelector("[role=status]")!.textContent!.startsWith("Your privacy, your choice."));
  assert.deepEqual(await press(page, "Tab", "Tab", "Tab", "Tab", "Tab"), ["more", "reject", "accept", "choose", "one"]);
  assert.deepEqual(await press(page, "Shift+Tab", "Enter"), ["choose", "choices"], "the dialog's heading has the focus");
  assert.deepEqual(await boxes(page), [false, false, false, false]);
  assert.deepEqual(await press(page, "Tab", "Tab", "Space", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab"), [
    "functional", "analytics", "analytics", "personalization", "advertising", "more", "reject", "accept", "save", "back",
  ]);
  await press(page, "Shift+Tab", "Enter");
  await hides(page);
  assert.deepEqual(await choices(page), ["denied", "granted", "denied", "denied"]);
  assert.equal(await focused(page), "one", "the focus goes on where it was before the banner");
  await page.waitForFunction(() => document.querySelector("hilo-banner")!.shadowRoot!.querySelector("[role=status]")!.textContent === "Choice saved.");
  await context.close();
});

test("Escape and Back leave the second layer without a change, and the focus returns to the opener", async () => {
  const { page, context } = await visit("/en/1");
  for (const leave of [() => page.keyboard.press("Escape"), () => page.locator("dialog [part=back]").click()]) {
    await page.locator("section [part=choose]").click();
    await page.locator("dialog input[name=analytics]").check();
    await leave();
    assert.equal(await isOpen(page), false);
    assert.equal(await asks(page), true);
    assert.equal(await focused(page), "choose");
    assert.deepEqual(await choices(page), UNSET);
  }
  await context.close();
});

test("the choices open again by each element with data-hilo-consent and by hilo.banner.open(), and can be withdrawn there by one click", async () => {
  const { page, context } = await visit("/en/1");
  await page.locator("section [part=accept]").click();
  await page.locator("#settings").click();
  assert.deepEqual(await boxes(page), [true, true, true, true]);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "settings");
  assert.deepEqual(await choices(page), GRANTED);
  await page.evaluate(() => (window as any).hilo.banner.open());
  await page.locator("dialog [part=reject]").click();
  assert.equal(await isOpen(page), false);
  assert.deepEqual(await choices(page), DENIED);
  assert.equal(await asks(page), false);
  await context.close();
});

test("each receipt has the version of the notice, and a new notice asks again", async () => {
  const versions = () => site.sent.filter((one) => one.call === "consent").map((one) => one.body["consent"].notice.version);
  const { page, context } = await visit("/en/2026-11");
  await page.locator("section [part=reject]").click();
  await until(() => versions().length);
  await page.goto(`${site.url}/en/2026-12`);
  await page.waitForSelector("section", { state: "visible" });
  assert.deepEqual(await choices(page), UNSET);
  await page.locator("section [part=accept]").click();
  await until(() => versions().length > 1);
  assert.deepEqual(versions(), ["2026-11", "2026-12"]);
  await context.close();
});

test("a choice is asked again after the collector's months, and not before, whether it was granted or withdrawn since", async () => {
  site.answer(({ call, body }) => {
    const told = { success: true, accepted: 1, duplicate: 0, rejected: [], anonymousId: body["hello"]?.spareId, revision: 0, denied: [], settings: { askAgainMonths: 6 } };
    return call === "batch" ? { status: 200, body: told } : { status: 200 };
  });
  for (const isWithdrawn of [false, true]) {
    site.sent.length = 0;
    const { page, context } = await visit("/en/1");
    const answered = page.waitForResponse((response) => response.url().endsWith("/batch"));
    await page.locator("section [part=accept]").click();
    await (await answered).finished();
    if (isWithdrawn) {
      await page.locator("#settings").click();
      await page.locator("dialog [part=reject]").click();
    }
    for (const [days, expected] of [[170, false], [190, true]] as const) {
      await page.clock.setSystemTime(Date.now() + days * 86_400_000);
      await page.reload();
      await page.waitForFunction(() => !(window as any).hilo.q && (window as any).hilo.banner);
      assert.equal(await asks(page), expected, `${days} days`);
    }
    await context.close();
  }
  site.answer(() => ({ status: 200 }));
});

test("an answer in another tab ends the question in this one", async () => {
  const { page, context } = await visit("/en/1");
  const other = await context.newPage();
  await other.goto(`${site.url}/en/1`);
  await other.locator("section [part=reject]").click();
  await hides(page);
  assert.deepEqual(await choices(page), DENIED);
  await context.close();
});

test("Global Privacy Control is shown, outlives Accept all, and is lifted by a choice of exactly its purpose", async () => {
  const { page, context } = await visit("/en/1", {}, () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  assert.equal(await page.locator("section [part=gpc]").textContent(), "Your browser asks not to sell or share your data: we respect it.");
  await page.locator("section [part=accept]").click();
  assert.deepEqual(await choices(page), ["granted", "granted", "granted", "denied"]);
  await page.locator("#settings").click();
  await page.locator("dialog input[name=advertising]").check();
  await page.locator("dialog [part=save]").click();
  assert.deepEqual(await choices(page), GRANTED);
  await context.close();
});

test("an opt-in goes to the collector with the text that was shown, and one that fails stays open and is told", async () => {
  const more = encodeURIComponent('data-optin-email="Yes, write to me once a month." data-optin-version="7"');
  const { page, context } = await visit(`/en/1/${more}`);
  const said: unknown[] = [];
  await page.exposeFunction("heard", (...args: unknown[]) => void said.push(args));
  await page.evaluate(() => {
    const w = window as any;
    w.answers = [null, { channel: "email", state: "pending" }];
    w.hilo.optIn = async (...args: unknown[]) => (await w.heard(...args), w.answers.shift());
  });
  await page.locator("section [part=choose]").click();
  assert.equal(await page.locator("dialog input[name=optin-email]").isChecked(), false);
  await page.getByLabel("Yes, write to me once a month.").check();
  await page.locator("dialog [part=save]").click();
  await page.locator("dialog [role=alert]").waitFor();
  assert.deepEqual(await choices(page), DENIED, "the purposes are saved in any case");
  await page.locator("dialog [part=save]").click();
  await page.waitForSelector("dialog", { state: "hidden" });
  assert.deepEqual(said, Array(2).fill(["email", { text: "Yes, write to me once a month.", version: "7" }]));
  await context.close();
});

test("own texts replace hilo's, and a page in neither language gets English", async () => {
  const { page, context } = await visit(`/fr/1/${encodeURIComponent('data-text-reject="Tout refuser"')}`);
  assert.deepEqual(await page.locator("section button").allTextContents(), ["Tout refuser", "Accept all", "Choose"]);
  await context.close();
  const spanish = await visit(`/en/1/${encodeURIComponent('data-lang="es"')}`);
  assert.deepEqual(await spanish.page.locator("section button").allTextContents(), ["Rechazar todo", "Aceptar todo", "Elegir"]);
  assert.equal(await spanish.page.locator("hilo-banner").getAttribute("lang"), "es");
  await spanish.context.close();
});

test("a site that replaces its body keeps the banner, and a site that removes it gets rid of it", async () => {
  const { page, context } = await visit("/en/1");
  await page.evaluate(() => {
    document.body.replaceWith(document.createElement("body"));
  });
  assert.equal(await asks(page), true);
  await page.evaluate(() => (window as any).hilo.banner.remove());
  assert.equal(await page.locator("hilo-banner").count(), 0);
  assert.equal(await page.evaluate(() => document.adoptedStyleSheets.length), 0);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  assert.equal(await page.locator("hilo-banner").count(), 0);
  await context.close();
});

test("a second tag adds no second banner", async () => {
  const { page, context } = await visit(`/en/1/${encodeURIComponent('></script><script async src="/_h/hilo-banner.js?2"')}`);
  assert.equal(await page.evaluate(() => performance.getEntriesByType("resource").filter((one) => one.name.includes("hilo-banner.js")).length), 2);
  assert.equal(await page.locator("hilo-banner").count(), 1);
  await context.close();
});

test("a page without the stub gets its banner once the tracker is there", async () => {
  const { page, context } = await visit("/en/1/nostub");
  await page.waitForSelector("section", { state: "visible" });
  assert.equal(await page.evaluate(() => typeof (window as any).hilo.banner.open), "function");
  await context.close();
});

test("the package's addBanner shows the banner of a bundled site, with its options", async () => {
  const { page, context } = await visit("/en/1");
  await page.route("**/banner.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body: readFileSync(new URL("../../../js/sdk/dist/banner.js", import.meta.url), "utf8") }),
  );
  await page.evaluate(async () => {
    const { hilo } = window as any;
    hilo.banner.remove();
    const { addBanner } = await import(`${location.origin}/banner.js`);
    addBanner(hilo, { purposes: ["analytics", "sale_share"], controller: "Example", texts: { accept: "Fine" } });
  });
  assert.equal(await page.locator("section [part=purposes]").textContent(), "Measurement, Sale or sharing of data with third parties.");
  assert.match((await page.locator("section #body").textContent())!, /^Example would like/);
  await page.getByRole("button", { name: "Fine" }).click();
  assert.deepEqual(await page.evaluate(() => (({ functional, analytics, sale_share }) => [functional, analytics, sale_share])((window as any).hilo.consent.state())), ["unset", "granted", "granted"]);
  await page.evaluate(() => (window as any).hilo.banner.open());
  assert.equal(await isOpen(page), true);
  await context.close();
});
