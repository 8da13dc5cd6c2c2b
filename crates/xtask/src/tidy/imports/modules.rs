//! The modules of every crate, and how a name in one of them leads to the file that defines it.
//! In: scanned files. Out: for a path in a module, the file with its item.

use std::collections::BTreeMap;

use super::scan::{Scope, scan};
use crate::tidy::tree::Tree;

/// How many re-exports a name may pass through.
const HOPS_MAX: u8 = 16;

/// A module's path: the crate's name as code spells it, then the modules from its root.
pub(super) type ModulePath = Vec<String>;

/// A module and the file it stands in.
pub(super) struct Module {
    /// Path of the file from the root of the tree.
    pub file: String,
    /// Its code.
    pub scope: Scope,
}

/// Where a path leads.
pub(super) enum Target {
    /// To a module.
    Module(ModulePath),
    /// To an item in this file.
    File(String),
}

/// Every module of every crate.
pub(super) struct Modules(pub BTreeMap<ModulePath, Module>);

impl Modules {
    /// Reads `crates/*/src`, without what is compiled for tests only.
    pub(super) fn read(tree: &Tree) -> Modules {
        let mut all = BTreeMap::new();
        for file in tree.below("crates/", ".rs") {
            let Some(path) = module_path(&file.path) else { continue };
            for scope in scan(&file.text) {
                let path = path.iter().chain(&scope.inline).cloned().collect();
                all.insert(path, Module { file: file.path.clone(), scope });
            }
        }
        let for_tests: Vec<ModulePath> = all
            .iter()
            .flat_map(|(path, module): (&ModulePath, &Module)| {
                module.scope.test_modules.iter().map(|name| child(path, name))
            })
            .collect();
        all.retain(|path, _| !for_tests.iter().any(|test| path.starts_with(test)));
        Modules(all)
    }

    /// Where `segments` lead from the module at `from`, as far as they lead.
    pub(super) fn resolve(
        &self,
        from: &ModulePath,
        segments: &[String],
        hops: u8,
    ) -> Option<Target> {
        let (first, mut rest) = segments.split_first()?;
        let mut here = match first.as_str() {
            "crate" | "$crate" => Target::Module(from.get(..1)?.to_vec()),
            "self" => Target::Module(from.clone()),
            "super" => {
                let mut up = from.clone();
                up.pop();
                while let Some(("super", after)) =
                    rest.split_first().map(|(s, after)| (s.as_str(), after))
                {
                    up.pop();
                    rest = after;
                }
                Target::Module(up)
            }
            name => match self.named(from, name, !rest.is_empty(), hops) {
                Some(found) => found,
                None => Target::Module(
                    self.0.contains_key(&vec![name.to_owned()]).then(|| vec![name.to_owned()])?,
                ),
            },
        };
        for (place, name) in rest.iter().enumerate() {
            let Target::Module(module) = &here else { break };
            here = self
                .named(module, name, place + 1 < rest.len(), hops)
                .or_else(|| self.made_by_a_macro(module, name))?;
        }
        Some(here)
    }

    /// Where `name` leads inside `module`: to its own item, to a module below it, or through its imports. What is followed
    /// by more segments is rather a module than an item of the same name.
    fn named(
        &self,
        module: &ModulePath,
        name: &str,
        is_followed: bool,
        hops: u8,
    ) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let below = child(module, name);
        let below = self.0.contains_key(&below).then_some(Target::Module(below));
        let Some(own) = self.0.get(module).filter(|_| !is_followed || below.is_none()) else {
            return below;
        };
        if own.scope.items.contains(name) {
            return Some(Target::File(own.file.clone()));
        }
        let imported = own.scope.uses.iter().filter(|import| import.name == name);
        imported
            // `use name::name` must not look for itself.
            .filter(|import| {
                import.path.first().is_none_or(|first| first != name) || import.path.len() > 1
            })
            .find_map(|import| self.resolve(module, &import.path, hops))
            .or(below)
            .or_else(|| {
                let globs = own.scope.uses.iter().filter(|import| import.name == "*");
                globs.filter_map(|glob| self.resolve(module, &glob.path, hops)).find_map(|target| {
                    match target {
                        Target::Module(other) => self.named(&other, name, is_followed, hops),
                        Target::File(_) => None,
                    }
                })
            })
    }

    /// A name that a module neither defines nor imports comes out of a macro that the module calls.
    fn made_by_a_macro(&self, module: &ModulePath, name: &str) -> Option<Target> {
        let own = self.0.get(module)?;
        let is_imported =
            own.scope.uses.iter().any(|import| import.name == name || import.name == "*");
        (!is_imported).then(|| Target::File(own.file.clone()))
    }

    /// The file that `segments` lead to from `from`.
    pub(super) fn file(&self, from: &ModulePath, segments: &[String]) -> Option<String> {
        match self.resolve(from, segments, HOPS_MAX)? {
            Target::File(file) => Some(file),
            Target::Module(_) => None,
        }
    }
}

fn child(module: &[String], name: &str) -> ModulePath {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// `crates/hilo-core/src/cart/op.rs` → `hilo_core`, `cart`, `op`.
fn module_path(file: &str) -> Option<ModulePath> {
    let (krate, inner) = file.strip_prefix("crates/")?.split_once("/src/")?;
    let inner = inner.strip_suffix(".rs")?;
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    let mut path = vec![krate.replace('-', "_")];
    path.extend(
        inner.split('/').filter(|part| !["lib", "main", "mod"].contains(part)).map(str::to_owned),
    );
    Some(path)
}
