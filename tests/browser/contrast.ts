/**
 * The contrast of texts, which axe-core cannot tell where one layer lies over another.
 */
import type { Page } from "../../js/node_modules/playwright-core/index.d.ts";

/** The contrast of each text that `selector` finds to what is behind it, as WCAG 2.2 counts it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio). */
export const contrasts = (page: Page, selector: string) =>
  page.locator(selector).evaluateAll((all: Element[]) =>
    all.map((element) => {
      const luminance = (color: string) => {
        const [r = 0, g = 0, b = 0] = color.match(/[\d.]+/g)!.slice(0, 3).map((value) => {
          const part = Number(value) / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let behind = element;
      while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement!;
      const [dark = 0, light = 0] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(behind).backgroundColor)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    }),
  );
