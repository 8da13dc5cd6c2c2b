/** A shop that calls Segment's analytics.js: these lines stay as they are. */
addEventListener("DOMContentLoaded", () => {
  analytics.page("Shop", document.title);
  document.querySelector("#signup").addEventListener("click", () => analytics.track("Signed Up", { plan: "free" }, { integrations: { All: true } }, () => {}));
  document.querySelector("#add").addEventListener("click", () => {
    document.querySelector("#count").textContent = 1;
    analytics.track("Product Added", { product_id: "mug-blue", name: "Blue mug", price: 19.99, currency: "EUR", quantity: 1 });
  });
});
