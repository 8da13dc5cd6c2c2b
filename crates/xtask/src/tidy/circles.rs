//! No two files use each other, neither directly nor by way of others: such files can only be understood at once.
//! In: imports between files. Out: each circle, with the imports it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::imports::{self, Import};
use super::tree::Tree;

/// No circle between files of a crate or of the SDK.
pub(super) fn files_do_not_import_in_a_circle(tree: &Tree) -> Vec<String> {
    let imports = imports::all(tree);
    circles(&imports).iter().map(|files| explain(files, &imports)).collect()
}

/// The sets of files that all reach one another.
fn circles(imports: &[Import]) -> Vec<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().insert(&import.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|file| (*file, reach(file, &next))).collect();
    let is_reached =
        |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for file in next.keys().filter(|file| is_reached(file, file)) {
        if !found.iter().any(|circle| circle.contains(file)) {
            found.push(
                next.keys()
                    .copied()
                    .filter(|other| is_reached(file, other) && is_reached(other, file))
                    .collect(),
            );
        }
    }
    found
}

/// Every file that `start` uses, directly or by way of others.
fn reach<'a>(start: &str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    seen
}

/// One sentence, and a line for each pair of files: the pair with the fewest names first, because it is the easiest to cut.
fn explain(circle: &BTreeSet<&str>, imports: &[Import]) -> String {
    let mut pairs: BTreeMap<(&str, &str), Vec<&Import>> = BTreeMap::new();
    for import in imports {
        if circle.contains(import.from.as_str()) && circle.contains(import.to.as_str()) {
            pairs.entry((&import.from, &import.to)).or_default().push(import);
        }
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by_key(|(_, names)| names.len());
    let files: Vec<&str> = circle.iter().copied().collect();
    let mut text = format!(
        "{}: {} files import each other in a circle: {}. Move what one takes from another into a file that both may import:",
        files.first().unwrap_or(&""),
        files.len(),
        files.join(", "),
    );
    for ((from, to), names) in pairs {
        let names: Vec<String> = names
            .iter()
            .map(|import| format!("`{}` in line {}", import.name, import.line))
            .collect();
        let _ = write!(text, "\n    {from} → {to}: {}", names.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        files_do_not_import_in_a_circle(&tree(files))
    }

    #[test]
    fn two_files_that_import_each_other_are_found_with_their_lines() {
        let sentences = found(&[
            ("crates/a/src/lib.rs", "mod egg; mod hen;"),
            ("crates/a/src/hen.rs", "pub struct Hen;\nuse super::egg::Egg;"),
            ("crates/a/src/egg.rs", "pub struct Egg;\npub fn hatch() { crate::hen::Hen }"),
        ]);
        assert_eq!(sentences.len(), 1, "{sentences:?}");
        assert!(
            sentences[0]
                .contains("crates/a/src/hen.rs → crates/a/src/egg.rs: `super::egg::Egg` in line 2")
        );
        assert!(
            sentences[0]
                .contains("crates/a/src/egg.rs → crates/a/src/hen.rs: `crate::hen::Hen` in line 2")
        );
    }

    #[test]
    fn a_circle_of_three_files_is_one_circle_and_files_that_only_lead_to_it_are_outside() {
        let sentences = found(&[
            ("crates/a/src/lib.rs", "pub fn all() { one::one() }"),
            ("crates/a/src/one.rs", "pub fn one() { crate::two::two() }"),
            ("crates/a/src/two.rs", "pub fn two() { crate::three::three() }"),
            ("crates/a/src/three.rs", "pub fn three() { crate::one::one() }"),
        ]);
        assert_eq!(sentences.len(), 1, "{sentences:?}");
        assert!(sentences[0].contains("3 files"), "{sentences:?}");
        assert!(!sentences[0].contains("lib.rs"), "{sentences:?}");
    }

    #[test]
    fn a_parent_and_a_child_that_use_each_others_items_are_a_circle() {
        let child = ("crates/a/src/cart/dots.rs", "use super::MAX;\npub fn count() {}");
        let parent = "mod dots;\npub const MAX: u8 = 1;\npub fn all() { dots::count() }";
        assert_eq!(found(&[child, ("crates/a/src/cart/mod.rs", parent)]).len(), 1);
        // A parent that only lists the child, or hands on its names, does not use it.
        let list = "mod dots;\npub use dots::count;\npub const MAX: u8 = 1;";
        assert_eq!(found(&[child, ("crates/a/src/cart/mod.rs", list)]), Vec::<String>::new());
    }

    #[test]
    fn test_code_makes_no_circle() {
        let files = [
            (
                "crates/a/src/hen.rs",
                "pub struct Hen;\n#[cfg(test)]\nmod tests { use crate::egg::Egg; }",
            ),
            ("crates/a/src/egg.rs", "use crate::hen::Hen; pub struct Egg;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn typescript_files_that_import_each_other_are_found_even_for_types_alone() {
        let sentences = found(&[
            ("js/sdk/src/cart/hen.ts", "import type { Egg } from \"./egg.ts\";"),
            ("js/sdk/src/cart/egg.ts", "const hen = await import(\"../cart/hen.ts\");"),
        ]);
        assert_eq!(sentences.len(), 1, "{sentences:?}");
    }
}
