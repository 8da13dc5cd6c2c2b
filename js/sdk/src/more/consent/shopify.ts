/** Shopify's customer privacy. Its `…Allowed()` say yes where a region asks nobody, so the visitor's own words are read. */
import { page, pairs, type Source } from "./source.ts";

let isAsked = false;

export const shopify: Source = {
  events: "visitorConsentCollected",
  read(tell, host) {
    const { customerPrivacy, loadFeatures } = page.Shopify ?? {};
    if (customerPrivacy?.currentVisitorConsent) {
      const said = customerPrivacy.currentVisitorConsent() ?? {};
      tell({ made: true, categories: pairs(said, ["analytics", "marketing", "preferences", "sale_of_data"]) });
      return true;
    }
    if (loadFeatures && !isAsked) {
      isAsked = true;
      loadFeatures([{ name: "consent-tracking-api", version: "0.1" }], () => host.guarded(() => shopify.read(tell, host)));
    }
    return false;
  },
};
