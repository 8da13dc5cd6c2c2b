//! A visitor as a page stores it: the id, behind it the id that the page made and its proof while these are still of use.

use hilo_core::text::cut;

/// The id of a visitor as stored.
pub(super) fn id_of(visitor: &str) -> &str {
    cut(visitor, b' ').0
}

/// The id that the page made for this visitor, with its proof; empty where it needs neither any more.
pub(super) fn offer_of(visitor: &str) -> &str {
    match cut(visitor, b' ').1 {
        Some(rest) if cut(rest, b' ').1.is_some() => rest,
        Some(_) => visitor,
        None => "",
    }
}
