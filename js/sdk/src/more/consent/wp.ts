/**
 * The WP Consent API. Without a consent plugin its function says yes to everything: only a type of consent shows that there is one, and
 * only a category's cookie that the visitor chose.
 */
import { page, type Source } from "./source.ts";

export const wp: Source = {
  events: "wp_listen_for_consent_change wp_consent_type_defined",
  read(tell) {
    if (!page.wp_consent_type || !page.wp_has_consent) return;
    const prefix = page.consent_api?.cookie_prefix ?? "wp_consent";
    const state = (name: string) => document.cookie.split("; ").find((one) => one.startsWith(`${prefix}_${name}=`))?.split("=")[1] ?? "";
    tell({ made: true, categories: ["preferences", "statistics", "marketing"].map((name) => [name, state(name)]) });
    return true;
  },
};
