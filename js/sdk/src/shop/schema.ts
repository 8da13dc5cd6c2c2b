/**
 * The objects of schema.org that a page has for search engines → its products as cells. Pure: JSON in, cells out. Which product counts for
 * what is decided elsewhere.
 */

/** A product under one of its ids. */
export interface Product {
  id: unknown;
  name: unknown;
  brand: unknown;
  category: unknown;
  price?: unknown;
  currency?: unknown;
}

type Json = any;

const IDS = /^(productID|sku|mpn|gtin\d*|productGroupID|@id)$/;
const TYPE = /^(.*\/)?(Product|ProductGroup|IndividualProduct)$/;
/** Objects within objects. */
const DEPTH_MAX = 5;

const list = (value: Json): Json[] => (Array.isArray(value) ? value : value ? [value] : []);
const single = (value: Json): Json => (Array.isArray(value) && value.length !== 1 ? undefined : list(value)[0]);

/** The products of an object and how many are no variant of another one. A product has one entry for each of its ids. */
export function productsIn(data: Json, depth = DEPTH_MAX): { products: Product[]; heads: number } {
  const products: Product[] = [];
  let heads = 0;
  for (const one of depth ? list(data) : []) {
    if (!one || typeof one !== "object") continue;
    if (list(one["@type"]).some((type) => TYPE.test(type))) {
      heads += 1;
      const ids = Object.keys(one).filter((name) => IDS.test(name));
      for (const name of ids) products.push({ id: one[name], name: one.name, brand: one.brand?.name ?? one.brand, category: one.category, ...priceOf(one) });
    }
    const graph = productsIn(one["@graph"], depth - 1);
    heads += graph.heads;
    products.push(...graph.products, ...productsIn(one.hasVariant, depth - 1).products);
  }
  return { products, heads };
}

/** The price. Of several offers, and of a range, nobody can tell which one counts. */
function priceOf({ offers }: Json): Partial<Product> {
  const offer = single(offers);
  const one = offer?.offers ? single(offer.offers) : offer;
  const part = single(one?.priceSpecification);
  const price = one?.price ?? part?.price;
  return price === undefined ? {} : { price, currency: one.priceCurrency ?? part?.priceCurrency };
}
