//! Why an operation or a delta is refused: a closed list with stable codes.
//! Holds no policy; `op` and `hub` decide. The page gives none of those that carry something.

#[cfg(feature = "edge")]
use super::context::{Dot, ReplicaId};
#[cfg(feature = "edge")]
use alloc::collections::BTreeMap;

/// A refusal. What was refused changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not JSON of the delta's shape, or an interval that ends before it begins.
    Malformed,
    /// A version of the wire this side does not speak.
    UnknownVersion,
    /// More than [`super::limits::DELTA_BYTES_MAX`].
    DeltaTooLarge,
    /// The delta speaks for another replica than its session was given.
    ForeignReplica,
    #[cfg(feature = "edge")]
    /// Something before it has not arrived: send from the number `from` of `replica` on, or send this again later.
    Missing {
        /// Whose operations are missing.
        replica: ReplicaId,
        /// The first of them.
        from: u32,
    },
    #[cfg(feature = "edge")]
    /// The delta is of an epoch that has ended. `previous` is what the last epoch had seen at its end, if the delta is of that one.
    Epoch {
        /// Per replica the number of its last operation that was applied.
        previous: Option<BTreeMap<ReplicaId, u32>>,
    },
    #[cfg(feature = "edge")]
    /// A dot that already says something else, or stands twice.
    DotConflict(Dot),
    #[cfg(feature = "edge")]
    /// Units taken back in the name of another replica, or more than the dot ever had.
    ForeignUse(Dot),
    /// A line key or display field that is empty or too long, or display fields of a line that is not there.
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
