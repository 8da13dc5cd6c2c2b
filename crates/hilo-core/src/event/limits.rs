//! The bounds of requests and events, in one place. Holds numbers only: `validate` checks them.

/// Bytes of a request body on the wire (identity.md, abuse).
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a request body after inflating.
pub const INFLATED_BYTES_MAX: usize = 1024 * 1024;
/// Events in one batch: the Segment HTTP API's own limit.
pub const BATCH_EVENTS_MAX: usize = 2_500;
/// Persons that one envelope under a public key may be about. A page or an app is about one person, and a few more after logouts
/// that its queue has seen. Each person costs an object, and anybody can copy a public key.
pub const PUBLIC_PERSONS_MAX: usize = 8;
/// Bytes of one event: the Segment HTTP API's own limit.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// Keys in one object.
pub const OBJECT_KEYS_MAX: usize = 255;
/// Bytes of one key.
pub const KEY_BYTES_MAX: usize = 128;
/// Bytes of one string that the field table does not bound tighter.
pub const STRING_BYTES_MAX: usize = 8 * 1024;
/// Levels of nesting.
pub const DEPTH_MAX: usize = 16;
