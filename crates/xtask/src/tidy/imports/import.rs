//! One edge between two files.

/// One name that a file takes from another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tidy) struct Import {
    /// The file that uses the name.
    pub from: String,
    /// The file that defines the name.
    pub to: String,
    /// The first line in `from` that uses the name.
    pub line: usize,
    /// The name.
    pub name: String,
}
