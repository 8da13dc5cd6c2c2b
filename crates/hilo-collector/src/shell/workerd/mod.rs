//! The collector on Cloudflare's runtime: requests, bindings, Durable Objects, the queue.
//!
//! The only folder that imports `worker`. Decides nothing but how to reach things.

pub mod bindings;
mod cart_object;
mod crypto;
pub mod edge;
mod journal_object;
mod object;
mod object_sql;
pub mod profile_object;
mod upload;
