//! The collector on Cloudflare's runtime: requests, bindings, Durable Objects, the queue.
//!
//! This is the only folder that imports `worker`. No rule of hilo is decided here.

pub mod bindings;
mod buckets;
mod cart_object;
mod crypto;
pub mod edge;
mod feed_object;
mod import_object;
mod inbox_object;
mod index_object;
mod journal_object;
mod object;
mod object_sql;
pub mod profile_object;
pub mod requests;
mod settings;
mod side;
mod token_object;
mod upload;
mod watchers;
