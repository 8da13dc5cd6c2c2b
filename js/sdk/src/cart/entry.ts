/** The file that a page loads with its first cart act: the cart, and what reads the calls of shops. */
export { perform } from "./calls.ts";
export { open } from "./index.ts";
