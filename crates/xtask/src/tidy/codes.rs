//! The border between page and module has one table, and both sides have the same one.
//! In: `codes.ts` and `codes.rs`, constants of the same names. Out: a sentence for each constant that differs.

use std::collections::BTreeMap;

use super::tree::{Source, Tree};

const PAGE: &str = "js/sdk/src/codes.ts";
const MODULE: &str = "crates/hilo-tracker/src/platform/codes.rs";

/// A table's constants: name → value, and the line.
type Codes<'a> = BTreeMap<&'a str, (String, usize)>;

/// Every constant of one table stands in the other, with the same value.
pub(super) fn codes_agree(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let page = read(tree, PAGE, "export ", &mut found);
    let module = read(tree, MODULE, "pub ", &mut found);
    if !found.is_empty() {
        return found;
    }
    for (name, (value, line)) in &page {
        match module.get(name) {
            None => found.push(format!("{PAGE}:{line}: `{name}` does not stand in {MODULE}.")),
            Some((other, there)) if other != value => found.push(format!(
                "{PAGE}:{line}: `{name}` is {value}, and {other} in {MODULE}:{there}."
            )),
            Some(_) => {}
        }
    }
    for (name, (_, line)) in module.iter().filter(|(name, _)| !page.contains_key(*name)) {
        found.push(format!("{MODULE}:{line}: `{name}` does not stand in {PAGE}."));
    }
    found
}

/// Reads the constants of the table at `path`. A public line that is no flat constant goes to `problems`, for it could hide one.
fn read<'a>(
    tree: &'a Tree,
    path: &'static str,
    public: &str,
    problems: &mut Vec<String>,
) -> Codes<'a> {
    let mut codes = Codes::new();
    let Some(Source { text, .. }) = tree.below(path, "").find(|file| file.path == path) else {
        problems.push(format!(
            "{path} is missing. It lists every number and letter between page and module."
        ));
        return codes;
    };
    for (place, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with(public)) {
        match constant(line, public) {
            Some((name, value)) => drop(codes.insert(name, (value, place + 1))),
            None => problems.push(format!(
                "{path}:{}: not of the form `{public}const NAME = VALUE;`.",
                place + 1
            )),
        }
    }
    codes
}

/// `pub const NAME: u8 = b'a';` or `export const NAME = "a";` → the name and `"a"`.
fn constant<'a>(line: &'a str, public: &str) -> Option<(&'a str, String)> {
    let (left, right) = line.strip_prefix(public)?.strip_prefix("const ")?.split_once(" = ")?;
    let name = left.split(':').next()?.trim();
    let (value, _) = right.split_once(';')?;
    let value = match value.strip_prefix("b'").and_then(|rest| rest.strip_suffix('\'')) {
        Some(letter) => format!("\"{letter}\""),
        None => value.to_owned(),
    };
    value.starts_with(|c: char| c.is_ascii_digit() || c == '"').then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    fn found(page: &str, module: &str) -> Vec<String> {
        codes_agree(&tree(&[(PAGE, page), (MODULE, module)]))
    }

    #[test]
    fn tables_with_the_same_names_and_values_agree_in_any_order() {
        let page = "/** Codes. */\nexport const ADD = \"a\";\nexport const LEFT = 3;\nexport const NO = \"!\"; // a text\n";
        let module = "//! Codes.\npub const LEFT: u32 = 3;\npub const ADD: u8 = b'a';\npub const NO: &str = \"!\";\n";
        assert_eq!(found(page, module), Vec::<String>::new());
    }

    #[test]
    fn a_code_that_differs_is_found_with_both_values() {
        assert_eq!(
            found("export const LEFT = 3;", "pub const LEFT: u8 = 4;"),
            [format!("{PAGE}:1: `LEFT` is 3, and 4 in {MODULE}:1.")]
        );
        // A number and a letter are not the same, even if they look alike.
        assert_eq!(found("export const LEFT = 3;", "pub const LEFT: u8 = b'3';").len(), 1);
    }

    #[test]
    fn a_code_on_one_side_only_is_found() {
        let both = (
            "export const A = 1;\nexport const B = 2;",
            "pub const A: u8 = 1;\npub const C: u8 = 3;",
        );
        assert_eq!(found(both.0, both.1).len(), 2);
    }

    #[test]
    fn a_missing_table_and_a_line_that_cannot_be_compared_are_found() {
        assert_eq!(codes_agree(&tree(&[(PAGE, "")])).len(), 1);
        assert_eq!(found("export const A = { b: 1 };\nexport function f() {}", "").len(), 2);
    }
}
