/**
 * Shopify's customer events → events for hilo's collector. In: what `register` of `@shopify/web-pixels-extension` gives a pixel, and
 * the pixel's settings. Out: one request per event. Reads no events about clicks, inputs or forms, because these hold what people type.
 *
 * Money is Shopify's, in major units. The ids of events and orders are Shopify's too, so an event that comes twice counts once.
 */

/** What the shop's theme cannot see. The tracker in the theme reports everything before it. */
const CHECKOUT = /^(checkout_|payment_)/;

const amount = (money) => money?.amount;
const rest = (total, ...parts) => +parts.reduce((left, part) => left - (part ?? 0), total).toFixed(3);

const product = ({ id, sku, title, price, product } = {}, quantity) => ({
  product_id: id,
  sku: sku || undefined,
  name: product?.title,
  brand: product?.vendor,
  category: product?.type || undefined,
  variant: title || undefined,
  price: amount(price),
  currency: price?.currencyCode,
  quantity,
});
const lines = (all = []) => all.map((line) => product(line.merchandise ?? line.variant ?? {}, line.quantity));

function checkout({ token, currencyCode, subtotalPrice, totalTax, totalPrice, shippingLine, discountApplications, lineItems }) {
  return {
    checkout_id: token,
    currency: currencyCode,
    subtotal: amount(subtotalPrice),
    tax: amount(totalTax),
    shipping: amount(shippingLine?.price),
    total: amount(totalPrice),
    coupon: discountApplications?.find((one) => one.type === "DISCOUNT_CODE")?.title,
    products: lines(lineItems),
  };
}

const step = (number) => ({ checkout: of }) => ["Checkout Step Completed", { ...checkout(of), step: number }];
const ofLine = (name) => ({ cartLine }) => cartLine && [name, product(cartLine.merchandise, cartLine.quantity)];

/** By Shopify's name: the event's name in Segment's words and its properties, or nothing. */
const EVENTS = {
  page_viewed: () => ["", {}],
  collection_viewed: ({ collection: { id, title, productVariants } }) => [
    "Product List Viewed",
    { list_id: id, category: title, products: productVariants?.map((one) => product(one)) },
  ],
  search_submitted: ({ searchResult: { query } }) => ["Products Searched", { query: /@|\d{6}/.test(query) ? "[redacted]" : query.slice(0, 100) }],
  product_viewed: ({ productVariant }) => ["Product Viewed", product(productVariant)],
  cart_viewed: ({ cart }) => cart && ["Cart Viewed", { cart_id: cart.id, products: lines(cart.lines) }],
  product_added_to_cart: ofLine("Product Added"),
  product_removed_from_cart: ofLine("Product Removed"),
  checkout_started: ({ checkout: of }) => ["Checkout Started", checkout(of)],
  checkout_contact_info_submitted: step(1),
  checkout_address_info_submitted: step(2),
  checkout_shipping_info_submitted: step(3),
  payment_info_submitted: ({ checkout: of }) => ["Payment Info Entered", checkout(of)],
  checkout_completed({ checkout: of }) {
    const order = checkout(of);
    return ["Order Completed", { ...order, order_id: of.order?.id, revenue: rest(order.total, order.tax, order.shipping) }];
  },
};

/** Shopify's words for what a visitor allows, in hilo's. */
const choices = ({ analyticsProcessingAllowed, marketingAllowed, preferencesProcessingAllowed, saleOfDataAllowed } = {}) => ({
  functional: preferencesProcessingAllowed === true,
  analytics: analyticsProcessingAllowed === true,
  personalization: preferencesProcessingAllowed === true,
  advertising: marketingAllowed === true,
  sale_share: saleOfDataAllowed === true,
});

/** Starts the pixel. `settings`: `endpoint`, `key`, and `scope`, which is `checkout` where the tracker runs in the theme. */
export function start({ analytics, browser, init, customerPrivacy }, { endpoint, key, scope, optInText }) {
  let allowed = choices(init?.customerPrivacy);
  customerPrivacy?.subscribe("visitorConsentCollected", (event) => (allowed = choices(event.customerPrivacy)));

  const post = (path, body, headers) => fetch(endpoint + path, { method: "POST", keepalive: true, body: JSON.stringify(body), headers }).catch(() => {});

  async function send({ id, clientId, timestamp, context, data }, [event, properties]) {
    // The tracker of the theme has given the visitor an id already.
    const anonymousId = (await browser?.localStorage.getItem("hilo.id").catch(() => null)) || clientId;
    const { location, referrer, title } = context?.document ?? {};
    const page = { url: location?.href, path: location?.pathname, search: location?.search, referrer, title };
    const one = { type: event ? "track" : "page", ...(event && { event }), messageId: `shopify:${id}`, anonymousId, timestamp, properties, context: { page } };
    // Plain text needs no preflight.
    await post("/v1/batch", {
      writeKey: key,
      sentAt: new Date().toISOString(),
      context: { library: { name: "hilo-shopify-pixel", version: "1.0.0" }, consent: { categoryPreferences: allowed } },
      batch: [one],
    });
    return { anonymousId, url: page.url, checkout: data.checkout };
  }

  /** The boxes of Shopify's checkout. Their text is the shop's, so the pixel's settings tell it. */
  async function optIn({ anonymousId, url, checkout }) {
    const headers = { "content-type": "application/json", "x-hilo": "1", authorization: `Bearer ${key}` };
    const said = { state: "subscribed", text: optInText, version: "shopify-checkout", anonymousId, url };
    const { buyerAcceptsEmailMarketing, buyerAcceptsSmsMarketing, email, smsMarketingPhone } = checkout;
    if (buyerAcceptsEmailMarketing && email) await post("/v1/optin", { ...said, channel: "email", address: email }, headers);
    if (buyerAcceptsSmsMarketing && smsMarketingPhone) await post("/v1/optin", { ...said, channel: "sms", address: smsMarketingPhone }, headers);
  }

  for (const [name, read] of Object.entries(EVENTS)) {
    if (scope === "checkout" && !CHECKOUT.test(name)) continue;
    analytics.subscribe(name, async (event) => {
      if (!allowed.analytics) return;
      const told = read(event.data ?? {});
      if (!told) return;
      const sent = await send(event, told);
      if (name === "checkout_completed" && optInText) await optIn(sent);
    });
  }
}
