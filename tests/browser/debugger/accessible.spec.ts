/**
 * Promise: the debugger is without findings of axe-core in both languages on a telephone and a desk, fits both, and works with text of
 * twice the size.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { axe } from "../../packages.ts";
import { contrasts } from "../contrast.ts";
import { browser, PANEL, section, shows, site, visit, type Page } from "./site.ts";

after(async () => {
  await browser.close();
  await site.close();
});

/** The findings of axe-core in the panel, as rule and element; what it leaves to a person too. */
async function findings(page: Page) {
  await page.evaluate(axe);
  const { violations, incomplete, passes } = await page.evaluate(() => (window as any).axe.run());
  const inPanel = (rules: any[]): string[] =>
    rules.flatMap((rule) => rule.nodes.map((node: any) => `${rule.id}: ${node.target.flat().join(" ")}`)).filter((one) => one.includes("data-hilo-private") || /section|summary|dl|pre/.test(one));
  assert.ok(inPanel(passes).length > 20, "axe-core looked into the panel");
  // axe-core cannot tell which of two layers is seen: `contrasts` measures that.
  return [...inPanel(violations), ...inPanel(incomplete).filter((one) => !one.startsWith("color-contrast"))];
}

for (const [lang, headings] of [["es", ["Identidad", "Cola", "Fuentes y señales", "Archivos"]], ["en", ["Identity", "Queue", "Sources and signals", "Files"]]] as const) {
  for (const width of [390, 1280]) {
    test(`axe-core finds nothing in it: ${lang}, ${width} px`, async () => {
      site.answer(({ call, body }) => {
        const index = call === "batch" ? body["batch"].findIndex((event: any) => event.event === "Signed Up") : -1;
        const rejected = index < 0 ? [] : [{ index, code: "wrong_type", field: "properties.n", message: "a number is needed" }];
        return call === "batch" ? { status: 200, body: { success: true, accepted: 0, duplicate: 0, rejected } } : { status: 200 };
      });
      const { page, context, faults } = await visit(`/${lang}/`, { details: { viewport: { width, height: 844 } } });
      await page.evaluate(() => {
        const { hilo } = window as any;
        hilo.debug(true);
        hilo.consent.grant("analytics", "functional");
        hilo.track("Product Viewed", { product_id: "mug-blue" });
        hilo.track("Signed Up", { n: "seven" });
        hilo.flush();
      });
      await shows(page, "wrong_type");
      await page.locator(`${PANEL} li summary`, { hasText: "Signed Up" }).click();
      if (process.env["SHOTS"]) await page.screenshot({ path: `${process.env["SHOTS"]}/debugger-${lang}-${width}.png` });
      for (const heading of headings) await section(page, heading);
      assert.deepEqual(await findings(page), []);
      const ratios = await contrasts(page, `${PANEL} :is(h2, h3, h4, p, b, time, dt, dd, pre, label, button, .state):not([hidden])`);
      assert.ok(ratios.length > 30 && Math.min(...ratios) >= 4.5, ratios.map((one) => one.toFixed(1)).join());
      const { x, y, width: wide, height } = (await page.locator(PANEL).boundingBox())!;
      assert.ok(x >= 0 && y >= 0 && x + wide <= width && y + height <= 844);
      assert.equal(await page.locator(`${PANEL} .body`).evaluate((it: Element) => it.scrollWidth <= it.clientWidth), true, "no sideways scrolling");
      assert.deepEqual(faults, []);
      await context.close();
    });
  }
}

test("with text of twice the size it stays in the window, and can be closed", async () => {
  const { page, context } = await visit("/en/", { details: { viewport: { width: 390, height: 844 } } });
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("html { font-size: 200% } section, button { display: none !important }");
    document.adoptedStyleSheets.push(sheet);
    (window as any).hilo.debug(true);
  });
  await page.locator(PANEL).waitFor();
  const { x, width, height } = (await page.locator(PANEL).boundingBox())!;
  assert.ok(x >= 0 && x + width <= 390 && height <= 844);
  await page.getByRole("button", { name: "Close" }).click();
  await page.locator(PANEL).waitFor({ state: "detached" });
  await context.close();
});
