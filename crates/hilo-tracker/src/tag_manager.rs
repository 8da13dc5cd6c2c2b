//! What a shop pushes to its tag manager → calls of the page's cart, as text for JavaScript.
//!
//! In: copied entries and the cart's lines. Out: sentences for the developer, and calls as JSON, a line each. It is no capture
//! kind: kinds give named acts for the gate, and this gives calls of the cart, which reports its own touchpoints.
//! `hilo_core::tag_manager` decides.

use hilo_core::digits;
use hilo_core::plain::Plain;
use hilo_core::tag_manager::{Article, Call, Details, Line, Moment, Named, Reader};

use crate::json::Json;
use crate::platform::codes::{CART_WANTED, CURRENCY_WANTED};

/// The reader of the page's `dataLayer`, with text as its answers.
#[derive(Debug, Default)]
pub struct TagManager(Reader);

impl TagManager {
    /// Reads one entry. Answers the sentences for the developer, a line each, or [`CURRENCY_WANTED`] as [`Reader::read`] says.
    pub fn read(&mut self, entry: &Plain, moment: &Moment<'_>) -> String {
        let Some(notes) = self.0.read(entry, moment) else { return String::from(CURRENCY_WANTED) };
        let mut lines = String::new();
        for note in notes {
            lines.push_str(&note);
            lines.push('\n');
        }
        lines
    }

    /// Does what [`Reader::read_cart`] says.
    pub fn read_cart(&mut self, cart: &Plain) {
        self.0.read_cart(cart);
    }

    /// Does what [`Reader::learn_products`] says.
    pub fn learn_products(&mut self, products: Plain) {
        self.0.learn_products(products);
    }

    /// The calls of the next act, each on a line that ends; an act without calls is an empty line. Empty text where no act waits,
    /// [`CART_WANTED`] where the act needs the cart's lines. A page that `is_leaving` gives up what only the lines could tell.
    pub fn next(&mut self, lines: Option<&[Line]>, is_leaving: bool) -> String {
        match self.0.next(lines, is_leaving) {
            Some(calls) if calls.is_empty() => String::from("\n"),
            Some(calls) => calls.iter().map(text).collect(),
            None if self.0.is_waiting() => String::from(CART_WANTED),
            None => String::new(),
        }
    }
}

/// A call by its name in `js/sdk/src/cart/calls.ts`, with its arguments; a named act as its name, a tab and its properties.
fn text(call: &Call) -> String {
    let mut json = Json::new();
    let named = |json: &mut Json, name: &str| {
        json.text("call", name).list("args");
    };
    match call {
        Call::Add(one) => {
            named(&mut json, "cart.add");
            article(&mut json, one);
            json.number("", i64::from(one.quantity.unwrap_or(1)));
        }
        Call::Set(one, units) | Call::Correct(one, units) => {
            named(&mut json, "cart.set");
            article(&mut json, one);
            json.number("", i64::from(*units));
            // A quiet act: no touchpoint comes of it.
            if matches!(call, Call::Correct(..)) {
                json.raw("", "true");
            }
        }
        Call::Dec(one, units) => {
            named(&mut json, "cart.dec");
            article(&mut json, one);
            json.number("", i64::from(*units));
        }
        Call::Viewed => named(&mut json, "cart.viewed"),
        Call::Checkout => named(&mut json, "cart.checkout"),
        Call::Ordered(order_id, bought, about) => {
            named(&mut json, "cart.ordered");
            json.text("", order_id);
            if bought.is_empty() {
                json.raw("", "null");
            } else {
                json.list("");
                bought.iter().for_each(|one| article(&mut json, one));
                json.end();
            }
            json.open("");
            properties(&mut json, about);
            json.close();
        }
        Call::Named(about) => {
            properties(&mut json, about);
            let mut line = String::from(about.name);
            line.push('\t');
            line.push_str(&json.done());
            line.push('\n');
            return line;
        }
    }
    json.end();
    let mut line = json.done();
    line.push('\n');
    line
}

/// What an event is about.
fn properties(json: &mut Json, Named { details: own, products, .. }: &Named) {
    details(json, own);
    if !products.is_empty() {
        json.list("products");
        for product in products {
            json.open("");
            details(json, product);
            json.close();
        }
        json.end();
    }
}

fn details(json: &mut Json, details: &Details) {
    for (name, is_text, value) in details.each() {
        if is_text {
            json.text(name, value);
        } else {
            json.raw(name, value);
        }
    }
}

/// A line as the site would name it.
fn article(json: &mut Json, Article { key, name, price, quantity }: &Article) {
    json.open("").text("product_id", &key.product_id).some("name", name);
    if key.options_hash > 0 {
        let mut hash = String::new();
        digits::push(&mut hash, false, key.options_hash);
        json.text("options_hash", &hash);
    }
    if let Some(currency) = key.currency {
        json.text("currency", currency.code());
    }
    if let Some(price) = price {
        json.text("price", &price.text());
    }
    if let Some(quantity) = quantity {
        json.number("quantity", i64::from(*quantity));
    }
    json.close();
}
