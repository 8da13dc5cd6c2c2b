//! The bounds of a cart, in one place. They are cart.md's; the hub refuses what crosses them.
//! Holds numbers only; who checks them is said beside each.

/// Lines of a cart. Checked by the operations and by the hub.
pub const LINES_MAX: usize = 200;
/// Units of a line. Operations refuse more; what concurrency adds up beyond it is shown as this many.
pub const QUANTITY_MAX: u32 = 9_999;
/// Live dots of a line at the hub. A replica that sees so many adds by a `Set` of the sum.
///
/// More than cart.md's 32: every page load writes under a name of its own, so whoever adds an article now and then came there,
/// and a `Set` that restates the line beside a fold that restates a part of it says units twice.
pub const LINE_DOTS_MAX: usize = 256;
/// Live dots of a whole cart at the hub: keeps its state within what one row may hold (2 MB in a Durable Object).
pub const CART_DOTS_MAX: usize = 4_096;
/// Live dots of a line at which an `add` folds its replica's own: high enough to be rare, and with room for others below the
/// most.
pub const LINE_DOTS_FOLD: usize = 24;
/// Bytes of a delta on the wire.
pub const DELTA_BYTES_MAX: usize = 32 * 1024;
/// Operations of one replica that one delta may bring: bounds what a forged sequence number can claim.
pub const WINDOW: u32 = 64;
/// Replicas that one epoch may hear of.
pub const REPLICAS_MAX: usize = 512;
/// Replicas beyond which an empty cart starts a new epoch.
pub const REPLICAS_BEFORE_EPOCH: usize = 128;
/// Deltas the hub keeps to answer a returning replica without a snapshot.
pub const RING_MAX: u64 = 256;
/// Bytes of a variant id, like any id of hilo.
pub const VARIANT_BYTES_MAX: usize = crate::identity::ID_BYTES_MAX;
/// Bytes of a line's name.
pub const NAME_BYTES_MAX: usize = 512;
/// Bytes of a line's web address or picture.
pub const URL_BYTES_MAX: usize = 2_048;
/// Lines whose display fields the hub keeps, gone lines included; beyond it those of gone lines are forgotten.
pub const INFO_MAX: usize = 2 * LINES_MAX;
