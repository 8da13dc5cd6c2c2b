/**
 * A shop system's cart as `shopify.ts` and `woocommerce.ts` tell it to the module. Types only. Values are the shop's own, as they came:
 * `hilo_core::tag_manager` reads them.
 */

/** A line of a shop system's cart: an amount in minor units, and a `key` only where the line has details of its own. */
export interface ShopLine {
  id: unknown;
  key: unknown;
  name: unknown;
  price: unknown;
  quantity: unknown;
  currency?: unknown;
  decimals?: unknown;
}

/** A shop system's cart, or some lines of it. `isAct`: the visitor has just changed it. */
export interface ShopCart {
  isAct: boolean;
  isWhole: boolean;
  currency?: unknown;
  decimals?: unknown;
  lines: ShopLine[];
}
