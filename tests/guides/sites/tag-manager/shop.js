/** A shop with Tag Manager: it pushes GA4's ecommerce events, and its consent tool pushes Consent Mode's commands. */
window.dataLayer = window.dataLayer || [];
function gtag() {
  dataLayer.push(arguments);
}
const states = (word) => ({ ad_storage: word, ad_user_data: word, ad_personalization: word, analytics_storage: word });
gtag("consent", "default", { ...states("denied"), wait_for_update: 500 });
const update = (word) => gtag("consent", "update", states(word === "yes" ? "granted" : "denied"));
const before = consentBar("shop", update);
if (before) update(before);


/** What Tag Manager does for the event `sign_up`: it puts the tag's markup into the page. */
window.google_tag_manager = { "GTM-EXAMPLE": { dataLayer: { get: (name) => dataLayer.findLast((entry) => name in entry)?.[name] } } };
async function runTag(file) {
  const markup = await (await fetch(file)).text();
  document.body.append(document.createRange().createContextualFragment(markup));
}

addEventListener("DOMContentLoaded", () => {
  document.querySelector("#add").addEventListener("click", () => {
    document.querySelector("#count").textContent = 1;
    dataLayer.push({ ecommerce: null });
    dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", value: 19.99, items: [{ item_id: "mug-blue", item_name: "Blue mug", price: 19.99, quantity: 1 }] } });
  });
  document.querySelector("#signup").addEventListener("click", () => {
    dataLayer.push({ event: "sign_up", method: "mail" });
    runTag("/signed-up.html");
  });
});
