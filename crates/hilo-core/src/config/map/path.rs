//! Paths of rules, and where their mistakes are. TOML → [`Path`].

use toml::Spanned;
use toml::de::DeValue;

use super::super::ProblemCode;
use super::super::reader::{Reader, Section, Span};
use super::scope::Scope;
use crate::mapping::Path;

/// Reports a mistake of a field that has its right form.
pub(super) fn fault(reader: &Reader<'_>, section: &Section<'_>, field: &str, message: &str) {
    let span = section.value(field).map_or(section.span.clone(), Spanned::span);
    reader.report(span, &section.path_of(field), ProblemCode::BadValue, message);
}

/// A path. A mistake is told with its own column.
pub(super) fn path(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    field: &str,
    scope: &Scope,
) -> Option<Path> {
    let text = reader.as_text(value, field)?;
    let read = if scope.is_call { Path::parse_of_call(&text) } else { Path::parse(&text) };
    match read {
        Ok(path) => Some(path),
        Err(unread) => {
            let place = place(reader, value.span(), &text, unread.at);
            reader.report(place, field, ProblemCode::BadValue, unread.message);
            None
        }
    }
}

/// The place of a byte of a text that stands in quotes. The text's own place if an escape hides it.
fn place(reader: &Reader<'_>, span: Span, text: &str, at: usize) -> Span {
    match reader.source(&span).find(text) {
        Some(begins) => span.start + begins + at..span.end,
        None => span,
    }
}
