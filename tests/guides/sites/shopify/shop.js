/**
 * A theme of Shopify's, as far as the guide needs one: its cart's calls, its customer privacy, and its consent bar. The answers of the cart
 * are in `rules.conf`.
 */
window.Shopify = {
  currency: { active: "EUR" },
  loadFeatures: (_, done) => setTimeout(() => ((Shopify.customerPrivacy = privacy), done())),
};
const states = (word) => ({ analytics: word, marketing: word, preferences: word, sale_of_data: word });
let said = states("");
const privacy = { currentVisitorConsent: () => said, analyticsProcessingAllowed: () => true, marketingAllowed: () => true };
const before = consentBar("shop", (word) => {
  said = states(word);
  document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: { analyticsAllowed: word === "yes" } }));
});
said = states(before ?? "");

addEventListener("DOMContentLoaded", () => {
  document.querySelector("#add").addEventListener("click", async () => {
    const answer = await fetch("/cart/add.js", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id: 41, quantity: 1 }) });
    document.querySelector("#count").textContent = (await answer.json()).quantity;
  });
});
