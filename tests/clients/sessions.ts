/**
 * One visit to a shop, written as a user of each client writes it, with that client's documentation and hilo's guide
 * (`examples/clients/README.md`) at hand. Nothing of the collector but `/_h/*` is reachable, as on a deployment.
 *
 * A session gets its client's package and where to send. The packages of pages are in `window.client`: Playwright carries the text
 * of a session into the page, so a session uses nothing but its arguments.
 */

/** What a session is told. */
export interface Setup {
  /** Scheme, host and port of the shop. The collector is below its path `/_h`. */
  host: string;
  writeKey: string;
  userId: string;
  anonymousId: string;
}

/** A package without its types: the packages are installed later than TypeScript checks this file. */
type Package = any;

/** `@segment/analytics-next` */
export async function analyticsNext({ host, writeKey, userId }: Setup, client: Package = (globalThis as Package).client) {
  const analytics = client.AnalyticsBrowser.load({ writeKey, cdnURL: `${host}/_h` });
  // What `@segment/analytics-consent-wrapper-onetrust` adds, with the names of its documentation.
  analytics.addSourceMiddleware(({ payload, next }: Package) => {
    payload.obj.context.consent = { categoryPreferences: { Advertising: false, Analytics: true, Functional: true } };
    next(payload);
  });
  await analytics.page("Shop", "Mug", { stock: 3 });
  await analytics.identify(userId, { name: "Ana Peña", plan: "pro", createdAt: new Date("2024-02-29T12:00:00Z"), address: { city: "València" } });
  await analytics.track("Product Added", {
    product_id: "MUG-BLU", name: "Taza «azul» 🫖", price: 19.99, quantity: 2, currency: "EUR", seen_at: new Date("2026-11-20T10:06:40.123Z"),
    serial: "9007199254740993123", ratio: 0.1 + 0.2, gift: null, is_new: true, tags: ["a", "ñ"], nested: { deep: { list: [{ n: 1 }, []] } },
  });
  await analytics.group("shop-club", { name: "Club", members: 12 });
  await analytics.alias("ana-new", userId);
  await analytics.screen("Cart", { items: 1 });
  await analytics.track("Order Completed", {
    order_id: "o-next", total: 44.9, revenue: 40, currency: "EUR",
    products: [{ product_id: "MUG-BLU", price: 19.99, quantity: 2, url: "https://shop.example/p/mug?utm_source=mail" }],
  });
}

/** `@segment/analytics-node`, 2 and 3 alike. */
export async function analyticsNode({ host, writeKey, userId, anonymousId }: Setup, { Analytics }: Package) {
  const analytics = new Analytics({ writeKey, host, path: "/_h/v1/batch" });
  analytics.page({ anonymousId, category: "Docs", name: "Node", properties: { url: "https://shop.example/docs?utm_campaign=spring", path: "/docs" } });
  analytics.identify({ userId, traits: { name: "Ana Peña", age: 42, createdAt: new Date("2024-02-29T12:00:00Z"), tags: ["a", "ñ"] } });
  analytics.track({
    userId, anonymousId, event: "Item Packed", timestamp: new Date("2026-11-20T10:06:40.123Z"),
    properties: { price: 19.99, ratio: 0.1 + 0.2, serial: "9007199254740993123", gift: null, nested: { at: new Date(0), list: [[1], {}] }, word: "茶 🫖" },
    context: { ip: "203.0.113.7", locale: "es-ES", timezone: "Europe/Madrid", app: { name: "Warehouse", version: "3.1", build: 420 } },
  });
  analytics.group({ userId, groupId: "g-1", traits: { name: "Club", employees: 12 } });
  analytics.alias({ userId, previousId: "old-ana" });
  analytics.screen({ userId, name: "Cart", properties: { items: 1 } });
  analytics.track({
    userId, event: "Order Completed", properties: { order_id: "o-node", total: 44.9, currency: "EUR", products: [{ product_id: "MUG-BLU", price: 19.99, quantity: 2 }] },
    context: { consent: { categoryPreferences: { Advertising: false, Analytics: true } } },
  });
  await analytics.closeAndFlush();
}

/** `@rudderstack/analytics-js` */
export async function rudderJs({ host, writeKey, userId }: Setup, client: Package = (globalThis as Package).client) {
  const rudder = new client.RudderAnalytics();
  rudder.load(writeKey, `${host}/_h`, {
    configUrl: `${host}/_h`,
    consentManagement: { enabled: true, provider: "custom", allowedConsentIds: ["Analytics", "Functional"], deniedConsentIds: ["Advertising"] },
  });
  await new Promise<void>((resolve) => rudder.ready(resolve));
  rudder.page("Shop", "Mug", { stock: 3 });
  rudder.identify(userId, { name: "Ana Peña", plan: "pro", address: { city: "València" } });
  rudder.track("Product Added", {
    product_id: "MUG-BLU", name: "Taza «azul» 🫖", price: 19.99, quantity: 2, currency: "EUR", serial: "9007199254740993123", ratio: 0.1 + 0.2,
    gift: null, is_new: true, tags: ["a", "ñ"], nested: { deep: { list: [{ n: 1 }, []] } },
  });
  rudder.group("shop-club", { name: "Club", members: 12 });
  rudder.alias("ana-new", userId);
  rudder.track("Order Completed", { order_id: "o-rudder", total: 44.9, currency: "EUR", products: [{ product_id: "MUG-BLU", price: 19.99, quantity: 2 }] });
}

/** `@rudderstack/rudder-sdk-node` */
export async function rudderNode({ host, writeKey, userId, anonymousId }: Setup, Rudder: Package) {
  const rudder = new Rudder(writeKey, { dataPlaneUrl: `${host}/_h`, logLevel: "error" });
  rudder.page({ anonymousId, name: "Docs", properties: { url: "https://shop.example/docs", path: "/docs" } });
  rudder.identify({ userId, traits: { name: "Ana Peña", age: 42, createdAt: new Date("2024-02-29T12:00:00Z") } });
  rudder.track({
    userId, anonymousId, event: "Item Packed", timestamp: new Date("2026-11-20T10:06:40.123Z"),
    properties: { price: 19.99, ratio: 0.1 + 0.2, serial: "9007199254740993123", gift: null, nested: { at: new Date(0), list: [[1], {}] }, word: "茶 🫖" },
  });
  rudder.group({ userId, groupId: "g-1", traits: { name: "Club", employees: 12 } });
  rudder.alias({ userId, previousId: "old-ana" });
  rudder.screen({ userId, name: "Cart", properties: { items: 1 } });
  rudder.track({ userId, event: "Order Completed", properties: { order_id: "o-rudder-node", total: 44.9, currency: "EUR", products: [{ product_id: "MUG-BLU", quantity: 2 }] } });
  await rudder.flush();
}

/** `@jitsu/js` */
export async function jitsu({ host, writeKey, userId }: Setup, client: Package = (globalThis as Package).client) {
  const jitsu = client.jitsuAnalytics({ host: `${host}/_h`, writeKey, privacy: { consentCategories: { Advertising: false, Analytics: true } } });
  await jitsu.page({ name: "Mug", stock: 3 });
  await jitsu.identify(userId, { name: "Ana Peña", plan: "pro", createdAt: new Date("2024-02-29T12:00:00Z"), address: { city: "València" } });
  await jitsu.track("Product Added", {
    product_id: "MUG-BLU", name: "Taza «azul» 🫖", price: 19.99, quantity: 2, currency: "EUR", seen_at: new Date("2026-11-20T10:06:40.123Z"),
    serial: "9007199254740993123", ratio: 0.1 + 0.2, gift: null, is_new: true, tags: ["a", "ñ"], nested: { deep: { list: [{ n: 1 }, []] } },
  });
  await jitsu.group("shop-club", { name: "Club", members: 12 });
  await jitsu.track("Order Completed", { order_id: "o-jitsu", total: 44.9, currency: "EUR", products: [{ product_id: "MUG-BLU", price: 19.99, quantity: 2 }] });
}
