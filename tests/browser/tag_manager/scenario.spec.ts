/**
 * Promise: a cart that a shop keeps itself holds what the shop pushes to its `dataLayer`, in every shape that shops push, and holds no
 * article less because a price or a currency is unknown. What cannot be read is one line in the console. The page's own `push` stays
 * the page's.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { isBound, passed, startBrowser, startSite, until, withSnippet } from "../scenario.ts";

type Json = any;

const browser = await startBrowser();
const bodies: Record<string, string> = {};
const site = await startSite((path) => {
  const [name = "", attributes = 'data-cart="dataLayer" data-debug'] = decodeURIComponent(path.slice(1)).split("|");
  return withSnippet(`<script>${bodies[name] ?? ""}</script>`, attributes);
});
after(async () => {
  await browser.close();
  await site.close();
});

const GTAG = "window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }";
const LAYER = "window.dataLayer = window.dataLayer || []; const push = (entry) => dataLayer.push(entry);";

/** Opens a page with this script, and collects what the console says. */
async function open(script: string, attributes?: string, prepare: (page: Json) => Promise<unknown> = async () => {}) {
  const name = String(Object.keys(bodies).length);
  bodies[name] = script;
  const page: Json = await (await browser.newContext()).newPage();
  page.said = [];
  page.problems = [];
  page.on("pageerror", (error: Error) => page.problems.push(error.message));
  page.on("console", (message: Json) => message.text().startsWith("hilo:") && page.said.push(message.text()));
  await prepare(page);
  await page.goto(`${site.url}/${name}${attributes === undefined ? "" : encodeURIComponent(`|${attributes}`)}`);
  return page;
}

/** Waits until the cart has the lines; then asserts that it keeps them. Each line as `id quantity price currency`. */
async function shows(page: Json, expected: string[]) {
  const read = () =>
    page.evaluate(() => (window as Json).hilo.cart.lines().map((one: Json) => [one.product_id, one.quantity, one.price ?? "?", one.currency].join(" ")).sort());
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && JSON.stringify(await read()) !== JSON.stringify([...expected].sort())) await page.waitForTimeout(50);
  await passed(page, 300);
  assert.deepEqual(await read(), [...expected].sort());
  assert.deepEqual(page.problems, []);
}

const totals = (page: Json) => page.evaluate(() => [(window as Json).hilo.cart.totals(), (window as Json).hilo.cart.unpriced()]);
const close = (page: Json) => page.context().close();

test("C01: a price as a shop system prints it is exact, or unknown and said", async () => {
  const page = await open(`hilo.ready(() => {
    window.dataLayer = window.dataLayer || [];
    const add = (item) => dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [item] } });
    add({ item_id: "SOFA-1", price: "4,245.42", quantity: 1 });
    add({ item_id: "NET-1", price: 12.396694, quantity: 2 });
    add({ item_id: "FOUR", price: "19.9900", quantity: 1 });
    add({ item_id: "LONG", price: 40.97999999999999687361, quantity: 1 });
    window.add = add;
  });`);
  const lines = ["SOFA-1 1 4245.42 EUR", "NET-1 2 12.40 EUR", "FOUR 1 19.99 EUR", "LONG 1 40.98 EUR"];
  await shows(page, lines);
  assert.deepEqual(await totals(page), [{ EUR: "4331.19" }, 0]);
  await page.evaluate(() => (window as Json).add({ item_id: "TWO", price: "1,234", quantity: 3 }));
  await shows(page, [...lines, "TWO 3 ? EUR"]);
  assert.deepEqual(await totals(page), [{ EUR: "4331.19" }, 3]);
  const about = page.said.filter((text: string) => text.includes("TWO"));
  assert.equal(about.length, 1, page.said.join("\n"));
  assert.match(about[0], /add_to_cart.*TWO.*1,234.*two readings/);
  await close(page);
});

test("C02: gtag's older names, quantities as text, and the currency of its config are read", async () => {
  const script = (config: string) => `${GTAG} hilo.ready(() => {
    ${config}
    gtag("event", "add_to_cart", { items: [{ id: "#53", name: "Variable product", quantity: "1" }] });
    gtag("event", "add_to_cart", { currency: "EUR", items: [{ id: "54", name: "Mug", quantity: "2", price: "10.00" }] });
    gtag("event", "add_to_cart", { items: [{ item_id: 55, item_name: "No currency", price: 5, quantity: 1 }] });
  });`;
  const page = await open(script(`gtag("config", "G-TEST", { currency: "EUR" });`));
  await shows(page, ["#53 1 ? EUR", "54 2 10.00 EUR", "55 1 5.00 EUR"]);
  await close(page);

  const bare = await open(script(""));
  await shows(bare, ["#53 1 ? XXX", "54 2 10.00 EUR", "55 1 ? XXX"]);
  assert.deepEqual(await totals(bare), [{ EUR: "20.00" }, 2]);
  assert.ok(bare.said.some((text: string) => /55.*no currency/.test(text)), bare.said.join("\n"));
  await close(bare);

  const told = await open(script(""), 'data-cart="dataLayer" data-currency="CHF"');
  await shows(told, ["#53 1 ? CHF", "54 2 10.00 EUR", "55 1 5.00 CHF"]);
  await close(told);

  // The collector tells `normalize.currency` of hilo.toml, asked once and only where nothing else tells a currency.
  let questions = 0;
  const settings = (page: Json) =>
    page.route("**/v1/projects/wk_t/settings", (route: Json) => ((questions += 1), route.fulfill({ json: { currency: "SEK" } })));
  const asked = await open(script(""), undefined, settings);
  await shows(asked, ["#53 1 ? SEK", "54 2 10.00 EUR", "55 1 5.00 SEK"]);
  assert.equal(questions, 1);
  await close(asked);
  await close(await open(script(`gtag("set", { currency: "EUR" });`), undefined, settings));
  assert.equal(questions, 1);
});

test("lists of articles ask for nothing before consent, and the first act on the cart asks for the currency", async () => {
  const lists = `${LAYER} hilo.ready(() => {
    push({ event: "view_item_list", ecommerce: { items: [{ item_id: "A", price: 5 }] } });
    push({ event: "view_item", ecommerce: { items: [{ item_id: "A", price: 5 }] } });
    push({ event: "view_cart", ecommerce: { items: [] } });
  });`;
  const asked: string[] = [];
  const page = await open(lists, undefined, async (page: Json) => {
    page.on("request", (request: Json) => /\/v1\//.test(request.url()) && asked.push(new URL(request.url()).pathname));
    await page.route("**/v1/projects/wk_t/settings", (route: Json) => route.fulfill({ json: { currency: "SEK" } }));
  });
  await page.waitForFunction(() => (window as Json).dataLayer?.length === 3 && String((window as Json).dataLayer.push).includes("apply"));
  await site.quiet();
  assert.deepEqual(asked, []);
  await page.evaluate(() => (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { items: [{ item_id: "A", price: 5 }] } }));
  await shows(page, ["A 1 5.00 SEK"]);
  assert.equal(asked[0], "/_h/v1/projects/wk_t/settings");
  await close(page);
});

test("C03: items are read as an object, a list in a list, an object of numbers, and beside the event", async () => {
  const page = await open(`hilo.ready(() => { ${LAYER}
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: { item_id: "A", price: 5, quantity: 1 } } });
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [[{ item_id: "B", price: 6, quantity: 1 }]] } });
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: { "0": { item_id: "C", price: 7, quantity: 1 } } } });
    push({ event: "add_to_cart", currency: "EUR", items: [{ item_id: "D", price: 8, quantity: 1 }] });
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: "E" } });
  });`);
  await shows(page, ["A 1 5.00 EUR", "B 1 6.00 EUR", "C 1 7.00 EUR", "D 1 8.00 EUR"]);
  assert.ok(page.said.some((text: string) => /add_to_cart.*item/.test(text)), page.said.join("\n"));
  await close(page);
});

test("C04: data that are pushed before their event count once, and ecommerce null clears them", async () => {
  const page = await open(`hilo.ready(() => { ${LAYER}
    push({ ecommerce: null });
    push({ ecommerce: { currency: "EUR", items: [{ item_id: "M", price: 5, quantity: 2 }] } });
    push({ event: "add_to_cart" });
    push({ ecommerce: null });
    push({ event: "add_to_cart" });
  });`);
  await shows(page, ["M 2 5.00 EUR"]);
  assert.deepEqual(await totals(page), [{ EUR: "10.00" }, 0]);
  assert.equal(page.said.filter((text: string) => /no item/.test(text)).length, 1, page.said.join("\n"));
  await close(page);
});

test("the page's push keeps its order, its result and its errors, and reads each entry once in each envelope", async () => {
  const page = await open(`${GTAG}
    dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "early", price: 1 }] } });`);
  await shows(page, ["early 1 1.00 EUR"]);
  const found = await page.evaluate(() => {
    const { dataLayer, gtag } = window as Json;
    const add = (id: string) => ({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: id, price: 1 }] } });
    const cyclic: Json = add("cyclic");
    cyclic.ecommerce.items[0].self = cyclic;
    cyclic.element = document.body;
    const list: Json[] = [];
    for (let i = 0; i < 300; i += 1) list.push(list);
    const getter: Json = add("getter");
    Object.defineProperty(getter.ecommerce.items[0], "name", { enumerable: true, get: () => { throw new Error("a getter of the page"); } });
    const length = dataLayer.push(Object.freeze(add("frozen")), () => { throw new Error("called"); }, cyclic, getter, null, 7, { event: "add_to_cart", items: list });
    const same = add("same");
    dataLayer.push(same);
    dataLayer.push(same);
    gtag("event", "add_to_cart", { currency: "EUR", items: [{ item_id: "gtag" }] });
    dataLayer.push(["event", "add_to_cart", { currency: "EUR", items: [{ item_id: "list" }] }]);
    return [length, dataLayer.length];
  });
  assert.deepEqual(found, [8, 12]);
  await shows(page, ["early 1 1.00 EUR", "frozen 1 1.00 EUR", "cyclic 1 1.00 EUR", "getter 1 1.00 EUR", "same 1 1.00 EUR", "gtag 1 ? EUR", "list 1 ? EUR"]);
  await close(page);
});

test("a dataLayer that the page assigns anew is read, and so is one of another name", async () => {
  const add = (id: string) => `{ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "${id}", price: 1 }] } }`;
  const page = await open(`window.dataLayer = [${add("first")}];`);
  await shows(page, ["first 1 1.00 EUR"]);
  await page.evaluate(() => {
    (window as Json).dataLayer = [{ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "second", price: 1 }] } }];
  });
  await shows(page, ["first 1 1.00 EUR", "second 1 1.00 EUR"]);
  await close(page);

  const named = await open(`const tag = document.createElement("script"); tag.src = "/_h/gtm.js?id=GTM-1&l=shopLayer"; document.head.append(tag); window.shopLayer = [${add("named")}];`);
  await shows(named, ["named 1 1.00 EUR"]);
  await close(named);
});

test("a pushed cart corrects the captured cart without a touchpoint, and a removal finds its line", async () => {
  const page = await open(`${LAYER}
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "A", item_variant: "Blue", price: 5 }, { item_id: "GONE", price: 1 }, { item_id: "KEPT" }] } });`);
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await shows(page, ["A 1 5.00 EUR", "GONE 1 1.00 EUR", "KEPT 1 ? EUR"]);
  await page.evaluate(() => (window as Json).push({ event: "view_cart", ecommerce: { currency: "EUR", items: [] } })).catch(() => {});
  await page.evaluate(() => {
    const items = [{ item_id: "A", item_variant: "Blue", price: "5,00", quantity: 4 }, { item_id: "KEPT", price: 2 }];
    (window as Json).dataLayer.push({ event: "view_cart", ecommerce: { currency: "EUR", items } });
  });
  await shows(page, ["A 4 5.00 EUR", "KEPT 1 2.00 EUR"]);
  await page.evaluate(() => (window as Json).dataLayer.push({ event: "remove_from_cart", ecommerce: { items: [{ id: "A" }] } }));
  await shows(page, ["KEPT 1 2.00 EUR"]);
  await page.evaluate(() => (window as Json).hilo.flush());
  await site.quiet();
  const names = site.events().filter((event) => event["type"] === "track").map((event) => `${event["event"]} ${event["properties"].product_id ?? ""}`);
  assert.ok(names.includes("Cart Viewed "), names.join());
  assert.ok(!names.includes("Product Removed GONE"), names.join());
  await close(page);
});

test("an article that is pushed while the page is left is in the next page's cart", async () => {
  const page = await open(LAYER);
  // The visitor leaves before the cart's file is there.
  let isHeld = true;
  await page.route("**/hilo-cart.*.js", (route: Json) => (isHeld ? undefined : route.continue()));
  await page.waitForFunction(() => String((window as Json).dataLayer.push).includes("apply"));
  await page.evaluate(() => {
    (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "last", price: 1 }] } });
    (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "more", price: 1, quantity: 3 }] } });
    (window as Json).dataLayer.push({ event: "remove_from_cart", ecommerce: { currency: "EUR", items: [{ item_id: "more", quantity: 2 }] } });
  });
  isHeld = false;
  await page.reload();
  await shows(page, ["last 1 1.00 EUR", "more 1 1.00 EUR"]);
  await close(page);
});

test("a page whose site wants nothing of its shop never loads the shop's file", async () => {
  const asked: string[] = [];
  const page = await open(LAYER, "data-debug", async (page) => page.on("request", (request: Json) => asked.push(request.url())));
  await page.evaluate(() => (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "M", price: 1 }] } }));
  await isBound(page);
  await passed(page, 1_000);
  assert.deepEqual(asked.filter((url) => url.includes("hilo-shop")), []);
  await shows(page, []);
  await close(page);
});

test("a tracker that ends before the shop's file is there leaves the page's push alone", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let asked = 0;
  const page = await open(LAYER, undefined, (page) =>
    page.route("**/hilo-shop.*.js", async (route: Json) => {
      asked += 1;
      await held;
      await route.continue();
    }),
  );
  await until(() => asked);
  await page.evaluate(() => (window as Json).hilo.destroy());
  const loaded = page.waitForResponse((response: Json) => /hilo-shop\.\w+\.js$/.test(response.url()));
  release();
  await loaded;
  await passed(page, 500);
  assert.match(await page.evaluate(() => String((window as Json).dataLayer.push)), /native code/);
  assert.deepEqual(page.problems, []);
  await close(page);
});

for (const file of [/hilo-shop\.\w+\.js$/, /hilo-shop\.\w+\.(wasm|mjs)$/]) {
  test(`a shop's file that did not load is asked for again, and what was pushed meanwhile counts: ${file.source.slice(15)}`, async () => {
    let failures = 0;
    const page = await open(`${LAYER} push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "M", price: 1 }] } });`, undefined, (page) =>
      page.route((url: URL) => file.test(url.pathname), (route: Json) => (failures++ ? route.continue() : route.abort())),
    );
    // The first attempt fails, and the next one comes after two seconds.
    await until(() => failures);
    await page.evaluate(() => (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "N", price: 2 }] } }));
    await shows(page, ["M 1 1.00 EUR", "N 1 2.00 EUR"]);
    assert.equal(failures, 2);
    assert.match(page.said.join("\n"), /a file of hilo does not load/);
    await close(page);
  });
}

test("Universal Analytics' keys act, and a twin in GA4's words counts once", async () => {
  const page = await open(`${LAYER} hilo.ready(() => setTimeout(() => {
    push({ event: "addToCart", ecommerce: { currencyCode: "EUR", add: { products: [{ id: "M", name: "Mug", price: "20,00", quantity: 2 }] } } });
    push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "M", price: 20, quantity: 2 }] } });
    push({ event: "ee_remove", ecommerce: { currencyCode: "EUR", remove: { products: [{ id: "M", quantity: "1" }] } } });
  }, 1500));`);
  await shows(page, ["M 1 20.00 EUR"]);
  await page.evaluate(() => (window as Json).dataLayer.push({ ecommerce: { currencyCode: "EUR", purchase: { actionField: { id: "T1" }, products: [{ id: "M", price: "20.00", quantity: 1 }] } } }));
  // The order waits for the hub.
  await page.waitForFunction(() => localStorage.getItem("hilo.cart")?.includes("T1"));
  await close(page);
});
