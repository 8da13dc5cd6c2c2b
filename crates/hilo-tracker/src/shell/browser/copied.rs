//! What the page hands to the modules that read it: copied objects and the page's clock → values of ours.

use hilo_core::plain::Plain;
use wasm_bindgen::JsValue;

/// An object that `js/sdk/src/more/plain.ts` copied.
#[inline(never)]
pub(super) fn plain(copied: JsValue) -> Option<Plain> {
    serde_wasm_bindgen::from_value(copied).ok()
}

/// The page's clock in whole milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a page does not live for centuries")]
pub(super) fn milliseconds(elapsed_ms: f64) -> i64 {
    elapsed_ms as i64
}
