/** The names in the browser's storage that the cart's files and `../cart.ts` share. */

/** The cart itself. */
export const CART = "hilo.cart";
/** Prefix of the lots that `left.ts` and the stub store. */
export const LEFT = "hilo.w";
