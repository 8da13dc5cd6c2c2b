/**
 * Promise: the pages of the example shop are whole and usable, on a phone, with the keyboard and in both languages; the consent banner
 * asks without getting in the way; the live panel shows what happened before it was opened, and nothing personal.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { DEV_SECRETS, eventually } from "../../collector/mf.ts";
import { startBrowser, until } from "../scenario.ts";
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
const BANNER = "hilo-banner section";
/** The button in the footer that opens the choices again. */
const SETTINGS = ".bottom [data-hilo-consent]";
const open = async (path: string, options: object = {}) => {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url + path);
  return page;
};
const asked = async (path: string, options: object = {}) => {
  const page = await open(path, options);
  await page.waitForSelector(BANNER, { state: "visible" });
  return page;
};
/** What has the focus, in the banner or in the page. */
const focused = (page: any) =>
  page.evaluate(() => {
    const element = document.activeElement!.shadowRoot?.activeElement ?? document.activeElement!;
    return element.getAttribute("part") ?? element.getAttribute("name") ?? (element.matches("button") ? element.textContent : element.tagName);
  });
const box = (page: any, selector: string) => page.locator(selector).first().evaluate((element: Element) => element.getBoundingClientRect().toJSON());

test("the shop asks with hilo's banner in the visitor's language, and the receipt has the version of the notice", async () => {
  for (const [locale, title, settings] of [["es-ES", "Tu privacidad, tu elección", "Privacidad"], ["en-US", "Your privacy, your choice", "Privacy"]] as const) {
    const page = await asked("/", { locale });
    assert.equal(await page.evaluate(() => document.activeElement === document.body), true, "the banner takes no focus by itself");
    const [shown, withdrawal] = [await page.textContent(`${BANNER} h2`), await page.textContent(BANNER)];
    assert.equal(shown, title);
    assert.ok(withdrawal!.includes(settings) && !/[{}]/.test(withdrawal!), withdrawal!);
    const recorded = page.waitForRequest("**/v1/consent");
    await page.click(`${BANNER} [part=accept]`);
    const { consent } = (await recorded).postDataJSON();
    assert.equal(consent.notice.version, "1");
    assert.deepEqual(consent.changes.map((change: any) => `${change.purpose} ${change.state}`), ["functional granted", "analytics granted", "personalization granted", "advertising granted"]);
    await page.waitForSelector(BANNER, { state: "hidden" });
    await page.context().close();
  }
});

test("the keyboard alone answers, opens the choices again in the footer, and leaves them unchanged", async () => {
  const page = await asked("/contact/", { locale: "en-US" });
  // The choices are a file of their own, so the focus arrives some time after the key.
  const press = async (key: string, next: string) => {
    await page.keyboard.press(key);
    await until(async () => (await focused(page)) === next);
  };
  await press("Tab", "reject");
  await press("Enter", "BODY");
  await page.waitForSelector(BANNER, { state: "hidden" });
  assert.equal(await page.evaluate(() => (window as any).hilo.consent.state().analytics), "denied");
  await page.focus(SETTINGS);
  await press("Enter", "H2");
  await press("Tab", "functional");
  await press("Escape", "Privacy");
  assert.equal(await page.evaluate(() => (window as any).hilo.consent.state().functional), "denied");
  await page.context().close();
});

test("the banner is inside the window in both languages, at 390 and at 1280 px, and so is each answer", async () => {
  for (const locale of LOCALES) {
    for (const viewport of [PHONE, { width: 1280, height: 900 }]) {
      const page = await asked("/", { locale, viewport });
      const isInside = (selector: string) =>
        page.locator(selector).first().evaluate((element: Element) => {
          const { left, top, right, bottom } = element.getBoundingClientRect();
          return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
        });
      for (const part of ["", " h2", " [part=accept]", " [part=reject]", " [part=choose]"]) assert.ok(await isInside(BANNER + part), `${locale} ${viewport.width}${part}`);
      await page.click(`${BANNER} [part=choose]`);
      for (const part of ["", " [name=functional]"]) assert.ok(await isInside(`hilo-banner dialog${part}`), `${locale} ${viewport.width} dialog${part}`);
      await page.context().close();
    }
  }
});

test("the Tab key leads to no control behind the banner, at any size of the window", async () => {
  for (const viewport of [{ width: 320, height: 256 }, { width: 320, height: 480 }, PHONE, { width: 1280, height: 400 }, { width: 1280, height: 600 }, { width: 1280, height: 900 }]) {
    const page = await asked("/contact/", { locale: "es-ES", viewport });
    const covered: string[] = [];
    for (let stops = 0; stops < 40; stops += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement!;
        if (element.matches("[data-hilo-consent]")) return "last";
        if (element.matches("hilo-banner")) return "free";
        const { left, top, right, bottom } = element.getBoundingClientRect();
        const y = Math.min(Math.max(top, 0) + 8, (Math.max(top, 0) + bottom) / 2);
        return element.contains(document.elementFromPoint((left + right) / 2, y)) ? "free" : element.outerHTML.slice(0, 80);
      });
      if (stop === "last") break;
      if (stop !== "free") covered.push(stop);
      assert.ok(stops < 39, "the Tab key reaches the footer");
    }
    assert.deepEqual(covered, [], `${viewport.width} × ${viewport.height}`);
    await page.context().close();
  }
});

test("the categories are one row on a phone, and the sums of the cart begin beside its first line", async () => {
  for (const locale of LOCALES) {
    const phone = await open("/list/", { locale, viewport: PHONE });
    const tops = await phone.$$eval(".tabs a", (tabs: any[]) => tabs.map((tab) => tab.getBoundingClientRect().top));
    assert.deepEqual([tops.length, new Set(tops).size], [4, 1], locale);
    await phone.context().close();
    const page = await open("/cart/", { locale, viewport: { width: 1280, height: 900 } });
    await page.evaluate(() => localStorage.setItem("hebra.cart", '{"H-101":1,"H-201":2}'));
    await page.reload();
    assert.equal((await box(page, "aside")).top, (await box(page, ".line .picture")).top);
    await page.context().close();
  }
});

test("a page that does not exist, a product that is gone and an order that was placed have titles", async () => {
  const cases = [["es", "Página no encontrada", "Producto no encontrado", "Pedido recibido"], ["en", "Page not found", "Product not found", "Order received"]] as const;
  for (const [lang, missing, gone, ordered] of cases) {
    const page = await open(`/nowhere?lang=${lang}`);
    assert.deepEqual([await page.title(), await page.textContent("h1")], [`${missing} · Hebra`, missing]);
    await page.goto(`${url}/product/?id=H-999&lang=${lang}`);
    assert.deepEqual([await page.title(), await page.textContent("h1")], [`${gone} · Hebra`, gone]);
    await page.evaluate(() => localStorage.setItem("hebra.cart", '{"H-101":1}'));
    await page.goto(`${url}/checkout/?lang=${lang}`);
    for (const name of ["name", "address", "city"]) await page.fill(`[name=${name}]`, "x");
    await page.fill("[name=email]", "someone@example.com");
    await page.click("form .button");
    await page.waitForSelector(".thanks");
    assert.equal(await page.title(), `${ordered} · Hebra`);
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
  await page.click(`${BANNER} [part=accept]`);
  await page.goto(`${url}/product/?id=H-103`);
  await page.waitForFunction(() => (window as any).hilo.anonymousId?.());
  await page.evaluate(() => (window as any).hilo.track("Wish Told", { wish: "ana@example.com", value: 3 }));
  await page.evaluate(() => (window as any).hilo.flush());
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  await page.goto(`${url}/account/`);
  await page.fill("[name=email]", "someone@example.com");
  await page.click("form .button");
  await page.waitForSelector("text=Signed in as");
  await page.evaluate(() => (window as any).hilo.flush());
  // The same event twice, as a page that is restored from a copy may send it.
  const again = { type: "track", event: "Twice Told", messageId: `twice-${id}`, anonymousId: id };
  const body = JSON.stringify({ writeKey: "wk_shop", sentAt: new Date().toISOString(), context: { consent: { categoryPreferences: { analytics: true }, revision: 1 } }, batch: [again] });
  for (let n = 0; n < 2; n += 1) assert.equal((await fetch(`${url}/_h/v1/batch`, { method: "POST", body, headers: { origin: url } })).status, 200);
  await eventually(async () => {
    const answer = await fetch(`${url}/admin/v1/profiles/a:${id}/events`, { headers: { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` } });
    const { events } = (await answer.json()) as any;
    return events?.some((event: any) => event.event === "Wish Told") || undefined;
  });
  await page.context().close();
  const cases: [string, string, string, string, string[], string, string][] = [
    ["es", "Puntos de contacto en vivo", "datos", "aceptado", ["repetido", "Llegó dos veces y cuenta una."], "persona", "A la tienda"],
    ["en", "Live touchpoints", "properties", "accepted", ["duplicate", "It came twice and counts once."], "user", "To the shop"],
  ];
  for (const [lang, title, properties, outcome, twice, user, back] of cases) {
    const live = await open(`/live/?lang=${lang}`);
    const viewed = live.locator("li:not(.duplicate)", { hasText: "track · Product Viewed" }).first();
    await viewed.waitFor();
    assert.match((await live.textContent("h1"))!, new RegExp(`^${title}`));
    const text = (await viewed.textContent())!;
    for (const part of [outcome, properties, "price 12.4", "currency EUR", "product_id H-103", "name <text 12>"]) assert.ok(text.includes(part), `${part} in ${text}`);
    const wish = (await live.locator("li", { hasText: "Wish Told" }).first().textContent())!;
    assert.ok(wish.includes("wish <text 15>") && wish.includes("value 3"), wish);
    assert.ok(!(await live.textContent("body"))!.includes("ana@example.com"));
    const duplicate = live.locator("li.duplicate", { hasText: "Twice Told" }).first();
    assert.deepEqual([await duplicate.locator(".outcome").textContent(), await duplicate.locator(".meaning").textContent()], twice);
    const named = (await live.locator("li", { hasText: "identify" }).first().textContent())!;
    assert.match(named, new RegExp(`${user}cust_[0-9a-f]{3}…`));
    await live.click(`a:text-is("${back}")`);
    await live.waitForSelector(".hero");
    assert.equal(await live.getAttribute("html", "lang"), lang);
    await live.context().close();
  }
});
