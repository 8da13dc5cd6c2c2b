//! The documents' site can be built: it has every document, and every link of a document leads somewhere.

use std::collections::BTreeMap;

use super::tree::Tree;
use crate::docs::book::Book;
use crate::docs::links;

/// Where documents stand that only tell where a copy comes from.
const SOURCES: &str = "tests/";

/// Every document is a chapter of the site, and its links lead to files and headings that exist.
pub(super) fn documents_make_one_site(tree: &Tree) -> Vec<String> {
    let documents: BTreeMap<_, _> = tree
        .below("", ".md")
        .filter(|file| !file.path.starts_with(SOURCES))
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect();
    let book = Book::of(&documents);
    let mut found = Vec::new();
    for (path, text) in &documents {
        if !book.has(path) {
            found.push(format!("{path}: no chapter of the site. Link to it from the README beside it, or name it in `PARTS` of docs/book.rs."));
        }
        for (number, link) in links::of(text) {
            let (target, anchor) = links::parts(link);
            let place = links::resolved(path, target).unwrap_or_default();
            let has_anchor = |id: &str| {
                documents
                    .get(&place)
                    .is_none_or(|text| links::anchors(text).iter().any(|one| one == id))
            };
            let is_there = documents.contains_key(&place) || tree.has_file(&place);
            if !is_there || !anchor.strip_prefix('#').is_none_or(has_anchor) {
                found.push(format!("{path}:{number}: {link} leads nowhere."));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    #[test]
    fn a_document_without_a_chapter_and_a_dead_link_are_found() {
        let guides = "# Guides\n[a](a.md)\n[a](a.md#gone)\n[b](b.md)";
        let files = [
            ("README.md", "# hilo\n[guides](examples/guides/README.md#guides)"),
            ("examples/guides/README.md", guides),
            ("examples/guides/a.md", "# A"),
            ("examples/guides/forgotten.md", "# F"),
            ("tests/specs/SOURCE.md", "# S"),
        ];
        let found = documents_make_one_site(&tree(&files));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().any(|one| one.starts_with("examples/guides/forgotten.md: no chapter")),
            "{found:?}"
        );
        assert!(found.iter().any(|one| one.contains("a.md#gone")), "{found:?}");
        assert!(found.iter().any(|one| one.contains(":4: b.md")), "{found:?}");
    }
}
