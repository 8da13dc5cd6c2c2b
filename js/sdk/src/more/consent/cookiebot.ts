/** Cookiebot. */
import { page, pairs, type Source } from "./source.ts";

export const cookiebot: Source = {
  events: "CookiebotOnConsentReady CookiebotOnAccept CookiebotOnDecline",
  read(tell) {
    const { consent, hasResponse } = page.Cookiebot ?? {};
    if (!consent) return;
    // Consent that the tool implied is no choice.
    tell({ made: consent.method === "implied" ? consent.method : hasResponse, categories: pairs(consent, ["preferences", "statistics", "marketing"]) });
    return true;
  },
};
