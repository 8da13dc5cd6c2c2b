/** The file that a page loads with its first cart act: the cart, and what reads the carts of shops. */
export { open } from "./index.ts";
export * from "./observe.ts";
