//! Ids that stand for everybody: the whole list, as the collector checks it.
//! In: an id as text. Out: whether it names no particular person or device. The page has a shorter list.

/// Ids that broken integrations send for every visitor. An event with such an id would merge strangers.
/// The list follows the incident reports of analytics vendors (identity.md; PostHog's documented list).
const RESERVED: [&str; 25] = [
    "null",
    "undefined",
    "none",
    "nil",
    "nan",
    "infinity",
    "true",
    "false",
    "-1",
    "guest",
    "anonymous",
    "unknown",
    "na",
    "n/a",
    "(not set)",
    "not_authenticated",
    "distinct_id",
    "distinctid",
    "user_id",
    "userid",
    "anonymous_id",
    "anonymousid",
    "id",
    "email",
    "[object object]",
];

/// The marks of a template that was not rendered: `{{user_id}}`, `${userId}`, `<%= id %>`, `{% id %}`, `*|ID|*`.
const TEMPLATE_MARKS: [(&[u8], &[u8]); 5] =
    [(b"{{", b"}}"), (b"${", b"}"), (b"<%", b"%>"), (b"{%", b"%}"), (b"*|", b"|*")];

/// Whether `id` is reserved because it names no particular person or device. Case, quotes and blanks around it do not count.
pub fn is_reserved(id: &str) -> bool {
    let id = bare(id);
    let lowest = id.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'.'));
    let highest = id.len() == 36 && id.bytes().all(|byte| matches!(byte, b'f' | b'F' | b'-'));
    // No id, nothing but zeros (the nil UUID, which stands for everybody who opted out), the max UUID (RFC 9562, 5.9 and 5.10).
    lowest
        || highest
        || is_template(id)
        || RESERVED.iter().any(|word| id.eq_ignore_ascii_case(word))
}

/// Whether `list` holds `id`, as [`is_reserved`] compares.
pub(super) fn is_listed<T: AsRef<str>>(list: &[T], id: &str) -> bool {
    let id = bare(id);
    list.iter().any(|listed| bare(listed.as_ref()).eq_ignore_ascii_case(id))
}

fn bare(id: &str) -> &str {
    id.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
}

/// Whether a text has the marks of a template that was not rendered.
pub(crate) fn is_template(id: &str) -> bool {
    let id = id.as_bytes();
    let place = |mark: &[u8], from: usize| {
        let rest = id.get(from..).unwrap_or_default();
        rest.windows(mark.len()).position(|window| window == mark)
    };
    let is_between_percents = id.len() > 2 && id.first() == Some(&b'%') && id.last() == Some(&b'%');
    is_between_percents
        || TEMPLATE_MARKS.iter().any(|(open, close)| {
            place(open, 0).is_some_and(|at| place(close, at + open.len()).is_some())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_name_nobody_are_reserved() {
        for id in [
            "",
            "null",
            "Undefined",
            " guest ",
            "[object Object]",
            "\"null\"",
            "' None '",
            "NaN",
            "-1",
            "0",
            "0.0",
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-ffff-ffff-ffff-ffffffffffff",
            "TRUE",
            "n/a",
            "not_authenticated",
            "{{user_id}}",
            "user-{{ id }}",
            "${userId}",
            "<%= id %>",
            "%USER_ID%",
            "*|EMAIL|*",
        ] {
            assert!(is_reserved(id), "{id:?}");
        }
        for id in ["42", "-17", "u-28", "nada", "Nathan", "ffff", "{5f0c}", "100%", "a}}b{{", "f-1"]
        {
            assert!(!is_reserved(id), "{id:?}");
        }
    }

    #[test]
    fn a_list_of_ids_is_compared_without_case_quotes_and_blanks() {
        let list = ["demo-user"];
        assert!(is_listed(&list, "Demo-User") && is_listed(&list, " \"demo-user\" "));
        assert!(!is_listed(&list, "demo-user-2") && !is_listed::<&str>(&[], ""));
    }
}
