//! The one way to add a thing: a destination or a normalize step without golden cases is not finished.

use super::tree::Tree;

/// A purchase, a page view, a "not for us", and one with a missing optional.
const DESTINATION_CASES_MIN: usize = 4;
/// Something to do, and nothing to do.
const STEP_CASES_MIN: usize = 2;

/// Every destination has its golden cases.
pub(super) fn destinations_have_golden_cases(tree: &Tree) -> Vec<String> {
    // `target.rs` is the rule about addresses that destinations share.
    cases(
        tree,
        "crates/hilo-collector/src/forward/destinations/",
        &["mod", "target"],
        "tests/golden/forward/",
        DESTINATION_CASES_MIN,
    )
}

/// Every normalize step has its golden cases.
pub(super) fn normalize_steps_have_golden_cases(tree: &Tree) -> Vec<String> {
    cases(
        tree,
        "crates/hilo-core/src/normalize/",
        &["mod"],
        "tests/golden/normalize/",
        STEP_CASES_MIN,
    )
}

fn cases(tree: &Tree, home: &str, not: &[&str], golden: &str, min: usize) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below(home, ".rs") {
        let name = file.stem();
        // Files in folders below belong to the step they stand in.
        let is_one = file.path.strip_prefix(home).is_some_and(|rest| !rest.contains('/'))
            && !not.contains(&name);
        let folder = format!("{golden}{name}/");
        let count = tree.below(&folder, ".in.json").count();
        if is_one && count < min {
            found.push(format!("{}: {count} golden cases, {min} are the least. Add pairs to {folder} and run `cargo xtask golden`.", file.path));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    const STEP: &str = "crates/hilo-core/src/normalize/clock.rs";

    #[test]
    fn a_destination_without_golden_cases_is_found() {
        let destination = "crates/hilo-collector/src/forward/destinations/webhook.rs";
        let found = destinations_have_golden_cases(&tree(&[
            (destination, ""),
            ("tests/golden/forward/webhook/a.in.json", ""),
        ]));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("1 golden cases"), "{found:?}");
    }

    #[test]
    fn a_step_with_cases_and_the_list_of_steps_are_fine() {
        let fine = tree(&[
            (STEP, ""),
            ("crates/hilo-core/src/normalize/mod.rs", ""),
            ("tests/golden/normalize/clock/late.in.json", ""),
            ("tests/golden/normalize/clock/early.in.json", ""),
        ]);
        assert_eq!(normalize_steps_have_golden_cases(&fine), Vec::<String>::new());
        assert_eq!(normalize_steps_have_golden_cases(&tree(&[(STEP, "")])).len(), 1);
    }
}
