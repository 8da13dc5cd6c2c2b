//! What the tests of the kinds share: the settings of one destination → its entry, its problem, or itself.

use hilo_core::config::{DestinationEntry, Problem, parse};

use crate::forward::Loaded;
use crate::forward::destination::Destination;

/// The `hilo.toml` before its first destination.
pub(in crate::forward) const HEAD: &str = "[project]\ncontroller = 'Shop'\n[[source]]\nname = 'shop'\nkind = 'browser'\n\
    keys = ['wk_1']\norigins = ['https://shop.example']\n";

/// The entry of a destination of this kind with these settings, which begin in line 12.
fn entry(kind: &str, settings: &str) -> DestinationEntry {
    let own = format!("name = 'one'\ntype = '{kind}'\npurposes = ['analytics']\n{settings}\n");
    parse(&format!("{HEAD}[[destination]]\n{own}")).unwrap().destinations.remove(0)
}

/// Such a destination, or the problem of its settings.
pub(super) fn loaded(kind: &str, settings: &str) -> Result<Box<dyn Destination>, Problem> {
    Loaded::of(&entry(kind, settings)).map(|loaded| loaded.destination)
}

/// The problem of such a destination; empty if it loads.
pub(super) fn problem(kind: &str, settings: &str) -> String {
    loaded(kind, settings).err().map(|problem| problem.to_string()).unwrap_or_default()
}
