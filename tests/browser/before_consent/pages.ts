/**
 * Twenty pages as sites write them, each with every capture kind on. None of them asks for consent.
 */

/** What stands in the page, attributes of hilo's tag beside those of every page, and the query that the page is opened with. */
export interface PageScript {
  body: string;
  attributes?: string;
  query?: string;
}

const GTAG = "window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }";
const LAYER = 'data-cart="dataLayer"';
const script = (code: string) => `<script>${code}</script>`;
const ITEM = '{ item_id: "MUG", item_name: "Mug", price: 12.5, quantity: 1 }';
const PRODUCT = { "@context": "https://schema.org", "@type": "Product", sku: "MUG", name: "Mug", offers: { price: "12.50", priceCurrency: "EUR" } };

export const scripts: Record<string, PageScript> = {
  "a landing with a campaign and click ids": { body: "<h1>Mug</h1>", query: "?utm_source=mail&utm_campaign=autumn&gclid=7&fbclid=8" },
  "a page that names itself as analytics.js does": { body: script('hilo.page("Product Page", { sku: "MUG" });') },
  "acts and a claim of a user": { body: script('hilo.track("Product Viewed", { product_id: "MUG" }); hilo.identify("cust_1", { plan: "a" }); hilo.group("g");') },
  "a single-page app": { body: script('for (const path of ["/a", "/b"]) setTimeout(() => history.pushState(null, "", location.pathname + path), 300);') },
  "an app with routes in the fragment": { body: script('setTimeout(() => (location.hash = "#/mug"), 300);'), attributes: 'data-pages="query hash"' },
  "GA4's ecommerce events": { body: script(`window.dataLayer = [{ event: "view_item", ecommerce: { currency: "EUR", items: [${ITEM}] } }];`), attributes: LAYER },
  "gtag with a default that grants": {
    body: script(`${GTAG} gtag("consent", "default", { analytics_storage: "granted", ad_storage: "granted" }); gtag("event", "view_item_list", { currency: "EUR", items: [${ITEM}] });`),
    attributes: LAYER,
  },
  "Universal Analytics' ecommerce events": {
    body: script('window.dataLayer = []; setTimeout(() => dataLayer.push({ ecommerce: { currencyCode: "EUR", detail: { products: [{ id: "MUG", price: "12,50" }] } } }), 1500);'),
    attributes: LAYER,
  },
  "a product for search engines": { body: `<script type="application/ld+json">${JSON.stringify(PRODUCT)}</script>` },
  "a product in microdata": { body: '<div itemscope itemtype="https://schema.org/Product"><meta itemprop="productID" content="MUG"><h1 itemprop="name">Mug</h1></div>' },
  "a form": { body: '<form id="contact"><input name="company" class="type"></form>' },
  "a form that wants its values": { body: '<form data-hilo-lead="Newsletter"><input type="email" name="email" data-hilo-value class="type"></form>' },
  "a form in a shadow root": {
    body: `<x-signup></x-signup>${script('customElements.define("x-signup", class extends HTMLElement { connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = \'<form><input name="name" class="type"></form>\'; } });')}`,
  },
  "a form in a frame": { body: '<iframe srcdoc="<form id=framed><input name=company></form>"></iframe>' },
  "links and marks": { body: '<a class="click" href="#top" data-hilo-track="Banner Clicked">Banner</a> <a class="click" href="tel:+34600123456">Call</a>' },
  "a film": { body: `<video src="data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=" controls></video>${script('document.querySelector("video").play().catch(() => {});')}` },
  "a page of results": { body: "<p data-hilo-results>12 results</p>", query: "?q=mug" },
  "every call of the site's": {
    body: script('hilo.ready(() => { hilo.use((draft) => draft); hilo.consent.on(() => {}); hilo.cart.on(() => {}); hilo.flush(); hilo.reset(); hilo.anonymousId(); hilo.sessionId(); hilo.cart.lines(); hilo.page("Again"); });'),
  },
  "a consent tool that has not loaded": { body: script("(() => { const asked = []; window.__tcfapi = (...call) => void asked.push(call); })();") },
  "Segment's ecommerce calls": { body: script('hilo.track("Product List Viewed", { list_id: "home" }); hilo.track("Products Searched", { query: "mug" });'), attributes: 'data-cart="segment"' },
};
