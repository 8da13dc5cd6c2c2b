//! Google's names for what happened, and what each of them asks for.
//!
//! Event → name; name and parameters → the reason why Google's own tool refuses them, if it does. The lists are those of Google's
//! reference of the Measurement Protocol and of its event builder.

use hilo_core::event::EventKind;
use serde_json::Value;

use crate::forward::destination::BatchEvent;

/// What a name must be, for people.
pub(super) const RULE: &str =
    "at most 40 letters, digits and _, a letter first, without Google's own beginnings and names";

/// The most characters of a name.
const NAME_CHARS_MAX: usize = 40;

/// Segment's names and Google's names for them.
const NAMES: [(&str, &str); 21] = [
    ("Products Searched", "search"),
    ("Product List Viewed", "view_item_list"),
    ("Promotion Viewed", "view_promotion"),
    ("Promotion Clicked", "select_promotion"),
    ("Product Clicked", "select_item"),
    ("Product Viewed", "view_item"),
    ("Product Added", "add_to_cart"),
    ("Product Removed", "remove_from_cart"),
    ("Product Added to Wishlist", "add_to_wishlist"),
    ("Cart Viewed", "view_cart"),
    ("Checkout Started", "begin_checkout"),
    ("Payment Info Entered", "add_payment_info"),
    ("Shipping Info Entered", "add_shipping_info"),
    ("Order Completed", "purchase"),
    ("Order Refunded", "refund"),
    ("Lead Submitted", "generate_lead"),
    ("Form Started", "form_start"),
    ("Form Submitted", "form_submit"),
    ("Signed Up", "sign_up"),
    ("Signed In", "login"),
    ("Product Shared", "share"),
];

/// Names that Google keeps for itself, and those that a web stream does not take.
const RESERVED: [&str; 34] = [
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_impression",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_update",
    "app_upgrade",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "firebase_campaign",
    "firebase_in_app_message_action",
    "firebase_in_app_message_dismiss",
    "firebase_in_app_message_impression",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "notification_send",
    "os_update",
    "screen_view",
    "session_start",
    "user_engagement",
];

/// Names of user properties that Google keeps for itself.
pub(super) const RESERVED_USER_PROPERTIES: [&str; 5] = [
    "first_open_time",
    "first_visit_time",
    "last_deep_link_referrer",
    "user_id",
    "first_open_after_install",
];

/// Beginnings of names that Google keeps for itself.
const RESERVED_BEGINNINGS: [&str; 3] = ["ga_", "google_", "firebase_"];

/// What Google's event builder asks for, by the event's name.
const REQUIRED: [(&str, &[&str]); 17] = [
    ("add_payment_info", &["value", "items"]),
    ("add_shipping_info", &["value", "items"]),
    ("add_to_cart", &["value", "items"]),
    ("add_to_wishlist", &["value", "items"]),
    ("begin_checkout", &["value", "items"]),
    ("generate_lead", &["value"]),
    ("purchase", &["transaction_id", "value", "items"]),
    ("refund", &["transaction_id", "value"]),
    ("remove_from_cart", &["value", "items"]),
    ("search", &["search_term"]),
    ("select_item", &["items"]),
    ("spend_virtual_currency", &["value", "virtual_currency_name"]),
    ("unlock_achievement", &["achievement_id"]),
    ("view_cart", &["value", "items"]),
    ("view_item", &["value", "items"]),
    ("view_item_list", &["items"]),
    ("view_promotion", &["items"]),
];

/// Whether a text may be the name of an event or a parameter.
pub(super) fn is_name(text: &str) -> bool {
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_long = text.len() > NAME_CHARS_MAX;
    let is_reserved = RESERVED_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
    is_word && !is_long && !is_reserved && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The name of an event at Google.
///
/// # Errors
/// Why Google would not take the name.
pub(super) fn of(one: &BatchEvent<'_>) -> Result<String, String> {
    let name = match (&one.mapped.name, &one.event.kind) {
        (Some(name), _) => name.clone(),
        (None, EventKind::Page { .. }) => "page_view".to_owned(),
        (None, kind) => {
            let label = kind.label().unwrap_or_default();
            let known = NAMES.iter().find(|(ours, _)| *ours == label);
            known.map_or_else(|| word(label), |(_, theirs)| (*theirs).to_owned())
        }
    };
    if RESERVED.contains(&name.as_str()) {
        return Err(format!(
            "Google Analytics keeps the name {name} for itself; give the event another"
        ));
    }
    if !is_name(&name) {
        return Err(format!("{name:?} is no name of an event: {RULE}"));
    }
    Ok(name)
}

/// A name as Google writes names: `Cart Abandoned` is `cart_abandoned`.
fn word(label: &str) -> String {
    let mut out = String::new();
    for c in label.chars() {
        match c.is_ascii_alphanumeric() {
            true => out.push(c.to_ascii_lowercase()),
            false if out.ends_with('_') || out.is_empty() => {}
            false => out.push('_'),
        }
    }
    out.trim_end_matches('_').chars().take(NAME_CHARS_MAX).collect()
}

/// Whether an event has what Google asks for.
///
/// # Errors
/// What is missing.
pub(super) fn check_params(name: &str, params: &Value) -> Result<(), String> {
    let required = REQUIRED.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, r)| *r);
    for param in required {
        let is_there = match params.get(*param) {
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
            None => false,
        };
        if !is_there {
            let with_currency = if *param == "value" { " with its currency" } else { "" };
            return Err(format!("{name} needs {param}{with_currency}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_google_takes() {
        assert_eq!(word("Cart Abandoned"), "cart_abandoned");
        assert_eq!(word("  Réserver – Table 2! "), "r_server_table_2");
        assert_eq!(word(&"é".repeat(50)), "");
        assert!(is_name("cart_abandoned") && is_name("A1"));
        for name in ["", "1a", "_a", "ga_x", "google_x", "firebase_x", "a b", &"a".repeat(41)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
