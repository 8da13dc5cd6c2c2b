/**
 * The functions of a page's module that write words nobody reads, or do more than a page needs. `sweep.ts` and `hush.ts` find them by their
 * names.
 */

/** Panics, lists that outgrow the memory, and Rust's futures: no module has one, but js-sys always brings them. */
const TRAPS = /::panicking::|::assert_failed|raw_vec::handle_error|alloc_error|rust_oom|slice_error_fail|slice_index_fail|js_sys::futures::/;
/** Everything that formats. The tracker writes its own numbers and JSON. */
const WORDS = /core::fmt::/;

/** What takes a list or a text from JavaScript. */
const TAKES = /FromWasmAbi\$u20\$for\$u20\$alloc::boxed::Box.*::from_abi/;

/** A capture kind that is left out, where `cargo xtask size --kinds` asks what it costs. */
const WITHOUT = process.env["HILO_WITHOUT"];
const LEFT_OUT = WITHOUT ? new RegExp(`hilo_tracker::capture::${WITHOUT}::`) : /$^/;

/** Linker and `wasm-bindgen` write the same name differently: dots in place of colons, a crate's hash behind it. */
const plain = (name: string) => name.replace(/\[[0-9a-f]+\]/g, "").replaceAll("..", "::");

/** Whether the function ends the module in any case, or is left out, so that a trap can stand in its place. */
export const isTrap = (name: string) => TRAPS.test(plain(name)) || LEFT_OUT.test(plain(name));
/** Whether the function only puts words together. */
export const isWording = (name: string) => !isTrap(name) && WORDS.test(plain(name));
/** Whether the function makes a box of a list from JavaScript. Such a list fills its memory, so nothing has to shrink. */
export const isTaking = (name: string) => TAKES.test(plain(name));
