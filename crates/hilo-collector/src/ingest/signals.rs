//! The raw signals of a consent change: a bounded copy of what the page's consent tools said.
//!
//! JSON → signals by name. A signal that does not fit is left out and named in the receipt: signals only describe a choice, and
//! no choice is refused for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// The most bytes of all signals of one change. A TCF string with many vendors has about two thousand, and every change stores
/// its own copy for years.
const SIGNALS_BYTES_MAX: usize = 8 * 1024;
/// The most signals of one change.
const SIGNALS_MAX: usize = 8;
/// The most bytes of a signal's name.
const NAME_BYTES_MAX: usize = 16;
/// The signal that names the signals that were left out.
const LEFT_OUT: &str = "left_out";

/// Reads the field `signals`.
pub(super) fn fitting<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(fit(BTreeMap::deserialize(from)?))
}

fn fit(said: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (mut kept, mut left_out, mut bytes) = (BTreeMap::new(), Vec::new(), 0);
    for (name, value) in said {
        let more = name.len() + value.len();
        let is_name = name.len() <= NAME_BYTES_MAX && name != LEFT_OUT;
        if is_name && kept.len() < SIGNALS_MAX && bytes + more <= SIGNALS_BYTES_MAX {
            bytes += more;
            kept.insert(name, value);
        } else {
            left_out.push(if is_name { name } else { "?".to_owned() });
        }
    }
    if !left_out.is_empty() {
        left_out.truncate(SIGNALS_MAX);
        kept.insert(LEFT_OUT.to_owned(), left_out.join(","));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &[(&str, usize)], expected: &[(&str, usize)], left_out: Option<&str>) {
        let signal = |(name, bytes): &(&str, usize)| ((*name).to_owned(), "x".repeat(*bytes));
        let mut kept = fit(said.iter().map(signal).collect());
        assert_eq!(kept.remove(LEFT_OUT).as_deref(), left_out);
        assert_eq!(kept, expected.iter().map(signal).collect());
    }

    #[test]
    fn signals_that_do_not_fit_are_left_out_and_named() {
        check(&[("gpc", 1), ("tcf", 2_000)], &[("gpc", 1), ("tcf", 2_000)], None);
        check(&[("gpc", 1), ("tcf", 8_189)], &[("gpc", 1)], Some("tcf"));
        check(&[("a", 4_000), ("b", 4_190), ("c", 1)], &[("a", 4_000), ("b", 4_190)], Some("c"));
        let long = "n".repeat(17);
        check(&[(&long, 1), ("gpc", 1)], &[("gpc", 1)], Some("?"));
        check(&[(LEFT_OUT, 1)], &[], Some("?"));
        let names: Vec<String> = (0..300).map(|n| format!("s{n:03}")).collect();
        let many: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let named = names[8..16].join(",");
        check(&many, &many[..8], Some(&named));
    }
}
