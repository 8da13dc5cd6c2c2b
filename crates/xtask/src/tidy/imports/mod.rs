//! Which file uses which: the imports of every crate and of the SDK, resolved to files.
//! In: the tree's sources. Out: one [`Import`] for each name that a file takes from another file.
//! A name that is re-exported counts as the file that defines it. Test code does not count.

mod import;
mod modules;
mod rust;
mod scan;
mod typescript;

pub(super) use import::Import;

use super::tree::Tree;

/// Every import between files of `crates/*/src` and between files of `js/sdk/src`, sorted.
pub(super) fn all(tree: &Tree) -> Vec<Import> {
    let mut imports = rust::imports(tree);
    imports.extend(typescript::imports(tree));
    imports.retain(|import| import.from != import.to);
    imports.sort();
    // The same name on a later line adds nothing.
    imports.dedup_by(|a, b| (&a.from, &a.to, &a.name) == (&b.from, &b.to, &b.name));
    imports
}
