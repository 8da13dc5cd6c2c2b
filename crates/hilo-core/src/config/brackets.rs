//! Brackets that nobody closed. A parser finds them out lines later, and then takes every other line for a mistake.
//!
//! Text of a file and a place in it → the bracket that is open there. Knows strings and comments of TOML, and nothing else of it.

/// The place of the innermost bracket that is open at `at`, with the bracket that closes it.
pub(super) fn open_at(text: &str, at: usize) -> Option<(usize, char)> {
    let mut open = Vec::new();
    let mut place = 0;
    while let Some(rest) = text.get(place..at).filter(|rest| !rest.is_empty()) {
        let length = token(rest);
        match rest.chars().next() {
            Some('[') => open.push((place, ']')),
            Some('{') => open.push((place, '}')),
            // Another bracket than the one that is awaited closes nothing.
            found => drop(open.pop_if(|(_, closing)| found == Some(*closing))),
        }
        place += length;
    }
    open.pop()
}

/// Whether the line at `at` begins something that stands in no list: a field, a table, or the end of the file.
pub(super) fn begins_anew(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default().trim();
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let after_key = line.trim_start_matches(is_key).trim_start();
    text.get(at..).is_none_or(|rest| rest.trim().is_empty())
        || line.starts_with('[')
        || (after_key.len() < line.len() && after_key.starts_with('='))
}

/// The bytes of the first token: a string, a comment, or one character. A string of one line ends with its line at the latest.
fn token(text: &str) -> usize {
    for quote in ["\"\"\"", "'''"] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.find(quote).map_or(text.len(), |end| end + 2 * quote.len());
        }
    }
    let line = text.split('\n').next().unwrap_or_default();
    let mut chars = line.char_indices();
    let Some((_, first)) = chars.next() else { return 1 };
    if first == '#' {
        return line.len();
    }
    if !matches!(first, '"' | '\'') {
        return first.len_utf8();
    }
    let mut is_escaped = false;
    for (place, found) in chars {
        if found == first && !is_escaped {
            return place + 1;
        }
        is_escaped = first == '"' && found == '\\' && !is_escaped;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(usize, char)>) {
        assert_eq!(open_at(text, text.len()), expected, "{text}");
    }

    #[test]
    fn a_bracket_is_open_until_its_own_kind_closes_it() {
        check("a = [1, 2]\n[b]\n[[c]]\n", None);
        check("a = [1, 2\nb = ", Some((4, ']')));
        check("a = [{ b = 1 ]\n", Some((5, '}')));
        check("a = [{ b = 1 }\n", Some((4, ']')));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        check("a = \"[\" # [\nb = '{'\nc = \"\"\"\n[\n\"\"\"\nd = \"\\\"[\"", None);
        check("a = \"never closed [\nb = [", Some((24, ']')));
        check("a = '''[\n", None);
    }

    #[test]
    fn a_field_a_table_and_the_end_of_the_file_begin_anew() {
        for (text, at, expected) in [
            ("a = [\n  b = 1", 10, true),
            ("a = [\n[b]\n", 6, true),
            ("a = [\n\n", 6, true),
            ("a = [\n  \"b\"\n  \"c\"\n]", 14, false),
            ("a = [\n = 1", 7, false),
        ] {
            assert_eq!(begins_anew(text, at), expected, "{text}");
        }
    }
}
