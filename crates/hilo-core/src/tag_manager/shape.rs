//! Which cart events a push holds, in whose words, and where their values stand.
//!
//! In: an event's name and the data that count for it. Out: what was told. Decides nothing about carts.

use alloc::vec::Vec;

use super::plain::Plain;

/// What a push says about a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Articles were put in.
    Add,
    /// Articles were taken out.
    Remove,
    /// The cart was looked at.
    View,
    /// A checkout began.
    Checkout,
    /// An order was placed.
    Purchase,
}

/// The words of a push. One act that is pushed in two of them is one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// `{event, ecommerce: {items}}`.
    Ga4,
    /// `{ecommerce: {add: {products}}}`.
    Universal,
    /// `gtag("event", name, {items})`.
    Gtag,
}

/// One cart event of a push.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'p> {
    /// What it is.
    pub(super) family: Family,
    /// In whose words.
    pub(super) words: Words,
    /// The list of articles.
    pub(super) items: Option<&'p Plain>,
    /// The order's id.
    pub(super) order_id: Option<&'p str>,
    /// The objects that may name a currency, the nearest first.
    pub(super) around: [&'p Plain; 2],
}

/// GA4's events about products, without those about a cart. Each ends what was pushed before it.
const OTHERS: &str = "view_item view_item_list select_item add_to_wishlist add_shipping_info add_payment_info refund \
                      view_promotion select_promotion";

/// Keys of Universal Analytics, the order first.
const KEYS: [(&str, Family); 4] = [
    ("purchase", Family::Purchase),
    ("add", Family::Add),
    ("remove", Family::Remove),
    ("checkout", Family::Checkout),
];

/// GA4's event under the names that Elevar (`dl_`) and Stape (`_stape`) give it.
pub(super) fn family(event: &str) -> Option<Family> {
    match bare(event) {
        "add_to_cart" => Some(Family::Add),
        "remove_from_cart" => Some(Family::Remove),
        "view_cart" => Some(Family::View),
        "begin_checkout" => Some(Family::Checkout),
        "purchase" => Some(Family::Purchase),
        _ => None,
    }
}

fn bare(event: &str) -> &str {
    let event = event.strip_prefix("dl_").unwrap_or(event);
    event.strip_suffix("_stape").unwrap_or(event)
}

/// Whether the event is one of GA4's events about products.
pub(super) fn is_ecommerce(event: &str) -> bool {
    family(event).is_some() || crate::text::lists(OTHERS, bare(event))
}

/// GA4's event `name` with its flat parameters, or with its `ecommerce` object.
pub(super) fn ga4<'p>(
    name: &str,
    words: Words,
    data: &'p Plain,
    entry: &'p Plain,
) -> Option<Told<'p>> {
    let family = family(name)?;
    let of = |names: &[&str]| data.value(names).or_else(|| entry.value(names));
    Some(Told {
        family,
        words,
        items: of(&["items", "products"]),
        order_id: of(&["transaction_id"]).and_then(Plain::text),
        around: [data, entry],
    })
}

/// The keys of Universal Analytics in an `ecommerce` object. The event's own name is free and counts for nothing.
pub(super) fn universal(ecommerce: &Plain) -> Vec<Told<'_>> {
    let read = |(key, family): &(&str, Family)| {
        let data = ecommerce.object(key)?;
        let field = data.object("actionField");
        let step = field.and_then(|field| field.get("step")?.text());
        // Later steps of a checkout have no meaning for the cart.
        if *family == Family::Checkout && step.is_some_and(|step| step != "1") {
            return None;
        }
        Some(Told {
            family: *family,
            words: Words::Universal,
            items: data.value(&["products"]),
            order_id: field.and_then(|field| field.get("id")?.text()),
            around: [data, ecommerce],
        })
    };
    KEYS.iter().filter_map(read).collect()
}

/// Whether an object has a key of Universal Analytics.
pub(super) fn has_universal(ecommerce: &Plain) -> bool {
    KEYS.iter().any(|(key, _)| ecommerce.object(key).is_some())
}
