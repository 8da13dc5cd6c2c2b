/** CookieFirst. */
import { page, pairs, type Source } from "./source.ts";

export const cookiefirst: Source = {
  events: "cf_init cf_consent",
  read(tell) {
    const tool = page.CookieFirst;
    if (!tool) return;
    // Nothing until the visitor chose.
    tell({ made: !!tool.consent, categories: pairs(tool.consent ?? {}) });
    return true;
  },
};
