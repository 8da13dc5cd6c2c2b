//! The JavaScript face of the shop's module: nothing but conversions. `js/sdk/src/shop/` reads the shop's page, and performs the
//! calls that come out.

use std::cell::RefCell;

use hilo_core::tag_manager::{self, Line};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::platform::capture::Moment;
use crate::platform::codes::UNREADABLE;
use crate::shell::browser::copied::{milliseconds, plain};
use crate::tag_manager::TagManager;

thread_local! {
    static TAG_MANAGER: RefCell<TagManager> = RefCell::default();
}

/// Reads an entry of the `dataLayer`. `elapsed_ms` is negative for an entry from before the reader. Answers sentences for the
/// developer, a line each; or [`UNREADABLE`]; or, where `may_ask`, that the entry needs the shop's currency.
#[wasm_bindgen]
pub fn read_push(
    entry: JsValue,
    url: String,
    elapsed_ms: f64,
    currency: String,
    may_ask: bool,
) -> String {
    let Moment { elapsed_ms, path } = Moment::new(&url, milliseconds(elapsed_ms));
    let at_ms = (elapsed_ms >= 0).then_some(elapsed_ms);
    let moment = tag_manager::Moment { at_ms, path: &path, currency: &currency, may_ask };
    match plain(entry) {
        Some(entry) => of_tag_manager(&mut |reader| reader.read(&entry, &moment)),
        None => String::from(UNREADABLE),
    }
}

/// Reads a shop system's own cart, as `hilo_core::tag_manager::Reader::read_cart` says. Its act waits for [`next_act`].
#[wasm_bindgen]
pub fn read_cart(cart: JsValue) {
    if let Some(cart) = plain(cart) {
        of_tag_manager(&mut |reader| {
            reader.read_cart(&cart);
            String::new()
        });
    }
}

/// Learns the page's products, as `hilo_core::tag_manager::Reader::learn_products` says.
#[wasm_bindgen]
pub fn learn_products(products: JsValue) {
    let mut products = plain(products).unwrap_or_default();
    of_tag_manager(&mut |reader| {
        reader.learn_products(core::mem::take(&mut products));
        String::new()
    });
}

/// The calls of the next act, as [`TagManager::next`] writes them. `lines` are the cart's, `undefined` before they are known.
#[wasm_bindgen]
pub fn next_act(lines: JsValue, is_leaving: bool) -> String {
    let lines = Line::all(&plain(lines).unwrap_or_default());
    of_tag_manager(&mut |reader| reader.next(lines.as_deref(), is_leaving))
}

fn of_tag_manager(act: &mut dyn FnMut(&mut TagManager) -> String) -> String {
    let answer =
        TAG_MANAGER.try_with(|cell| cell.try_borrow_mut().map(|mut reader| act(&mut reader)));
    answer.ok().and_then(Result::ok).unwrap_or_default()
}
