//! The one way to add a thing: a destination, a normalize step or a capture kind that lacks one of its parts is not finished.

use super::tree::{Source, Tree};

/// A purchase, a page view, a "not for us", and one with a missing optional.
const DESTINATION_CASES_MIN: usize = 4;
/// Something to do, and nothing to do.
const STEP_CASES_MIN: usize = 2;
/// Something to tell, and nothing to tell.
const CAPTURE_CASES_MIN: usize = 2;

/// What the files of a recipe's folder are called that are no thing of their own.
const DESTINATION_SHARED: [&str; 11] = [
    "answer",
    "commerce",
    "contact",
    "conversion",
    "crm",
    "hashing",
    "mod",
    "publish",
    "target",
    "testing",
    "whole",
];
const STEP_SHARED: [&str; 1] = ["mod"];
const CAPTURE_SHARED: [&str; 1] = ["mod"];

/// Where the page's half of each capture kind stands; `index.ts` lists them.
const CAPTURE_PAGE: &str = "js/sdk/src/capture/";

/// Every destination has its golden cases, and the settings that they run with.
pub(super) fn destinations_are_complete(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in
        things(tree, "crates/hilo-collector/src/forward/destinations/", ".rs", &DESTINATION_SHARED)
    {
        let golden = format!("tests/golden/forward/{}/", file.stem());
        found.extend(too_few_cases(tree, file, &golden, DESTINATION_CASES_MIN));
        found.extend(missing(tree, file, &format!("{golden}settings.toml")));
    }
    found
}

/// Every normalize step has its golden cases.
pub(super) fn normalize_steps_are_complete(tree: &Tree) -> Vec<String> {
    let steps = things(tree, "crates/hilo-core/src/normalize/", ".rs", &STEP_SHARED);
    steps
        .filter_map(|file| {
            too_few_cases(
                tree,
                file,
                &format!("tests/golden/normalize/{}/", file.stem()),
                STEP_CASES_MIN,
            )
        })
        .collect()
}

/// Every capture kind has its two halves, its golden cases and its scenario in a browser.
pub(super) fn capture_kinds_are_complete(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in things(tree, "crates/hilo-tracker/src/capture/", ".rs", &CAPTURE_SHARED) {
        let kind = file.stem();
        found.extend(too_few_cases(
            tree,
            file,
            &format!("tests/golden/capture/{kind}/"),
            CAPTURE_CASES_MIN,
        ));
        found.extend(missing(tree, file, &format!("{CAPTURE_PAGE}{kind}.ts")));
        found.extend(missing(tree, file, &format!("tests/browser/{kind}/scenario.spec.ts")));
    }
    for file in things(tree, CAPTURE_PAGE, ".ts", &["index"]) {
        found.extend(missing(
            tree,
            file,
            &format!("crates/hilo-tracker/src/capture/{}.rs", file.stem()),
        ));
    }
    found
}

/// The files directly in `home` that are one thing each. Files in folders below belong to the thing they stand in.
fn things<'a>(
    tree: &'a Tree,
    home: &'a str,
    ending: &'a str,
    shared: &'a [&str],
) -> impl Iterator<Item = &'a Source> {
    tree.below(home, ending).filter(move |file| {
        let is_direct = file.path.strip_prefix(home).is_some_and(|rest| !rest.contains('/'));
        is_direct && !shared.contains(&file.stem())
    })
}

fn too_few_cases(tree: &Tree, file: &Source, golden: &str, min: usize) -> Option<String> {
    let count = tree.below(golden, ".in.json").count();
    (count < min).then(|| {
        format!("{}: {count} golden cases, {min} are the least. Add pairs to {golden} and run `cargo xtask golden`.", file.path)
    })
}

fn missing(tree: &Tree, file: &Source, part: &str) -> Option<String> {
    tree.below(part, "")
        .next()
        .is_none()
        .then(|| format!("{}: its other part {part} is missing.", file.path))
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    const STEP: &str = "crates/hilo-core/src/normalize/clock.rs";

    #[test]
    fn a_destination_without_golden_cases_or_settings_is_found() {
        let destination = "crates/hilo-collector/src/forward/destinations/webhook.rs";
        let found = destinations_are_complete(&tree(&[
            (destination, ""),
            ("tests/golden/forward/webhook/a.in.json", ""),
        ]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("1 golden cases"), "{found:?}");
        assert!(found[1].contains("tests/golden/forward/webhook/settings.toml"), "{found:?}");
    }

    #[test]
    fn a_normalize_step_without_golden_cases_is_found_and_the_list_of_steps_needs_none() {
        let fine = tree(&[
            (STEP, ""),
            ("crates/hilo-core/src/normalize/mod.rs", ""),
            ("tests/golden/normalize/clock/late.in.json", ""),
            ("tests/golden/normalize/clock/early.in.json", ""),
        ]);
        assert_eq!(normalize_steps_are_complete(&fine), Vec::<String>::new());
        assert_eq!(normalize_steps_are_complete(&tree(&[(STEP, "")])).len(), 1);
    }

    #[test]
    fn a_capture_kind_without_golden_cases_is_found() {
        let mut files = vec![
            ("crates/hilo-tracker/src/capture/mod.rs", ""),
            ("crates/hilo-tracker/src/capture/scroll.rs", ""),
            ("js/sdk/src/capture/index.ts", ""),
            ("js/sdk/src/capture/scroll.ts", ""),
            ("tests/browser/scroll/scenario.spec.ts", ""),
            ("tests/golden/capture/scroll/deep.in.json", ""),
        ];
        let found = capture_kinds_are_complete(&tree(&files));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("1 golden cases, 2 are the least"), "{found:?}");
        files.push(("tests/golden/capture/scroll/shallow.in.json", ""));
        assert_eq!(capture_kinds_are_complete(&tree(&files)), Vec::<String>::new());
    }

    #[test]
    fn a_capture_kind_on_one_side_only_or_without_a_scenario_is_found() {
        let found = capture_kinds_are_complete(&tree(&[
            ("crates/hilo-tracker/src/capture/scroll.rs", ""),
            ("js/sdk/src/capture/clicks.ts", ""),
            ("tests/golden/capture/scroll/a.in.json", ""),
            ("tests/golden/capture/scroll/b.in.json", ""),
        ]));
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
