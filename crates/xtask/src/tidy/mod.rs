//! `cargo xtask tidy`: checks the files of the tree against the rules of ARCHITECTURE.md.
//! In: a folder laid out like this repository. Out: one sentence for each violation, with file, line and remedy.
//! A rule is a plain function, so that its tests can break a small tree on purpose and see the rule fail.

mod architecture;
mod book;
mod circles;
mod codes;
mod core_purity;
mod documents;
mod form;
mod functions;
mod imports;
mod recipes;
mod tree;

use tree::Tree;

use crate::shell::{Problem, Workspace};

/// The rules that need nothing but the tree, in the order of the invariants.
const RULES: [fn(&Tree) -> Vec<String>; 13] = [
    core_purity::no_clock_in_source,
    architecture::stages_do_not_import_siblings,
    architecture::platforms_stay_in_their_shell,
    architecture::destinations_cannot_send,
    circles::files_do_not_import_in_a_circle,
    codes::codes_agree,
    recipes::destinations_are_complete,
    recipes::normalize_steps_are_complete,
    recipes::capture_kinds_are_complete,
    form::files_stay_short,
    form::files_say_what_they_are,
    documents::documents_tell_the_truth,
    book::documents_make_one_site,
];

/// Prints every violation. `true` means that there is none.
#[expect(clippy::print_stdout, reason = "the result of the task")]
pub(crate) fn run(workspace: &Workspace) -> Result<bool, Problem> {
    let tree = Tree::read(&workspace.root);
    let mut found: Vec<String> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    found.extend(core_purity::dependencies(workspace)?);
    found.extend(functions::stay_short(&tree, workspace)?);
    for sentence in &found {
        println!("{sentence}");
    }
    Ok(found.is_empty())
}

#[cfg(test)]
pub(crate) mod testing {
    //! A small tree to break on purpose.

    use super::tree::{Source, Tree};

    /// A tree of these files, which need not exist.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let files = files
            .iter()
            .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        Tree::of(files)
    }
}
