/**
 * A WooCommerce shop, as far as the guide needs one: jQuery's events, and the WP Consent API with a consent bar. The answers of the Store API
 * are in `rules.conf`.
 */
const heard = {};
window.jQuery = () => ({
  on(names, act) {
    for (const name of names.split(" ")) (heard[name] ??= new Set()).add(act);
    return this;
  },
  off(names, act) {
    for (const name of names.split(" ")) heard[name]?.delete(act);
    return this;
  },
  trigger: (name) => heard[name]?.forEach((act) => act()),
});

window.wp_has_consent = (category) => document.cookie.includes(`wp_consent_${category}=allow`);
window.wp_consent_type = "optin";
window.consent_api = { cookie_prefix: "wp_consent" };
consentBar("shop", (word) => {
  for (const category of ["preferences", "statistics", "marketing"]) {
    const value = word === "yes" ? "allow" : "deny";
    document.cookie = `wp_consent_${category}=${value};path=/`;
    const detail = [];
    detail[category] = value;
    document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail }));
  }
});

addEventListener("DOMContentLoaded", () => {
  document.querySelector("#add").addEventListener("click", async () => {
    await fetch("/?wc-ajax=add_to_cart");
    document.querySelector("#count").textContent = 1;
    jQuery(document.body).trigger("added_to_cart");
  });
});
