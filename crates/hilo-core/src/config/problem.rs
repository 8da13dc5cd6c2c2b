//! A mistake in `hilo.toml`, as a person wants to hear of it. Shape only.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Dotted path, such as `source.kind`; empty for the file as a whole.
    pub field: String,
    /// What kind of mistake.
    pub code: ProblemCode,
    /// What to do, in one sentence.
    pub message: String,
}

/// The kinds of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Not TOML.
    Syntax,
    /// A field nobody reads: most often a slip of the pen.
    UnknownField,
    /// A field that must be there.
    MissingField,
    /// A value of another type.
    WrongType,
    /// A value that cannot be used.
    BadValue,
    /// A name or key that must be unique.
    Duplicate,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
