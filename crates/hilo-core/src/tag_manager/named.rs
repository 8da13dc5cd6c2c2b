//! What a push tells beside acts on the cart → named acts in Segment's words, and what belongs to an order.
//!
//! In: a shop event and its articles. Out: names and values, in order. Amounts are exact; a value that is no amount is left out.

use alloc::string::String;
use alloc::vec::Vec;

use super::article::{self, Article};
use super::notes::Notes;
use super::order;
use super::shape::{Family, Told};
use crate::digits;
use crate::money::{Amount, Currency};
use crate::plain::Plain;
use crate::search_term;
use crate::text::{cut, parts, shortened};

/// Views of one push.
const VIEWS_MAX: usize = 20;
/// Bytes of a value.
const VALUE_BYTES_MAX: usize = 256;
/// The mark between the parts of a category.
const CATEGORY_MARK: &str = " > ";

/// Values by their names, in order, as text: a value is a name, `t` for a text or `j` for JSON, the value, and a line's end. Lists of
/// pairs would be a tenth of the shop's module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(String);

impl Details {
    /// Adds a text, unless the value is there already. Empty text is none.
    #[inline(never)]
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let value = shortened(value, VALUE_BYTES_MAX);
        self.add(name, "t", value);
    }

    /// Adds JSON: a number in decimal text, or a word.
    pub(super) fn json(&mut self, name: &str, value: &str) {
        self.add(name, "j", value);
    }

    #[inline(never)]
    fn add(&mut self, name: &str, kind: &str, value: &str) {
        if value.is_empty() || self.each().any(|(known, ..)| known == name) {
            return;
        }
        for part in [name, "\t", kind] {
            self.0.push_str(part);
        }
        // Neither a line's end nor a tab in a value is of any use.
        for part in parts(value, b'\n') {
            self.0.push_str(part);
        }
        self.0.push('\n');
    }

    /// Adds a number that JSON has, or a text.
    #[inline(never)]
    fn copy(&mut self, name: &str, value: Option<&Plain>) {
        let Some(given) = value.and_then(Plain::text) else { return };
        if matches!(value, Some(Plain::Number(_))) && is_decimal(given) {
            self.json(name, given);
        } else {
            self.text(name, given);
        }
    }

    /// Adds an amount in decimal text.
    #[inline(never)]
    pub(super) fn money(&mut self, name: &str, amount: Option<Amount>) {
        if let Some(amount) = amount {
            self.json(name, &amount.text());
        }
    }

    /// Adds what the other has and this lacks.
    fn join(&mut self, other: &Details) {
        for (name, is_text, value) in other.each() {
            self.add(name, if is_text { "t" } else { "j" }, value);
        }
    }

    /// Each value: its name, whether it is a text, and the value.
    pub fn each(&self) -> impl Iterator<Item = (&str, bool, &str)> {
        parts(&self.0, b'\n').filter_map(|line| {
            let (name, value) = cut(line, b'\t');
            let value = value?;
            Some((name, value.starts_with('t'), value.get(1..)?))
        })
    }

    /// The whole, to compare it with another one.
    pub(super) fn whole(&self) -> &str {
        &self.0
    }
}

/// A named act, or what an order is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The event's name.
    pub name: &'static str,
    /// Its values.
    pub details: Details,
    /// Its products, where it has a list of them.
    pub products: Vec<Details>,
}

/// What may be said about a whole event: our name, and the shops' name.
const ABOUT: [(&str, &str); 7] = [
    ("affiliation", "affiliation"),
    ("coupon", "coupon"),
    ("list_id", "item_list_id"),
    ("shipping_method", "shipping_tier"),
    ("payment_method", "payment_type"),
    ("step", "step"),
    ("option", "option"),
];
const PRODUCT: [(&str, [&str; 2]); 5] = [
    ("brand", ["item_brand", "brand"]),
    ("variant", ["item_variant", "variant"]),
    ("sku", ["sku"; 2]),
    ("coupon", ["coupon"; 2]),
    ("position", ["index", "position"]),
];
const PROMOTION: [(&str, [&str; 2]); 4] = [
    ("promotion_id", ["promotion_id", "id"]),
    ("creative", ["creative_name", "creative"]),
    ("name", ["promotion_name", "name"]),
    ("position", ["creative_slot", "position"]),
];

fn is_decimal(text: &str) -> bool {
    let (whole, decimals) = cut(text, b'.');
    let is_tail = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    digits::read(whole).is_some() && decimals.is_none_or(is_tail)
}

/// A product in Segment's words. `around` is the currency of the whole event.
#[inline(never)]
pub(super) fn product(item: &Plain, article: &Article, around: Option<Currency>) -> Details {
    let mut details = Details::default();
    details.text("product_id", &article.key.product_id);
    details.text("name", &article.name);
    details.text("category", &category(item));
    copy(&mut details, item, &PRODUCT);
    details.money("price", article.price);
    let own = article.key.currency.filter(|own| Some(*own) != around);
    details.text("currency", own.as_ref().map_or("", Currency::code));
    // The cart counts begun units. What a person reads is the exact quantity.
    if let Some(exact @ Plain::Number(text)) = item.value(&["quantity", "qty"])
        && is_decimal(text)
    {
        details.copy("quantity", Some(exact));
    } else if let Some(units) = article.quantity {
        digits::digits(false, units.into(), |text| details.json("quantity", text));
    }
    details
}

/// A promotion in Segment's words. GA4 writes it into its items and its event too, whose own names are not the promotion's.
pub(super) fn promotion(item: &Plain) -> Details {
    let mut details = Details::default();
    let is_other = item.value(&["item_id", "item_name", "price", "items", "event"]).is_some();
    for (ours, [first, second]) in &PROMOTION {
        let known = item.value(&[first]);
        details.copy(ours, known.or_else(|| item.value(&[second]).filter(|_| !is_other)));
    }
    details
}

fn copy(details: &mut Details, from: &Plain, names: &[(&str, [&str; 2])]) {
    for (ours, theirs) in names {
        details.copy(ours, from.value(theirs));
    }
}

/// The levels of a category from the widest on. One text may hold all of them, with marks that shops use between levels.
fn category(item: &Plain) -> String {
    let mut whole = String::new();
    for name in
        ["item_category", "item_category2", "item_category3", "item_category4", "item_category5"]
    {
        level(&mut whole, item.first(&[name]).unwrap_or_default());
    }
    if whole.is_empty() {
        let mut rest = item.first(&["category"]).unwrap_or_default();
        while !rest.is_empty() {
            let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'>' | b','));
            level(&mut whole, rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().trim());
            rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
        }
    }
    whole
}

#[inline(never)]
fn level(whole: &mut String, level: &str) {
    if !level.is_empty() {
        if !whole.is_empty() {
            whole.push_str(CATEGORY_MARK);
        }
        whole.push_str(level);
    }
}

/// What is said about the whole event.
#[inline(never)]
fn about(told: &Told<'_>, currency: Option<Currency>) -> Details {
    let mut details = Details::default();
    for (ours, theirs) in ABOUT {
        details.copy(ours, told.value(&[theirs]));
    }
    details.text("currency", currency.as_ref().map_or("", Currency::code));
    details
}

/// The named acts that the event comes to.
#[inline(never)]
pub(super) fn acts(
    name: &'static str,
    told: &Told<'_>,
    currency: Option<Currency>,
    products: Vec<Details>,
    notes: &mut Notes<'_>,
) -> Vec<Named> {
    let mut details = about(told, currency);
    if told.family.is_each() {
        let mut acts: Vec<Named> = Vec::new();
        for mut own in products.into_iter().take(VIEWS_MAX) {
            if !own.whole().is_empty()
                && !acts.iter().any(|act| act.details.whole().starts_with(own.whole()))
            {
                // What is said of the product itself counts.
                own.join(&details);
                acts.push(Named { name, details: own, products: Vec::new() });
            }
        }
        return acts;
    }
    if told.family == Family::List {
        let first = told.items.map(article::items).and_then(|items| items.first().copied()?);
        for (ours, theirs) in
            [("category", ["item_list_name", "list"]), ("list_id", ["item_list_id"; 2])]
        {
            details.copy(ours, told.value(&theirs).or_else(|| first?.value(&theirs)));
        }
    }
    if told.family == Family::StepDone {
        details.json("step", "1");
    }
    if told.family == Family::Refund {
        details.text("order_id", told.order_id.unwrap_or_default());
        details.money("total", order::amount(told, &["value", "revenue"], currency, notes));
    }
    if told.family == Family::Search {
        let Some(query) = told.value(&["search_term"]).and_then(Plain::text) else {
            return Vec::new();
        };
        details = Details::default();
        details.text("query", search_term::told(query));
    }
    [Named { name, details, products }].into()
}

/// What an order is about, in the place of what the page's cart would tell of it.
#[inline(never)]
pub(super) fn order_of(
    told: &Told<'_>,
    currency: Option<Currency>,
    articles: &[Article],
    products: Vec<Details>,
    is_whole: bool,
    notes: &mut Notes<'_>,
) -> Named {
    let mut details = about(told, currency);
    order::put_money(told, currency, articles, is_whole, &mut details, notes);
    Named { name: "Order Completed", details, products }
}
