/**
 * The capture kinds of the second file, each under the name that switches it on: one line a kind.
 *
 * `hilo-tracker/src/capture/mod.rs` lists their other halves. Page views are captured by the first file: `pages.ts`.
 */
export { clicks } from "./clicks.ts";
export { engagement } from "./engagement.ts";
export { forms } from "./forms.ts";
export { media } from "./media.ts";
export { search } from "./search.ts";
