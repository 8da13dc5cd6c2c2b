/**
 * Promise: the pages of the example shop are whole and usable, on a phone, with the keyboard and in both languages; the consent banner
 * asks without getting in the way; the live panel shows what happened before it was opened, and nothing personal.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { DEV_SECRETS, eventually } from "../../collector/mf.ts";
import { startBrowser } from "../scenario.ts";
import { serveShop } from "./served.ts";

const browser = await startBrowser();
const shop = await serveShop();
const { url } = shop;
after(async () => {
  await browser.close();
  await shop.dispose();
});

const PHONE = { width: 390, height: 844 };
const LOCALES = ["es-ES", "en-US"];
const open = async (path: string, options: object = {}) => {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url + path);
  return page;
};
const asked = async (path: string, options: object = {}) => {
  const page = await open(path, options);
  await page.waitForSelector(".consent", { state: "visible" });
  return page;
};
const focused = (page: any) => page.evaluate(() => document.activeElement!.getAttribute("data-consent") ?? document.activeElement!.getAttribute("name") ?? document.activeElement!.className);
const box = (page: any, selector: string) => page.locator(selector).first().evaluate((element: Element) => element.getBoundingClientRect().toJSON());

test("the banner is announced, takes no focus by itself, and is the first stop of the Tab key", async () => {
  const page = await asked("/", { locale: "es-ES" });
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
  assert.match((await page.textContent(".unseen[role=status]"))!, /^¿Nos dejas aprender\? Con tu permiso/);
  assert.deepEqual(await page.locator(".consent").evaluate((it: Element) => [it.getAttribute("role"), document.getElementById(it.getAttribute("aria-labelledby")!)!.textContent]), ["region", "¿Nos dejas aprender?"]);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "accept");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".consent", { state: "hidden" });
  assert.equal(await focused(page), "brand");
  assert.equal(await page.textContent(".unseen[role=status]"), "");
  await page.context().close();
});

test("after the answer the focus is where it was before the banner", async () => {
  const page = await asked("/contact/", { locale: "en-US" });
  await page.focus("[name=email]");
  await page.click("[data-consent=reject]");
  await page.waitForSelector(".consent", { state: "hidden" });
  assert.equal(await focused(page), "email");
  await page.click("[data-consent=open]");
  assert.equal(await focused(page), "accept");
  await page.click("[data-consent=choose]");
  await page.click("[data-consent=save]");
  assert.equal(await focused(page), "open");
  await page.context().close();
});

test("the banner is whole in a window of 320 × 256, with its choices too", async () => {
  const viewport = { width: 320, height: 256 };
  for (const locale of LOCALES) {
    const page = await asked("/", { locale, viewport });
    const isHit = (selector: string, mayScroll: boolean) =>
      page.locator(selector).first().evaluate((element: Element, mayScroll: boolean) => {
        if (mayScroll) element.scrollIntoView({ block: "nearest" });
        const { left, top, right, bottom } = element.getBoundingClientRect();
        const isInside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
        return isInside && element.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
      }, mayScroll);
    for (const part of [".consent h2", ".consent p", "[data-consent=accept]", "[data-consent=reject]", "[data-consent=choose]", ".consent"]) {
      assert.ok(await isHit(part, false), `${locale}: ${part}`);
    }
    await page.click("[data-consent=choose]");
    for (const part of [".consent", "#purpose-functional", "#purpose-advertising", "[data-consent=save]", "[data-consent=accept]"]) {
      assert.ok(await isHit(part, true), `${locale}, choices: ${part}`);
    }
    await page.context().close();
  }
});

test("each control of a page can be scrolled free of the banner", async () => {
  for (const viewport of [PHONE, { width: 320, height: 256 }, { width: 1280, height: 900 }]) {
    const page = await asked("/contact/", { locale: "es-ES", viewport });
    const covered = await page.$$eval(".top a, main input, main select, main textarea, main button, .bottom button", (controls: any[]) =>
      controls.filter((control) => {
        control.focus();
        control.scrollIntoView({ block: "nearest" });
        // A text area is taller than what a very small window shows; its first line is free.
        const { left, top, right } = control.getBoundingClientRect();
        return !control.contains(document.elementFromPoint((left + right) / 2, Math.max(top, 0) + 8));
      }).map((control) => control.outerHTML.slice(0, 80)),
    );
    assert.deepEqual(covered, [], `${viewport.width} × ${viewport.height}`);
    await page.context().close();
  }
});

test("the navigation is one line on a phone, with a full cart", async () => {
  for (const locale of LOCALES) {
    const page = await open("/", { locale, viewport: PHONE, isMobile: true });
    await page.evaluate(() => localStorage.setItem("hebra.cart", '{"H-101":12}'));
    await page.reload();
    await page.waitForSelector(".badge:has-text('12')");
    const lines = await page.$$eval(".top nav a", (links: any[]) => links.map((link) => [link.textContent, Math.round(link.getBoundingClientRect().top), link.getClientRects().length]));
    assert.equal(new Set(lines.map(([, top]: any) => top)).size, 1, JSON.stringify(lines));
    const { height } = await box(page, ".top nav a");
    assert.ok(height < 40, `a link has one line, not ${height} px`);
    await page.context().close();
  }
});

test("a visitor gets the first language of theirs that the shop has, and English if it has none", async () => {
  const cases: [string, string, string][] = [["de-DE", "en", "MM/YY"], ["en-GB", "en", "MM/YY"], ["es-MX", "es", "MM/AA"], ["ca-ES", "en", "MM/YY"]];
  for (const [locale, lang, form] of cases) {
    const page = await open("/checkout/", { locale });
    await page.evaluate(() => localStorage.setItem("hebra.cart", '{"H-101":1}'));
    await page.reload();
    await page.waitForSelector("[name=expiry]");
    assert.deepEqual([await page.getAttribute("html", "lang"), await page.getAttribute("[name=expiry]", "placeholder")], [lang, form], locale);
    await page.goto(`${url}/product/?id=H-101`);
    const heading = await page.textContent("main h2");
    assert.equal(heading, lang === "es" ? "Del mismo estante" : "From the same shelf", locale);
    await page.context().close();
  }
});

test("the rules of header and footer end where the grid ends", async () => {
  for (const viewport of [PHONE, { width: 1280, height: 900 }]) {
    const page = await open("/list/", { viewport, locale: "en-US" });
    await page.waitForSelector(".card");
    const edges = async (selector: string) => {
      const { left, right } = await box(page, selector);
      return [Math.round(left), Math.round(right)];
    };
    assert.deepEqual(await edges(".top"), await edges("main .grid"));
    assert.deepEqual(await edges(".bottom"), await edges("main .grid"));
    await page.context().close();
  }
});

test("names of articles are whole on the two phones", async () => {
  for (const lang of ["es", "en"]) {
    const page = await open(`/two-devices/?lang=${lang}`, { viewport: { width: 1280, height: 1000 } });
    await page.waitForSelector(".verdict.is-together", { timeout: 20_000 });
    const phone = page.frames().find((frame: any) => frame.url().includes("/phone/"))!;
    for (const item of await phone.$$("[data-add]")) await item.click();
    await phone.waitForSelector(".phone-lines li >> nth=3");
    const cut = await phone.$$eval(".phone-lines .name", (names: any[]) => names.filter((name) => name.scrollWidth > name.clientWidth || getComputedStyle(name).textOverflow === "ellipsis").map((name) => name.textContent));
    assert.deepEqual(cut, []);
    await page.context().close();
  }
});

test("the live panel and its button cover nothing", async () => {
  for (const viewport of [PHONE, { width: 1280, height: 900 }]) {
    for (const path of ["/contact/", "/checkout/", "/"]) {
      const page = await open(path, { viewport, locale: "es-ES" });
      await page.evaluate(() => localStorage.setItem("hebra.cart", '{"H-101":1}'));
      await page.reload();
      await page.waitForSelector(".live-button");
      await page.click(".live-button");
      await page.waitForSelector(".live-panel");
      const covered = await page.evaluate(() => {
        const rects = [...document.querySelectorAll(".live-button, .live-panel")].map((it) => [it, it.getBoundingClientRect()] as const);
        const others = [...document.querySelectorAll("main *, .top *, .bottom *")].filter((it) => !it.matches(".live-button"));
        const overlaps = (a: DOMRect, b: DOMRect) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
        return others.filter((other) => rects.some(([, rect]) => overlaps(rect, other.getBoundingClientRect()))).map((other) => other.outerHTML.slice(0, 60));
      });
      assert.deepEqual(covered, [], `${path} at ${viewport.width}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path);
      await page.click(".live-button");
      assert.equal(await page.locator(".live-panel").count(), 0);
      await page.context().close();
    }
  }
});

test("the live panel shows what was stored before it was opened, with plain values and without personal ones, in both languages", async () => {
  const page = await asked("/", { locale: "en-US" });
  await page.click("[data-consent=accept]");
  await page.goto(`${url}/product/?id=H-103`);
  await page.waitForFunction(() => (window as any).hilo.anonymousId?.());
  await page.evaluate(() => (window as any).hilo.track("Wish Told", { wish: "ana@example.com", value: 3 }));
  await page.evaluate(() => (window as any).hilo.flush());
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  await eventually(async () => {
    const answer = await fetch(`${url}/admin/v1/profiles/a:${id}/events`, { headers: { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` } });
    const { events } = (await answer.json()) as any;
    return events?.some((event: any) => event.event === "Wish Told") || undefined;
  });
  await page.context().close();
  const cases: [string, string, string, string][] = [["es", "Puntos de contacto en vivo", "datos", "aceptado"], ["en", "Live touchpoints", "properties", "accepted"]];
  for (const [lang, title, properties, outcome] of cases) {
    const live = await open(`/live/?lang=${lang}`);
    const viewed = live.locator("li", { hasText: "track · Product Viewed" }).first();
    await viewed.waitFor();
    assert.match((await live.textContent("h1"))!, new RegExp(`^${title}`));
    const text = (await viewed.textContent())!;
    for (const part of [outcome, properties, "price 12.4", "currency EUR", "product_id H-103", "name <text 12>"]) assert.ok(text.includes(part), `${part} in ${text}`);
    const wish = (await live.locator("li", { hasText: "Wish Told" }).first().textContent())!;
    assert.ok(wish.includes("wish <text 15>") && wish.includes("value 3"), wish);
    assert.ok(!(await live.textContent("body"))!.includes("ana@example.com"));
    await live.context().close();
  }
});
