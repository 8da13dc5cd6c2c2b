//! Campaigns as they are tagged by many hands → one way of writing.
//!
//! In: a campaign's fields. Out: the same, with blanks and double encoding gone, source and medium in lower case, hosts under their
//! site's name, and a remark for each template that nobody filled in. The campaign's name keeps its letters, because advertisers compare it.

use super::super::channel::site_name;
use crate::event::Campaign;
use crate::event::fields::NAME_BYTES_MAX;
use crate::identity::is_template;
use crate::outcome::{Code, Rejection};
use crate::redact::is_revealing;
use crate::text::{percent_decode, shortened};

/// What broken tags write where they have no value.
const NOTHING: [&str; 5] = ["null", "undefined", "(not set)", "nan", "none"];
/// Meta's words for its sites in `{{site_source_name}}` (<https://www.facebook.com/business/help/1016122818401732>).
const SHORT_SOURCES: [(&str, &str); 2] = [("fb", "facebook"), ("ig", "instagram")];
/// Ways of writing e-mail as a medium.
const EMAIL: [&str; 4] = ["e-mail", "e_mail", "e mail", "mail"];
/// The text in place of a personal value that a second decoding would show.
const REDACTED: &str = "redacted";

/// Cleans every field.
pub(super) fn clean(campaign: &mut Campaign) -> Vec<Rejection> {
    let names = ["id", "name", "source", "medium", "term", "content"];
    let mut notices = Vec::new();
    for (slot, name) in campaign.texts_mut().into_iter().zip(names) {
        let Some(text) = slot.take() else { continue };
        let text = plain(&text);
        if is_unfilled(&text) {
            let message = "this is a template that nobody filled in: mend the link of the campaign";
            let field = format!("context.campaign.{name}");
            notices.push(Rejection::at(Code::UnrenderedTemplate, field, message));
            continue;
        }
        *slot = Some(text).filter(|text| !text.is_empty());
    }
    campaign.source = campaign.source.take().map(|source| named(&lower(&source)));
    if let Some(medium) = &mut campaign.medium {
        *medium = lower(medium);
        if EMAIL.contains(&medium.as_str()) {
            "email".clone_into(medium);
        }
    }
    notices
}

/// Some letters have more bytes in lower case.
fn lower(text: &str) -> String {
    shortened(&text.to_lowercase(), NAME_BYTES_MAX).trim_end().to_owned()
}

/// Decodes what was encoded more than once, and leaves single blanks between words. Each decoding makes a text shorter, so it ends.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    while is_encoded(&text) {
        let decoded = percent_decode(&text);
        if is_revealing(&decoded) {
            return REDACTED.to_owned();
        }
        match String::from_utf8(decoded) {
            Ok(decoded) => text = decoded,
            Err(_) => break,
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    shortened(&words.join(" "), NAME_BYTES_MAX).trim_end().to_owned()
}

/// Whether every `%` stands before two hexadecimal digits, and there is one: `100%` is no encoding.
fn is_encoded(text: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let pairs = text.split('%').skip(1).map(str::as_bytes);
    let mut pairs = pairs.peekable();
    pairs.peek().is_some() && pairs.all(|rest| is_hex(rest.first()) && is_hex(rest.get(1)))
}

/// Whether a text is a placeholder: those of [`is_template`], Google's `{campaignid}`, TikTok's `__CAMPAIGN_NAME__`, `[source]`, or a
/// word for nothing.
fn is_unfilled(text: &str) -> bool {
    let is_between = |open: &str, close: &str| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|name| !name.is_empty())
    };
    let has_braces = text.split_once('{').is_some_and(|(_, behind)| behind.contains('}'));
    is_template(text)
        || has_braces
        || is_between("__", "__")
        || is_between("[", "]")
        || NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A source under its site's name: `m.facebook.com` and `fb` are `facebook`. An unknown host loses its `www.`.
fn named(source: &str) -> String {
    if let Some((_, name)) = SHORT_SOURCES.iter().find(|(short, _)| *short == source) {
        return (*name).to_owned();
    }
    if !source.contains('.') || source.contains(char::is_whitespace) {
        return source.to_owned();
    }
    let host = source.strip_prefix("www.").unwrap_or(source);
    site_name(host).unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_encoded_twice_is_read_and_shows_nothing_personal() {
        for (text, expected) in [
            ("spring%20sale", "spring sale"),
            ("spring%2520sale", "spring sale"),
            ("  spring   sale ", "spring sale"),
            ("100%", "100%"),
            ("50% off%20now", "50% off%20now"),
            ("ana%40example.com", "redacted"),
            ("%ff%fe", "%ff%fe"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
            assert_eq!(plain(expected), expected, "{text}");
        }
    }

    #[test]
    fn a_placeholder_is_known_by_its_marks() {
        for text in [
            "{{campaign.name}}",
            "{campaignid}",
            "brand_{adgroupid}",
            "__CAMPAIGN_NAME__",
            "%%SITE%%",
            "*|UTM|*",
            "[source]",
            "NULL",
            "(not set)",
        ] {
            assert!(is_unfilled(text), "{text}");
        }
        for text in ["spring", "spring__sale", "[", "50%", "}{", "nullo", ""] {
            assert!(!is_unfilled(text), "{text}");
        }
    }

    #[test]
    fn a_source_stands_under_its_sites_name() {
        for (source, expected) in [
            ("facebook.com", "facebook"),
            ("m.facebook.com", "facebook"),
            ("fb", "facebook"),
            ("ig", "instagram"),
            ("www.blog.example", "blog.example"),
            ("newsletter", "newsletter"),
            ("news v1.2", "news v1.2"),
            ("chatgpt.com", "chatgpt"),
        ] {
            assert_eq!(named(source), expected, "{source}");
            assert_eq!(named(expected), expected, "{source}");
        }
    }
}
