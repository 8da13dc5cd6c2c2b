//! The bounds of a cart, in one place. The hub refuses a delta that crosses them.
//! Holds numbers only.

/// Lines of a cart. Checked by the operations and by the hub.
pub const LINES_MAX: usize = 200;
/// Units of a line. Operations refuse more. Where concurrent adds exceed the bound, the cart shows this many.
pub const QUANTITY_MAX: u32 = 9_999;
/// Live dots of a line at the hub. A replica that sees so many dots adds by a `Set` of the sum.
///
/// Every page load writes under a replica of its own, so a line that is added to now and then reaches 32 dots. A `Set` of the
/// whole line beside a fold of a part of it would count units twice; 256 dots are out of reach.
pub const LINE_DOTS_MAX: usize = 256;
/// Live dots of a whole cart at the hub: keeps its state within what one row may hold (2 MB in a Durable Object).
pub const CART_DOTS_MAX: usize = 4_096;
/// Live dots of a line at which an `add` folds its replica's own dots: high enough to be rare, and low enough to leave room
/// for dots of other replicas.
pub const LINE_DOTS_FOLD: usize = 24;
/// Bytes of a delta on the wire.
pub const DELTA_BYTES_MAX: usize = 32 * 1024;
/// Operations of one replica in one delta. Bounds the claim of a forged number.
pub const WINDOW: u32 = 64;
/// Replicas of one epoch.
pub const REPLICAS_MAX: usize = 512;
/// Replicas beyond which an empty cart starts a new epoch.
pub const REPLICAS_BEFORE_EPOCH: usize = 128;
/// Deltas that the hub keeps, so that a returning replica needs no snapshot.
pub const RING_MAX: u64 = 256;
/// Bytes of a variant id, like any id of hilo.
pub const VARIANT_BYTES_MAX: usize = crate::identity::ID_BYTES_MAX;
/// Bytes of a line's name.
pub const NAME_BYTES_MAX: usize = 512;
/// Bytes of a line's web address or picture.
pub const URL_BYTES_MAX: usize = 2_048;
/// Lines whose display fields the hub keeps, gone lines included. Beyond the bound the hub forgets the fields of gone lines.
pub const INFO_MAX: usize = 2 * LINES_MAX;
