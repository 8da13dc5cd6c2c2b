//! Documents that the code checks: the destinations' pages, whose facts come from the catalogue, the field table, and the examples of the
//! mapping form.

#[path = "docs/admin.rs"]
mod admin;
#[path = "docs/destinations.rs"]
mod destinations;
#[path = "docs/facts.rs"]
mod facts;
#[path = "docs/fields.rs"]
mod fields;
#[path = "docs/mapping.rs"]
mod mapping;
#[path = "docs/touchpoints.rs"]
mod touchpoints;
#[path = "docs/webhooks.rs"]
mod webhooks;
