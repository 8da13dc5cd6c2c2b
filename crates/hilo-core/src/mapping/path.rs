//! A path into a JSON document: the part of JSONPath (RFC 9535) whose cost the document bounds.
//!
//! Text → [`Path`], or the character where the text goes wrong; path and document → nodes, in the document's order. Has names, indexes,
//! `[*]` and a filter for one equality. Leaves out descendants (`$..`), slices, functions and nested filters: with those, a short path
//! may visit a document many times.

use std::ops::ControlFlow;

use serde_json::Value;

use super::comparison::equal;
use super::document::Document;

/// Characters of a path.
pub const PATH_CHARS_MAX: usize = 256;
/// Steps of a path.
pub const STEPS_MAX: usize = 16;

/// A path, such as `$.properties.products[*].sku`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    root: Root,
    steps: Vec<Step>,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// `$`: the document, or the element of a body that a rule is about.
    Here,
    /// `$$`: the whole body of a call.
    Body,
    /// `$headers`: the call's headers.
    Headers,
}

/// A step from a node to nodes below it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `.name` or `['name']`: the member of an object.
    Name(String),
    /// `[2]`: an element of a list; from the end if negative.
    At(i64),
    /// `[*]`: every element or member.
    Every,
    /// `[?@.name == 'x']`: every element or member with this value there.
    Where { names: Vec<String>, equals: Value },
}

/// What is wrong with the text of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The byte of the text where it goes wrong.
    pub at: usize,
    /// What to write instead.
    pub message: String,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse(text: &str) -> Result<Path, Unread> {
        Path::read(text, false)
    }

    /// Reads a path of a rule about calls: it may begin at the whole body, `$$`, and at the headers, `$headers`.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse_of_call(text: &str) -> Result<Path, Unread> {
        Path::read(text, true)
    }

    fn read(text: &str, is_of_call: bool) -> Result<Path, Unread> {
        let mut cursor = Cursor { text, at: 0 };
        if text.chars().count() > PATH_CHARS_MAX {
            return cursor.fault(&format!("a path has at most {PATH_CHARS_MAX} characters"));
        }
        if !cursor.takes("$") {
            return cursor
                .fault("a path begins with `$`: for a fixed text write { value = \"…\" }");
        }
        let root = match is_of_call {
            true if cursor.takes("$") => Root::Body,
            true if cursor.takes("headers") => Root::Headers,
            true | false => Root::Here,
        };
        let mut steps = Vec::new();
        while !cursor.rest().is_empty() {
            if steps.len() == STEPS_MAX {
                return cursor.fault(&format!("a path has at most {STEPS_MAX} steps"));
            }
            steps.push(cursor.step()?);
        }
        Ok(Path { root, steps })
    }

    /// The path of the document itself: `$`.
    pub const fn root() -> Path {
        Path { root: Root::Here, steps: Vec::new() }
    }

    /// Whether the path leads to one node at most.
    pub fn is_single(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Name(_) | Step::At(_)))
    }

    /// Whether the path begins at the document, or at the element that a rule is about.
    pub fn is_here(&self) -> bool {
        self.root == Root::Here
    }

    /// The header that the path reads, if it reads one.
    pub fn header(&self) -> Option<&str> {
        match (self.root, self.steps.as_slice()) {
            (Root::Headers, [Step::Name(name), ..]) => Some(name),
            (Root::Here | Root::Body | Root::Headers, _) => None,
        }
    }

    /// Calls `with` with each node until it breaks. `null` counts as missing: senders write it for what they do not know.
    pub fn visit<'d>(
        &self,
        document: impl Into<Document<'d>>,
        with: &mut dyn FnMut(&'d Value) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let document = document.into();
        let begin = match self.root {
            Root::Here => document.here,
            Root::Body => document.body,
            Root::Headers => document.headers,
        };
        walk(&self.steps, begin, with)
    }

    /// The first node.
    pub fn first<'d>(&self, document: impl Into<Document<'d>>) -> Option<&'d Value> {
        let mut first = None;
        let _ = self.visit(document, &mut |node| {
            first = Some(node);
            ControlFlow::Break(())
        });
        first
    }
}

/// Each step leads to nodes that lie apart, so no node is visited twice by one path.
fn walk<'d>(
    steps: &[Step],
    node: &'d Value,
    with: &mut dyn FnMut(&'d Value) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some((step, rest)) = steps.split_first() else {
        return if node.is_null() { ControlFlow::Continue(()) } else { with(node) };
    };
    let next = match step {
        Step::Name(name) => node.get(name),
        Step::At(index) => node.as_array().and_then(|list| {
            let at = usize::try_from(index.unsigned_abs()).ok()?;
            list.get(if *index < 0 { list.len().checked_sub(at)? } else { at })
        }),
        Step::Every | Step::Where { .. } => {
            for child in children(node).filter(|child| fits(step, child)) {
                walk(rest, child, with)?;
            }
            None
        }
    };
    next.map_or(ControlFlow::Continue(()), |next| walk(rest, next, with))
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    let members = node.as_object().into_iter().flat_map(|object| object.values());
    node.as_array().into_iter().flatten().chain(members)
}

fn fits(step: &Step, child: &Value) -> bool {
    let Step::Where { names, equals } = step else { return true };
    let mut node = Some(child);
    for name in names {
        node = node.and_then(|node| node.get(name));
    }
    node.is_some_and(|node| equal(node, equals))
}

/// The text of a path, and how far it is read.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault<T>(&self, message: &str) -> Result<T, Unread> {
        Err(Unread { at: self.at, message: message.to_owned() })
    }

    /// Skips `mark` if it comes next.
    fn takes(&mut self, mark: &str) -> bool {
        let takes = self.rest().starts_with(mark);
        self.at += if takes { mark.len() } else { 0 };
        takes
    }

    /// Skips `mark`.
    fn needs(&mut self, mark: &str) -> Result<(), Unread> {
        if self.takes(mark) { Ok(()) } else { self.fault(&format!("`{mark}` is missing here")) }
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn step(&mut self) -> Result<Step, Unread> {
        if self.rest().starts_with("..") {
            return self.fault("`..` would search the whole document: name every step");
        }
        if self.takes(".") {
            return if self.takes("*") { Ok(Step::Every) } else { self.name().map(Step::Name) };
        }
        if !self.takes("[") {
            return self.fault("a step begins with `.` or `[`");
        }
        self.skip_blanks();
        let step = if self.takes("*") {
            Step::Every
        } else if self.takes("?") {
            self.filter()?
        } else if self.rest().starts_with(['\'', '"']) {
            Step::Name(self.quoted()?)
        } else {
            Step::At(self.index()?)
        };
        self.skip_blanks();
        self.needs("]")?;
        Ok(step)
    }

    /// A name without quotes: letters, digits and `_`, and no digit first.
    fn name(&mut self) -> Result<String, Unread> {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let rest = self.rest();
        let name = rest.get(..rest.find(|c| !is_letter(c)).unwrap_or(rest.len()));
        match name.unwrap_or_default() {
            name if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) => {
                self.fault("a name has letters, digits and `_`: write any other in quotes, ['…']")
            }
            name => {
                self.at += name.len();
                Ok(name.to_owned())
            }
        }
    }

    /// A text in single or double quotes, in which `\` stands before a quote or another `\`.
    fn quoted(&mut self) -> Result<String, Unread> {
        let mut letters = self.rest().char_indices();
        let Some((_, quote)) = letters.next() else { return self.fault("a quote is missing here") };
        let mut text = String::new();
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('\\' | '\'' | '"'))) => text.push(escaped),
                    Some(_) | None => {
                        self.at += at;
                        return self.fault("after `\\` only a quote or another `\\` may stand");
                    }
                },
                letter => text.push(letter),
            }
        }
        self.fault("this quote is never closed")
    }

    fn index(&mut self) -> Result<i64, Unread> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        match rest.get(..end).and_then(crate::digits::read_signed) {
            Some(index) => {
                self.at += end;
                Ok(index)
            }
            None => self.fault("write an index, `*`, a name in quotes or a filter, [?@.name=='…']"),
        }
    }

    /// `@.name == 'x'`, behind the `?`.
    fn filter(&mut self) -> Result<Step, Unread> {
        self.skip_blanks();
        self.needs("@")?;
        let mut names = Vec::new();
        while self.takes(".") {
            names.push(self.name()?);
        }
        if names.is_empty() || names.len() > STEPS_MAX {
            return self.fault("a filter names what it compares: [?@.name=='…']");
        }
        self.skip_blanks();
        if !self.takes("==") {
            return self.fault("a filter compares by `==` and by nothing else");
        }
        self.skip_blanks();
        Ok(Step::Where { names, equals: self.literal()? })
    }

    fn literal(&mut self) -> Result<Value, Unread> {
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(Value::String);
        }
        let rest = self.rest();
        let word = rest.get(..rest.find([']', ' ']).unwrap_or(rest.len())).unwrap_or_default();
        let value = match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            number => serde_json::from_str(number).ok().map(Value::Number),
        };
        match value {
            Some(value) => {
                self.at += word.len();
                Ok(value)
            }
            None => self.fault("write a text in quotes, a number, true or false"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Value) {
        let document = json!({
            "event": "call.ended", "a b": {"c'd": 1}, "año": 3, "none": null,
            "tags": [{"name": "x"}, {"name": "y", "n": 2}, {"name": null}],
            "notes": [{"key": {"id": "gclid"}, "value": "G1"}, {"key": {"id": "n"}, "value": 2}],
        });
        let mut found = Vec::new();
        let _ = Path::parse(path).unwrap().visit(&document, &mut |node| {
            found.push(node.clone());
            ControlFlow::Continue(())
        });
        assert_eq!(Value::from(found), expected, "{path}");
    }

    #[test]
    fn a_path_leads_to_its_nodes_in_order_and_null_is_missing() {
        check("$.event", json!(["call.ended"]));
        check("$['a b'][\"c'd\"]", json!([1]));
        check("$['a b']['c\\'d']", json!([1]));
        check("$.año", json!([3]));
        check("$.none", json!([]));
        check("$.tags[*].name", json!(["x", "y"]));
        check("$.tags.*.n", json!([2]));
        check("$.tags[-2].name", json!(["y"]));
        check("$.tags[9]", json!([]));
        check("$.tags[-9]", json!([]));
        check("$.event.length", json!([]));
        check("$.notes[?@.key.id=='gclid'].value", json!(["G1"]));
        check("$.notes[? @.value == 2 ].key.id", json!(["n"]));
    }

    #[track_caller]
    fn check_unread(path: &str, at: usize, message: &str) {
        let unread = Path::parse(path).unwrap_err();
        assert_eq!(unread.at, at, "{path}: {unread:?}");
        assert!(unread.message.contains(message), "{path}: {unread:?}");
    }

    #[test]
    fn a_mistake_in_a_path_is_told_with_its_place() {
        check_unread("event", 0, "begins with `$`");
        check_unread("$event", 1, "begins with `.` or `[`");
        check_unread("$..event", 1, "name every step");
        check_unread("$.a..b", 3, "name every step");
        check_unread("$.a-b", 3, "begins with `.` or `[`");
        check_unread("$.", 2, "in quotes");
        check_unread("$.1a", 2, "in quotes");
        check_unread("$[1:2]", 3, "`]` is missing");
        check_unread("$['a", 2, "never closed");
        check_unread("$['\\n']", 3, "after `\\`");
        check_unread("$[?@.a>1]", 6, "by `==`");
        check_unread("$[?@.a==x]", 8, "in quotes");
        check_unread("$[?@=='x']", 4, "names what it compares");
        check_unread("$[01]", 2, "write an index");
        check_unread(&format!("${}", ".a".repeat(17)), 33, "16 steps");
        check_unread(&format!("$.{}", "a".repeat(255)), 0, "256 characters");
    }
}
