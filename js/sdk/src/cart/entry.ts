/** The file that a page loads with its first cart act: the cart, and the reader of the site's calls. */
export { perform } from "./calls.ts";
export { open } from "./index.ts";
