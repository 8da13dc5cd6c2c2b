//! The figures that a shop is led by: what customers bring, what they cost, and whether they come back.
//!
//! Orders, touches and costs as plain values → figures. Every amount is in whole minor units of one currency, and [`Rates`] or
//! [`one_currency`] brings amounts there. A figure has its count: see [`Mean`] and [`Share`]. `as_of` is the last local day that a
//! figure includes. Nothing here reads an event, a setting or a clock, and nothing is hidden because few people stand behind it.

mod acquisition;
mod cohort;
mod cost;
mod currency;
mod order;
mod path;
mod share;
mod spread;
mod value;

pub use acquisition::Acquisition;
pub use cohort::{AGE_DAYS, Cell, Cohort, MEMBERS_MIN, cohorts};
pub use cost::{Audience, Cost, Costs, Spent, spread_evenly};
pub use currency::{Converted, OneCurrency, Rate, Rates, one_currency};
pub use order::{Dating, History, Order, Period, Refund, histories, net_revenue};
pub use path::{PathFigures, last_steps};
pub use share::{Estimate, Mean, Share};
pub use spread::{TimeTo, percentile, time_to};
pub use value::{
    Aged, Payback, lifetime_value, order_value, orders_per_customer, payback, repeat_rate,
    revenue_per_customer, roas, roi,
};

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
