//! What exactly goes in and out of each stage: `golden/<stage>/<sentence-like-case>.in.json` → `.out.json`.
//!
//! A stage is one line in a table below and one adapter file beside its cases. The walker is in `support.rs`.

#[path = "golden/capture.rs"]
mod capture;
#[path = "golden/config.rs"]
mod config;
#[path = "golden/feeds.rs"]
mod feeds;
#[path = "golden/forward.rs"]
mod forward;
#[path = "golden/inbound.rs"]
mod inbound;
#[path = "golden/mapping.rs"]
mod mapping;
#[path = "golden/matrix.rs"]
mod matrix;
#[path = "golden/normalize.rs"]
mod normalize;
#[path = "golden/orders.rs"]
mod orders;
#[path = "golden/plan.rs"]
mod plan;
#[path = "golden/price.rs"]
mod price;
#[path = "golden/validate.rs"]
mod validate;

use hilo_tests::{Family, Stage, check_golden};

/// Every stage with golden cases, in the order an event travels.
const STAGES: &[Stage] = &[
    Stage { path: "config", run: config::run },
    Stage { path: "config/warnings", run: config::warn },
    Stage { path: "price", run: price::run },
    Stage { path: "validate", run: validate::run },
    Stage { path: "normalize/clock", run: normalize::clock_step },
    Stage { path: "normalize/name", run: normalize::name_step },
    Stage { path: "normalize/page", run: normalize::page_step },
    Stage { path: "normalize/campaign", run: normalize::campaign_step },
    Stage { path: "normalize/click_id", run: normalize::click_id_step },
    Stage { path: "normalize/channel", run: normalize::channel_step },
    Stage { path: "normalize/user_agent", run: normalize::user_agent_step },
    Stage { path: "normalize/geo", run: normalize::geo_step },
    Stage { path: "normalize/scrub", run: normalize::scrub_step },
    Stage { path: "normalize/currency", run: normalize::currency_step },
    Stage { path: "normalize/contact", run: normalize::contact_step },
    Stage { path: "normalize/all", run: normalize::all },
    Stage { path: "plan", run: plan::run },
    Stage { path: "mapping", run: mapping::run },
    Stage { path: "mapping/inbound", run: inbound::rules },
    Stage { path: "orders/shopify", run: orders::shopify_orders },
    Stage { path: "orders/woocommerce", run: orders::woocommerce_orders },
];

/// Stages of a kind each, found by their catalogue.
const FAMILIES: &[Family] = &[
    Family { path: "capture", members: capture::kinds, run: capture::run },
    Family { path: "feeds", members: feeds::kinds, run: feeds::run },
    Family { path: "inbound", members: inbound::presets, run: inbound::run },
    Family { path: "forward", members: forward::kinds, run: forward::run },
];

#[test]
fn every_case_comes_out_as_written() {
    check_golden(STAGES, FAMILIES);
}
