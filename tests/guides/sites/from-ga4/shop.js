/** A shop with Google's tag: gtag's events, and a consent tool that tells gtag. */
window.dataLayer = window.dataLayer || [];
function gtag() {
  dataLayer.push(arguments);
}
const states = (word) => ({ ad_storage: word, ad_user_data: word, ad_personalization: word, analytics_storage: word });
gtag("consent", "default", { ...states("denied"), wait_for_update: 500 });
const update = (word) => gtag("consent", "update", states(word === "yes" ? "granted" : "denied"));
const before = consentBar("shop", update);
if (before) update(before);
gtag("js", new Date());
gtag("config", "G-EXAMPLE");

addEventListener("DOMContentLoaded", () => {
  document.querySelector("#add").addEventListener("click", () => {
    document.querySelector("#count").textContent = 1;
    gtag("event", "add_to_cart", { currency: "EUR", value: 19.99, items: [{ item_id: "mug-blue", item_name: "Blue mug", price: 19.99, quantity: 1 }] });
  });
  document.querySelector("#signup").addEventListener("click", () => gtag("event", "sign_up", { method: "mail" }));
});
