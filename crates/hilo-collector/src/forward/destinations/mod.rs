//! The catalogue of every kind of destination, with one file each.
//!
//! A new kind needs its file, its `mod` line and its row here, and golden cases in `tests/golden/forward/<kind>/`. No
//! file of this folder can send, wait or read a clock.

pub(super) mod answer;
pub mod archive;
mod bigquery;
mod braze;
mod buffer;
mod clickhouse;
mod commerce;
mod contact;
mod conversion;
mod crm;
mod ga4;
mod google_ads;
mod hashing;
mod hootsuite;
mod hubspot;
mod kafka;
mod marketo;
mod meta;
mod posthog;
mod publish;
mod salesforce;
mod segment;
pub mod target;
#[cfg(test)]
pub(super) mod testing;
mod tiktok;
mod webhook;
mod whole;
mod zoho;

use super::destination::Kind;

pub use webhook::{signed, signing_key};

/// Every kind of destination.
pub const CATALOGUE: &[Kind] = &[
    archive::KIND,
    bigquery::KIND,
    braze::KIND,
    buffer::KIND,
    clickhouse::KIND,
    ga4::KIND,
    google_ads::KIND,
    hootsuite::KIND,
    hubspot::KIND,
    kafka::KIND,
    marketo::KIND,
    meta::KIND,
    posthog::KIND,
    salesforce::KIND,
    segment::KIND,
    tiktok::KIND,
    webhook::KIND,
    zoho::KIND,
    #[cfg(test)]
    super::tests::LEAVER,
    #[cfg(test)]
    super::tests::METER,
    #[cfg(test)]
    super::tests::VAULT,
];
