//! The carts that the events of a timeline are about: bodies → labels, for the erasure of the person.
//!
//! An event is not parsed for it. A sender may write any label, so a cart checks whether it is the person's.

use std::collections::BTreeSet;

use super::row::open;
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::LABEL_CHARS;

/// The most carts of one person that an erasure looks at.
const CARTS_MAX: usize = 256;
/// How the events of a cart name it (`store/cart/touch.rs`).
const NAMED: &str = "\"cart_id\":\"";

/// Lists the labels in the events. A row that cannot be read is passed over: it must not stop an erasure.
pub(in super::super) fn cart_labels(sql: &impl Sql) -> Result<BTreeSet<String>, Failure> {
    let (mut labels, mut after) = (BTreeSet::new(), -1);
    // Row by row: a row may have 1 MB.
    let next = "SELECT seq, bodies FROM batches WHERE seq > ? ORDER BY seq LIMIT 1";
    while let Some(mut row) = sql.exec(next, &[SqlValue::int(after)?])?.pop() {
        after = row.int("seq")?;
        let bodies = row.take_bytes("bodies").and_then(|bodies| open(sql, after, bodies));
        let bodies = bodies.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        for label in bodies.as_deref().into_iter().flat_map(labels_in) {
            if labels.len() < CARTS_MAX {
                labels.insert(label.to_owned());
            }
        }
    }
    Ok(labels)
}

fn labels_in(bodies: &str) -> impl Iterator<Item = &str> {
    let named = bodies.split(NAMED).skip(1).filter_map(|rest| rest.split('"').next());
    named.filter(|label| label.len() == LABEL_CHARS && label.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_between_other_texts() {
        let label = "0123456789abcdef0123456789abcdef";
        let bodies = format!(
            r#"{{"cart_id":"{label}"}}{{"a":"cart_id","cart_id":"short"}}{{"cart_id":"{}"}}"#,
            label.replace('0', "g")
        );
        assert_eq!(labels_in(&bodies).collect::<Vec<_>>(), [label]);
    }
}
