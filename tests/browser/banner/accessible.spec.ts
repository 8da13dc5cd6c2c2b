/**
 * Promise: both layers of the banner are without findings of axe-core in both languages and color schemes. They can be used at four times
 * the size, with larger text, forced colors and little motion, and the first layer hides no control of the page.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { axe } from "../../packages.ts";
import { contrasts } from "../contrast.ts";
import { browser, focused, site, visit, type Page } from "./site.ts";

after(async () => {
  await browser.close();
  await site.close();
});

/**
 * The findings of axe-core in the banner, as rule and element. Of what axe-core leaves to a person only the contrast is left out: it cannot
 * tell which of two layers is seen, and `contrasts` measures that.
 */
async function findings(page: Page) {
  await page.evaluate(axe);
  const { violations, incomplete, passes } = await page.evaluate(() => (window as any).axe.run());
  const inBanner = (rules: any[]): string[] =>
    rules.flatMap((rule) => rule.nodes.map((node: any) => `${rule.id}: ${node.target.flat().join(" ")}`)).filter((one) => one.includes("hilo-banner"));
  assert.ok(inBanner(passes).length > 20, "axe-core looked into the banner");
  return [...inBanner(violations), ...inBanner(incomplete).filter((one) => !one.startsWith("color-contrast"))];
}

async function check(page: Page, layer: string) {
  assert.deepEqual(await findings(page), []);
  const ratios = await contrasts(page, `${layer} :is(h2, p, a, b, small, legend, button):not(.unseen, [hidden])`);
  assert.ok(ratios.length >= 8 && Math.min(...ratios) >= 4.5, `${layer}: ${ratios.map((one) => one.toFixed(1))}`);
}

const size = (page: Page, selector: string) =>
  page.locator(selector).evaluate((it: Element) => {
    const { left, right, top, bottom, width, height } = it.getBoundingClientRect();
    return { left, right, top, bottom, width, height };
  });
const isReflowed = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

for (const lang of ["es", "en"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [390, 1280]) {
      test(`axe-core finds nothing in either layer: ${lang}, ${colorScheme}, ${width} px`, async () => {
        const { page, context } = await visit(`/${lang}/1`, { viewport: { width, height: 844 }, colorScheme }, () =>
          Object.defineProperty(navigator, "globalPrivacyControl", { value: true }),
        );
        await page.waitForSelector("section", { state: "visible" });
        await check(page, "section");
        await page.locator("section [part=choose]").click();
        await page.locator("dialog input[name=analytics]").check();
        await check(page, "dialog");
        await context.close();
      });
    }
  }
}

test("at 320 px and at four times the size both layers need no sideways scrolling, and every control has 44 px", async () => {
  for (const viewport of [{ width: 320, height: 640 }, { width: 320, height: 256 }]) {
    const { page, context } = await visit("/es/1", { viewport });
    assert.equal(await isReflowed(page), true);
    for (const layer of ["section", "dialog"]) {
      if (layer === "dialog") await page.locator("section [part=choose]").click();
      const outer = await size(page, layer);
      assert.ok(outer.left >= 0 && outer.right <= 320, layer);
      assert.equal(await page.locator(layer).evaluate((it: Element) => it.scrollWidth <= it.clientWidth), true, layer);
      for (const control of await page.locator(`${layer} :is(button, label)`).all()) {
        await control.scrollIntoViewIfNeeded();
        const { width, height } = (await control.boundingBox())!;
        assert.ok(width >= 44 && height >= 44, `${layer}: ${await control.textContent()} has ${width} × ${height} px`);
        assert.equal(await control.evaluate((it: HTMLElement) => it.scrollWidth <= it.clientWidth), true, `${await control.textContent()} is whole`);
      }
    }
    await page.locator("dialog [part=save]").click();
    await page.waitForSelector("section", { state: "hidden" });
    await context.close();
  }
});

test("with text of twice the size the first layer is in the window, and its answers can be reached", async () => {
  const { page, context } = await visit("/en/1", { viewport: { width: 390, height: 844 } });
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("html { font-size: 200% }");
    document.adoptedStyleSheets.push(sheet);
  });
  assert.equal(await page.locator("section button").first().evaluate((it: Element) => getComputedStyle(it).fontSize), "32px");
  const { left, right, top, bottom } = await size(page, "section");
  assert.ok(left >= 0 && right <= 390 && top >= 0 && bottom <= 844);
  for (const part of ["reject", "accept", "choose"]) {
    await page.locator(`section [part=${part}]`).focus();
    const button = await size(page, `section [part=${part}]`);
    assert.ok(button.top >= top && button.bottom <= bottom && button.left >= left && button.right <= right, part);
  }
  await context.close();
});

test("a site that makes rem smaller does not make the banner smaller", async () => {
  const { page, context } = await visit("/en/1");
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("html { font-size: 62.5% } section, button { display: none !important }");
    document.adoptedStyleSheets.push(sheet);
  });
  assert.equal(await page.locator("section [part=reject]").evaluate((it: Element) => getComputedStyle(it).fontSize), "16px");
  assert.equal(await page.locator("section [part=reject]").isVisible(), true, "the site's rules do not hide an answer");
  await context.close();
});

test("the Tab key leads to no control behind the first layer, and the room below the page goes with it", async () => {
  const { page, context } = await visit("/en/1", { viewport: { width: 390, height: 700 } });
  await page.evaluate(() => {
    for (let i = 0; i < 30; i += 1) {
      const link = document.createElement("a");
      Object.assign(link, { href: "#", id: `link${i}`, textContent: `Link ${i}` });
      const line = document.createElement("p");
      line.append(link);
      document.querySelector("main")!.append(line);
    }
  });
  await page.locator("#one").focus();
  const { top } = await size(page, "section");
  for (let at = ""; at !== "settings"; ) {
    await page.keyboard.press("Tab");
    at = await focused(page);
    const control = await size(page, `#${at}`);
    assert.ok(control.bottom <= top && control.top >= 0, `${at} ends at ${control.bottom}, the banner begins at ${top}`);
  }
  await page.locator("section [part=reject]").click();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollPaddingBottom), "auto");
  await context.close();
});

test("forced colors leave borders and the mark of a checked box, and little motion leaves no transition", async () => {
  const { page, context } = await visit("/en/1", { forcedColors: "active", reducedMotion: "reduce" });
  const style = (selector: string, pseudo?: string) =>
    page.locator(selector).evaluate((it: Element, of) => {
      const { borderTopWidth, borderBottomColor, backgroundColor, transitionDuration, transitionProperty } = getComputedStyle(it, of);
      return { borderTopWidth, borderBottomColor, backgroundColor, transition: transitionProperty === "none" || transitionDuration === "0s" };
    }, pseudo);
  assert.equal((await style("section [part=reject]")).borderTopWidth, "2px");
  assert.equal((await style("section [part=reject]")).transition, true);
  await page.locator("section [part=choose]").click();
  await page.locator("dialog input[name=analytics]").check();
  const [box, mark] = [await style("dialog input[name=analytics]"), await style("dialog input[name=analytics]", "::before")];
  assert.notEqual(mark.borderBottomColor, box.backgroundColor, "the mark is seen");
  await context.close();
});

test("a site sets the colors by custom properties, and a page that supports no dark scheme gets a light banner", async () => {
  const { page, context } = await visit("/en/1", { colorScheme: "dark" });
  const background = () => page.locator("section").evaluate((it: Element) => getComputedStyle(it).backgroundColor);
  assert.equal(await background(), "rgb(27, 29, 34)");
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":root { --hilo-banner-background: rgb(1, 2, 3) }");
    document.adoptedStyleSheets.push(sheet);
  });
  assert.equal(await background(), "rgb(1, 2, 3)");
  await context.close();
  const light = await visit(`/en/1/${encodeURIComponent('data-theme="light"')}`, { colorScheme: "dark" });
  assert.equal(await light.page.locator("section").evaluate((it: Element) => getComputedStyle(it).backgroundColor), "rgb(255, 255, 255)");
  await light.context.close();
});
