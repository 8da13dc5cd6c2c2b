//! One name per act: names of Segment's first e-commerce version become names of the second.
//! Source: Segment's e-commerce spec, v1 names (<https://segment.com/docs/connections/spec/ecommerce/v1/>).

use crate::event::{Event, EventKind, Facts};

/// Old name, new name.
const RENAMED: [(&str, &str); 8] = [
    ("Viewed Product Category", "Product List Viewed"),
    ("Viewed Product", "Product Viewed"),
    ("Added Product", "Product Added"),
    ("Removed Product", "Product Removed"),
    ("Viewed Checkout Step", "Checkout Step Viewed"),
    ("Completed Checkout Step", "Checkout Step Completed"),
    ("Started Order", "Checkout Started"),
    ("Completed Order", "Order Completed"),
];

/// Renames the event of a track call.
pub fn apply(event: &mut Event, _facts: &Facts) {
    if let EventKind::Track { event: name, .. } = &mut event.kind
        && let Some((_, new)) = RENAMED.iter().find(|(old, _)| old == name)
    {
        *name = (*new).to_owned();
    }
}
