//! The reasons to refuse an operation or a delta: a closed list with stable codes.
//! Holds no policy: `op` and `hub` decide. The page has only the reasons without a value.

#[cfg(feature = "edge")]
use super::context::{Dot, ReplicaId};
#[cfg(feature = "edge")]
use alloc::collections::BTreeMap;

/// A reason to refuse. A refused operation or delta changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not JSON of the delta's shape, or an interval that ends before it begins.
    Malformed,
    /// An unknown version of the wire.
    UnknownVersion,
    /// More than [`super::limits::DELTA_BYTES_MAX`].
    DeltaTooLarge,
    /// The delta is another replica's than its session's.
    ForeignReplica,
    #[cfg(feature = "edge")]
    /// Earlier operations have not arrived. Send the operations of `replica` from number `from` on, or this delta again later.
    Missing {
        /// The replica whose operations are missing.
        replica: ReplicaId,
        /// The first missing operation.
        from: u32,
    },
    #[cfg(feature = "edge")]
    /// The delta's epoch has ended. `previous` holds the operations that were applied, if the delta is of the last epoch.
    Epoch {
        /// The number of each replica's last operation that was applied.
        previous: Option<BTreeMap<ReplicaId, u32>>,
    },
    #[cfg(feature = "edge")]
    /// A dot that the hub knows with another content, or that stands twice.
    DotConflict(Dot),
    #[cfg(feature = "edge")]
    /// A count of another replica, or more units taken back than the dot has.
    ForeignUse(Dot),
    /// A line key or display field that is empty or too long.
    BadLine,
    /// More than [`super::limits::LINES_MAX`] lines.
    TooManyLines,
    /// More than [`super::limits::QUANTITY_MAX`] units, or none where some are needed.
    BadQuantity,
    /// More than [`super::limits::LINE_DOTS_MAX`] live dots on a line, or [`super::limits::CART_DOTS_MAX`] in all.
    TooManyDots,
    /// More than [`super::limits::REPLICAS_MAX`] replicas in one epoch.
    TooManyReplicas,
    /// The replica has used up its numbers: mint another.
    ReplicaExhausted,
}

impl Refusal {
    /// The stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::Malformed => "malformed_delta",
            Refusal::UnknownVersion => "unknown_version",
            Refusal::DeltaTooLarge => "delta_too_large",
            Refusal::ForeignReplica => "foreign_replica",
            #[cfg(feature = "edge")]
            Refusal::Missing { .. } => "missing",
            #[cfg(feature = "edge")]
            Refusal::Epoch { .. } => "epoch",
            #[cfg(feature = "edge")]
            Refusal::DotConflict(_) => "dot_conflict",
            #[cfg(feature = "edge")]
            Refusal::ForeignUse(_) => "foreign_use",
            Refusal::BadLine => "bad_line",
            Refusal::TooManyLines => "too_many_lines",
            Refusal::BadQuantity => "bad_quantity",
            Refusal::TooManyDots => "too_many_dots",
            Refusal::TooManyReplicas => "too_many_replicas",
            Refusal::ReplicaExhausted => "replica_exhausted",
        }
    }
}
