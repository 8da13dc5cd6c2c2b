/** Complianz. Its category `functional` is what always is on, so it is not read. */
import { page, type Source } from "./source.ts";

export const complianz: Source = {
  events: "cmplz_status_change cmplz_fire_categories",
  read(tell) {
    const { cmplz_has_consent: has, cmplz_get_banner_status: status } = page;
    if (!has) return;
    // Outside of opt-in regions `cmplz_has_consent` is true until the visitor objects.
    const optOut = !/^optin/.test(page.complianz?.consenttype ?? "optin");
    tell({ made: status?.(), optOut, categories: ["preferences", "statistics", "marketing"].map((name) => [name, has(name) === true]) });
    return true;
  },
};
