//! A mistake in `hilo.toml`, with its place and its remedy. Shape only.

use std::fmt;

use serde::Serialize;

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Dotted path, such as `source.kind`; empty for the file as a whole.
    pub field: String,
    /// The kind of mistake.
    pub code: ProblemCode,
    /// The remedy, in one sentence.
    pub message: String,
}

/// The kinds of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The file is not TOML.
    Syntax,
    /// An unknown field: most often a slip of the pen.
    UnknownField,
    /// A required field is missing.
    MissingField,
    /// A value of another type.
    WrongType,
    /// A value that cannot be used.
    BadValue,
    /// A name or key stands twice.
    Duplicate,
    /// No mistake on a developer's machine, and a mistake in a deployment: a warning.
    Development,
    /// No mistake, and yet perhaps not what its writer expects: a warning.
    Advice,
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
