/** CookieYes. */
import { page, pairs, type Source } from "./source.ts";

export const cookieyes: Source = {
  events: "cookieyes_banner_load cookieyes_consent_update",
  read(tell) {
    const told = page.getCkyConsent?.();
    if (!told) return;
    tell({ made: told.isUserActionCompleted, optOut: !/gdpr/i.test(told.activeLaw ?? "gdpr"), categories: pairs(told.categories ?? {}) });
    return true;
  },
};
