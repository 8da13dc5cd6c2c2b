//! Reads TOML field by field and collects mistakes, so that one run names every problem.
//!
//! Text → sections → values, each with its place. Knows TOML and places, and not the meaning of fields.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::brackets;
use super::nearest::{hint, list, nearest, shown};
use super::secret::{self, REMEDY};
use super::{Problem, ProblemCode};
use crate::consent::Purpose;

/// The place of a value, in bytes.
pub(super) type Span = Range<usize>;

/// The file and the problems found so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

/// A table with its dotted path and its place.
pub(super) struct Section<'a> {
    pub(super) table: &'a DeTable<'a>,
    pub(super) path: String,
    pub(super) span: Span,
}

impl<'a> Section<'a> {
    pub(super) const fn root(table: &'a DeTable<'a>) -> Section<'a> {
        Section { table, path: String::new(), span: 0..0 }
    }

    /// The dotted path of a field.
    pub(super) fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.table.get(field).is_some()
    }

    /// Whether a list is missing or empty.
    pub(super) fn is_blank(&self, field: &str) -> bool {
        self.value(field)
            .is_none_or(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
    }

    /// The value of a field with the place of the value.
    pub(super) fn value(&self, field: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(field)
    }
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Reader<'t> {
        Reader { text, problems: RefCell::new(Vec::new()) }
    }

    /// The file as TOML. Lines that are no TOML are reported, and all other lines are still read.
    pub(super) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.report_syntax(error.span().unwrap_or(0..0), error.message());
        }
        root
    }

    /// Reports a mistake of the syntax. Inside a bracket that nobody closed the first mistake stands for all others.
    fn report_syntax(&self, span: Span, message: &str) {
        let Some((opening, closing)) = brackets::open_at(self.text, span.start) else {
            return self.report(span, "", ProblemCode::Syntax, message);
        };
        if !self.is_clean() {
            return;
        }
        let (line, _) = self.position(span.start);
        if line > self.position(opening).0 && brackets::begins_anew(self.text, span.start) {
            let message =
                format!("this bracket is never closed: write `{closing}` before line {line}");
            self.report(opening..opening, "", ProblemCode::Syntax, message);
        } else {
            self.report(span, "", ProblemCode::Syntax, message);
        }
    }

    /// Every problem, in the order of the lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    pub(super) fn report(
        &self,
        span: Span,
        field: &str,
        code: ProblemCode,
        message: impl Into<String>,
    ) {
        let (line, column) = self.position(span.start);
        let problem =
            Problem { line, column, field: field.to_owned(), code, message: message.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// Reports a missing field at the head of its section.
    pub(super) fn report_missing(&self, section: &Section<'_>, field: &str, message: &str) {
        let is_explained = self.problems.borrow().iter().any(|problem| {
            // After broken syntax a field may be missing only because its line could not be read. A field with a wrong
            // spelling was reported as unknown.
            let slip = problem.field.rsplit('.').next().filter(|slip| section.has(slip));
            let is_slip = slip.is_some_and(|slip| nearest(slip, &[field]).is_some());
            problem.code == ProblemCode::Syntax
                || (problem.code == ProblemCode::UnknownField && is_slip)
        });
        if !is_explained {
            let path = section.path_of(field);
            self.report(section.span.clone(), &path, ProblemCode::MissingField, message);
        }
    }

    /// Line and column, from 1, of a byte of the file.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (line, column)
    }

    /// The text of the file at a place.
    pub(super) fn source(&self, span: &Span) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Reports each of these fields that `section` has.
    pub(super) fn refuse(&self, section: &Section<'_>, fields: &[&str], message: &str) {
        for field in fields {
            if let Some(value) = section.value(field) {
                let path = section.path_of(field);
                self.report(value.span(), &path, ProblemCode::BadValue, message);
            }
        }
    }

    /// Reports every field of `section` that is not among `known`.
    pub(super) fn only(&self, section: &Section<'_>, known: &[&str]) {
        for (key, _) in section.table {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let (told, hint) = (shown(name, "with this name"), hint(name, known));
                let message = format!("there is no field {told} here: {hint}");
                let segment = if told.starts_with('`') { name } else { "…" };
                let path = section.path_of(segment);
                self.report(key.span(), &path, ProblemCode::UnknownField, message);
            }
        }
    }

    pub(super) fn wrong_type(&self, value: &Spanned<DeValue<'_>>, field: &str, expected: &str) {
        let message = format!("write {expected} here, not {}", article(value.get_ref().type_str()));
        self.report(value.span(), field, ProblemCode::WrongType, message);
    }

    /// `[field]`.
    pub(super) fn section<'a>(&self, parent: &Section<'a>, field: &str) -> Option<Section<'a>> {
        let value = parent.value(field)?;
        self.as_section(value, parent.path_of(field), &format!("a table, [{field}],"))
    }

    pub(super) fn as_section<'a>(
        &self,
        value: &'a Spanned<DeValue<'a>>,
        path: String,
        expected: &str,
    ) -> Option<Section<'a>> {
        if let DeValue::Table(table) = value.get_ref() {
            Some(Section { table, path, span: value.span() })
        } else {
            self.wrong_type(value, &path, expected);
            None
        }
    }

    /// `[[field]]`, each in order.
    pub(super) fn sections<'a>(&self, parent: &Section<'a>, field: &str) -> Vec<Section<'a>> {
        let Some(value) = parent.value(field) else { return Vec::new() };
        let path = parent.path_of(field);
        let expected = format!("a list of tables, [[{field}]] with two brackets,");
        if let DeValue::Array(values) = value.get_ref() {
            values
                .iter()
                .filter_map(|value| self.as_section(value, path.clone(), &expected))
                .collect()
        } else {
            self.wrong_type(value, &path, &expected);
            Vec::new()
        }
    }

    /// Text that is not empty.
    pub(super) fn text(&self, section: &Section<'_>, field: &str) -> Option<String> {
        self.text_at(section, field).map(|(text, _)| text)
    }

    /// Text that is not empty, with its place.
    pub(super) fn text_at(&self, section: &Section<'_>, field: &str) -> Option<(String, Span)> {
        let value = section.value(field)?;
        let path = section.path_of(field);
        Some((self.as_text(value, &path)?, value.span()))
    }

    /// A value as text that is not empty.
    pub(super) fn as_text(&self, value: &Spanned<DeValue<'_>>, field: &str) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if text.trim().is_empty() => {
                self.report(
                    value.span(),
                    field,
                    ProblemCode::BadValue,
                    "this text is empty: fill it in, or remove the line",
                );
                None
            }
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong_type(value, field, "text in quotes");
                None
            }
        }
    }

    /// `{ secret = "NAME" }`: the name of a secret. The secret itself never stands in the file.
    pub(super) fn secret_name(&self, section: &Section<'_>, field: &str) -> Option<String> {
        self.secret_in(section.value(field)?, &section.path_of(field))
    }

    /// A value as the name of a secret.
    pub(super) fn secret_in(&self, value: &Spanned<DeValue<'_>>, path: &str) -> Option<String> {
        if value.get_ref().as_str().is_some() {
            self.report(value.span(), path, ProblemCode::BadValue, REMEDY);
            return None;
        }
        let expected = "the name of a secret, { secret = \"NAME\" },";
        let named = self.as_section(value, path.to_owned(), expected)?;
        self.only(&named, &["secret"]);
        if !named.has("secret") {
            self.report_missing(&named, "secret", "name the secret: { secret = \"NAME\" }");
        }
        let (name, span) = self.text_at(&named, "secret")?;
        if let Some(message) = secret::fault(&name) {
            self.report(span, &named.path_of("secret"), ProblemCode::BadValue, message);
            return None;
        }
        Some(name)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, section: &Section<'_>, field: &str) -> Option<bool> {
        let value = section.value(field)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, &section.path_of(field), "true or false");
        }
        flag
    }

    /// A list of texts; empty if the field is missing.
    pub(super) fn texts(&self, section: &Section<'_>, field: &str) -> Vec<String> {
        let path = section.path_of(field);
        self.list(section, field, "a list of texts")
            .iter()
            .filter_map(|value| self.as_text(value, &path))
            .collect()
    }

    /// The values of a list; empty if the field is missing.
    pub(super) fn list<'a>(
        &self,
        section: &Section<'a>,
        field: &str,
        expected: &str,
    ) -> &'a [Spanned<DeValue<'a>>] {
        let Some(value) = section.value(field) else { return &[] };
        if let DeValue::Array(values) = value.get_ref() {
            values
        } else {
            self.wrong_type(value, &section.path_of(field), expected);
            &[]
        }
    }

    /// A whole number inside `range`.
    pub(super) fn number(
        &self,
        section: &Section<'_>,
        field: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = section.value(field)?;
        let path = section.path_of(field);
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(value, &path, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|n| range.contains(n));
        if number.is_none() {
            let message = format!("write a number from {} to {}", range.start(), range.end());
            self.report(value.span(), &path, ProblemCode::BadValue, message);
        }
        number
    }

    /// One of `words`.
    pub(super) fn word<'w>(
        &self,
        section: &Section<'_>,
        field: &str,
        words: &[&'w str],
    ) -> Option<&'w str> {
        let (text, span) = self.text_at(section, field)?;
        self.as_word(&text, span, &section.path_of(field), words)
    }

    fn as_word<'w>(
        &self,
        text: &str,
        span: Span,
        field: &str,
        words: &[&'w str],
    ) -> Option<&'w str> {
        let word = words.iter().find(|word| **word == text).copied();
        if word.is_none() {
            let (told, hint) = (shown(text, "this text"), hint(text, words));
            let message = format!("{told} is not known here: {hint}");
            self.report(span, field, ProblemCode::BadValue, message);
        }
        word
    }

    /// A list of words, each one of `words`.
    pub(super) fn words<'w>(
        &self,
        section: &Section<'_>,
        field: &str,
        words: &[&'w str],
    ) -> Vec<&'w str> {
        let path = section.path_of(field);
        let values = self.list(section, field, &format!("a list of {}", list(words)));
        let known = values.iter().filter_map(|value| {
            let text = self.as_text(value, &path)?;
            self.as_word(&text, value.span(), &path, words)
        });
        known.collect()
    }

    /// A list of purposes that visitors are asked about. The list must not be empty.
    pub(super) fn purposes(&self, section: &Section<'_>, field: &str) -> Vec<Purpose> {
        let names = Purpose::ASKED.map(Purpose::name);
        let Some(value) = section.value(field) else { return Vec::new() };
        if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
            let message = format!("name at least one purpose: {}", list(&names));
            self.report(value.span(), &section.path_of(field), ProblemCode::MissingField, message);
        }
        self.words(section, field, &names).into_iter().filter_map(Purpose::from_name).collect()
    }
}

/// The kind of a value with its article.
pub(super) fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}
