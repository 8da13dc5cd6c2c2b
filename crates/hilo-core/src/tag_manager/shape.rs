//! Which shop events a push holds, in whose words, and where their values stand.
//!
//! In: an event's name and the data that count for it. Out: what was told. Decides nothing about carts.

use alloc::vec::Vec;

use crate::plain::Plain;

/// What a push says that happened.
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
    /// A list of products was shown.
    List,
    /// A product of a list was chosen.
    Click,
    /// A product was shown.
    Detail,
    /// A product was put on a wishlist.
    Wish,
    /// A later step of a checkout was shown.
    Step,
    /// A step of a checkout was done.
    StepDone,
    /// The way to pay was chosen.
    Payment,
    /// An order was given back.
    Refund,
    /// A promotion was shown.
    Promo,
    /// A promotion was chosen.
    PromoClick,
    /// Products were searched for.
    Search,
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

/// One shop event of a push.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'p> {
    /// What it is.
    pub(super) family: Family,
    /// In whose words.
    pub(super) words: Words,
    /// The list of articles, or of promotions.
    pub(super) items: Option<&'p Plain>,
    /// The order's id.
    pub(super) order_id: Option<&'p str>,
    /// The objects that may hold what is said about the whole event, the nearest first.
    pub(super) around: [&'p Plain; 3],
}

/// GA4's event, Universal Analytics' key for the same, and what it is. The order first, because an entry may have several keys.
const EVENTS: [(&str, &str, Family); 16] = [
    ("purchase", "purchase", Family::Purchase),
    ("add_to_cart", "add", Family::Add),
    ("remove_from_cart", "remove", Family::Remove),
    ("begin_checkout", "checkout", Family::Checkout),
    ("view_item_list", "impressions", Family::List),
    ("select_item", "click", Family::Click),
    ("view_item", "detail", Family::Detail),
    ("add_shipping_info", "checkout_option", Family::StepDone),
    ("refund", "refund", Family::Refund),
    ("view_promotion", "promoView", Family::Promo),
    ("select_promotion", "promoClick", Family::PromoClick),
    ("view_cart", "", Family::View),
    ("add_to_wishlist", "", Family::Wish),
    ("add_payment_info", "", Family::Payment),
    ("search", "", Family::Search),
    ("view_search_results", "", Family::Search),
];

impl Told<'_> {
    /// What is said about the whole event under the first of these names that has a value.
    #[inline(never)]
    pub(super) fn value(&self, names: &[&str]) -> Option<&Plain> {
        self.around.iter().find_map(|place| place.value(names))
    }
}

impl Family {
    /// Whether each of its products, or promotions, is an event.
    pub(super) const fn is_each(self) -> bool {
        matches!(self, Family::Click | Family::Detail | Family::Wish) || self.is_promotion()
    }

    /// The event's name in Segment's words, where the cart does not report it itself.
    pub(super) const fn name(self) -> Option<&'static str> {
        Some(match self {
            Family::List => "Product List Viewed",
            Family::Click => "Product Clicked",
            Family::Detail => "Product Viewed",
            Family::Wish => "Product Added to Wishlist",
            Family::Step => "Checkout Step Viewed",
            Family::StepDone => "Checkout Step Completed",
            Family::Payment => "Payment Info Entered",
            Family::Refund => "Order Refunded",
            Family::Promo => "Promotion Viewed",
            Family::PromoClick => "Promotion Clicked",
            Family::Search => "Products Searched",
            Family::Add | Family::Remove | Family::View | Family::Checkout | Family::Purchase => {
                return None;
            }
        })
    }

    /// Whether its list holds promotions.
    pub(super) const fn is_promotion(self) -> bool {
        matches!(self, Family::Promo | Family::PromoClick)
    }

    /// Whether somebody acted, so that the same may happen again. Everything else is a page that shows itself.
    pub(super) const fn is_act(self) -> bool {
        matches!(
            self,
            Family::Add | Family::Remove | Family::Click | Family::Wish | Family::PromoClick
        )
    }
}

/// GA4's event under the names that Elevar (`dl_`) and Stape (`_stape`) give it.
pub(super) fn family(event: &str) -> Option<Family> {
    let event = event.strip_prefix("dl_").unwrap_or(event);
    let event = event.strip_suffix("_stape").unwrap_or(event);
    EVENTS.iter().find(|(name, ..)| *name == event).map(|(.., family)| *family)
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
    let promotions = if family.is_promotion() { of(&["promotions"]) } else { None };
    Some(Told {
        family,
        words,
        items: promotions.or_else(|| of(&["items", "products"])),
        order_id: of(&["transaction_id"]).and_then(Plain::text),
        around: [data, entry, entry],
    })
}

/// The keys of Universal Analytics in an `ecommerce` object. The event's own name is free and counts for nothing.
pub(super) fn universal(ecommerce: &Plain) -> Vec<Told<'_>> {
    let read = |(_, key, family): &(&str, &str, Family)| {
        let data = ecommerce.value(&[key]).filter(|data| data.text().is_none())?;
        let field = data.object("actionField").unwrap_or(data);
        // Later steps of a checkout have no meaning for the cart.
        let is_later = field.get("step").and_then(Plain::text).is_some_and(|step| step != "1");
        let (is_checkout, is_list) = (*family == Family::Checkout, *family == Family::List);
        Some(Told {
            family: if is_checkout && is_later { Family::Step } else { *family },
            words: Words::Universal,
            items: if is_list { Some(data) } else { data.value(&["products", "promotions"]) },
            order_id: field.get("id").and_then(Plain::text),
            around: [field, data, ecommerce],
        })
    };
    EVENTS.iter().filter(|(_, key, _)| !key.is_empty()).filter_map(read).collect()
}
