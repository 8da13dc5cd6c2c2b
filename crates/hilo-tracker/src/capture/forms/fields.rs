//! The rules about a form's fields: which may be named, how they are named, and which value may leave the page at all.
//!
//! In: a field as the document has it, without its value. Out: yes or no, and a name without personal data.

use hilo_core::plain::Plain;
use hilo_core::text::parts;

use crate::json::number;

/// Bytes of a name that says what a field is for. A longer one was made by a machine.
const NAME_BYTES_MAX: usize = 64;
/// So many digits in a row are a telephone number or somebody's id.
const DIGITS_RUN: usize = 6;
/// Types whose fields are secret, or hold nothing that a visitor types.
const SECRET_TYPES: &str = "password hidden";
/// The browser's words for secrets (HTML standard, autofill); beside `cc-` for everything about a card.
const SECRET_AUTOFILL: &str = "one-time-code current-password new-password webauthn";
/// What names of fields contain whose values never leave the page, whatever the site marked. Names count without punctuation and in
/// small letters. It is better to lose a value called `shipping` (it has `pin` in it) than to send a PIN.
const SECRET_WORDS: &str = "cardnum ccnum creditcard csc cvc cvv exp pass pwd routing seccode securitycode securitynum socialsec socsec ssn \
                            iban bic swift pin otp token secret dni nie nif cif pasaporte tax salud health religion sindicato tarjeta \
                            clave contrasen";

/// Whether the field's very name may leave the page (consent.md, in the page, rule 11). Pages write types and autofill words in any case.
pub(super) fn is_named(field: &Plain) -> bool {
    let is_card = parts(field.word("autocomplete"), b' ')
        .any(|word| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("cc-")));
    let is_secret = has_word(SECRET_TYPES, field.word("type"));
    !(is_secret || is_card || field.flag("isPrivate") || field.word("name").is_empty())
}

/// Whether the site may have the field's value, if it marked the field for that. A forbidden field stays forbidden. Each name of the
/// field counts, and the name under which the site wants the value.
pub(super) fn may_give(field: &Plain) -> bool {
    let is_secret = field.word("type").eq_ignore_ascii_case("file")
        || parts(field.word("autocomplete"), b' ').any(|word| has_word(SECRET_AUTOFILL, word))
        || ["name", "trait"].iter().any(|cell| is_secret_name(field.word(cell)))
        || parts(field.word("names"), b' ').any(is_secret_name);
    is_named(field) && !is_secret
}

/// Whether the list has the word, in any case.
fn has_word(list: &str, word: &str) -> bool {
    parts(list, b' ').any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a name is about something secret.
fn is_secret_name(name: &str) -> bool {
    let mut plain = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            plain.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    let has = |word: &str| plain.as_bytes().windows(word.len()).any(|part| part == word.as_bytes());
    plain.starts_with("cc") || parts(SECRET_WORDS, b' ').any(|word| !word.is_empty() && has(word))
}

/// The name of the field at this place of its form. Places in a list count as one, and a name that may be personal, or that a machine
/// made, is the field's place.
pub(super) fn name(field: &Plain, at: usize) -> String {
    let given = field.word("name");
    let (mut name, mut from, mut inside, mut run, mut run_max) = (String::new(), 0, None, 0, 0);
    for (place, byte) in given.bytes().enumerate() {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run_max = run_max.max(run);
        if byte == b'[' {
            inside = Some(place + 1);
        } else if byte == b']'
            && let Some(start) = inside.take()
            && given.get(start..place).is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit()))
        {
            name.push_str(given.get(from..start).unwrap_or_default());
            from = place;
        }
    }
    name.push_str(given.get(from..).unwrap_or_default());
    let is_personal = run_max >= DIGITS_RUN || given.bytes().any(|byte| byte == b'@');
    if is_personal || name.len() > NAME_BYTES_MAX {
        name = String::from("field_");
        name.push_str(&number(i64::try_from(at).unwrap_or_default() + 1));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: &str, autocomplete: &str) -> Plain {
        let cell = |key: &str, value: &str| (key.to_owned(), Plain::Text(value.to_owned()));
        Plain::Map(vec![cell("name", name), cell("type", kind), cell("autocomplete", autocomplete)])
    }

    #[test]
    fn a_name_keeps_what_it_says_and_loses_places_and_personal_data() {
        for (given, expected) in [
            ("email", "email"),
            ("items[3][qty]", "items[][qty]"),
            ("user[email]", "user[email]"),
            ("a[12", "a[12"),
            ("", ""),
            ("ana@shop.example", "field_7"),
            ("q_20991231", "field_7"),
            ("answer_12345", "answer_12345"),
            ("é[1]", "é[]"),
        ] {
            assert_eq!(name(&field(given, "", ""), 6), expected);
        }
        assert_eq!(name(&field(&"a".repeat(65), "", ""), 0), "field_1");
    }

    #[test]
    fn a_secret_value_may_never_be_given() {
        for word in parts(SECRET_WORDS, b' ').filter(|word| !word.is_empty()) {
            for given in [word.to_owned(), format!("my-{}_1", word.to_uppercase())] {
                assert!(!may_give(&field(&given, "text", "")), "{given}");
            }
        }
        for given in [("cc-name", "", ""), ("id_card", "file", ""), ("a", "password", "")] {
            assert!(!may_give(&field(given.0, given.1, given.2)), "{given:?}");
        }
        for autofill in ["one-time-code", "section-a current-password", "cc-csc", "webauthn"] {
            assert!(!may_give(&field("a", "text", autofill)), "{autofill}");
        }
    }

    #[test]
    fn types_and_autofill_words_are_secret_in_any_case() {
        for (kind, autofill) in
            [("Password", ""), ("HIDDEN", ""), ("text", "CC-Number"), ("text", "billing Cc-Exp")]
        {
            let given = field("a", kind, autofill);
            assert!(!is_named(&given) && !may_give(&given), "{kind} {autofill}");
        }
        assert!(!may_give(&field("a", "File", "")));
        assert!(!may_give(&field("a", "text", "One-Time-Code")));
    }

    #[test]
    fn each_name_of_a_field_may_tell_that_it_is_secret() {
        let with = |name: &str, cell: &str, value: &str| {
            let Plain::Map(mut cells) = field(name, "text", "") else { return Plain::Null };
            cells.push((cell.to_owned(), Plain::Text(value.to_owned())));
            Plain::Map(cells)
        };
        for (name, cell, value) in [
            ("code", "names", "code cvv"),
            ("f12", "names", "f12 IBAN"),
            ("f12", "names", "f12 e1 your-PIN"),
            ("f12", "trait", "iban"),
        ] {
            assert!(!may_give(&with(name, cell, value)), "{name} {cell} {value}");
        }
        // A secret word ends with its name.
        assert!(may_give(&with("shop", "names", "shop inquiry ex post")));
        assert!(may_give(&with("EMAIL", "trait", "email")));
    }

    #[test]
    fn a_value_of_a_plain_field_may_be_given() {
        for given in ["email", "first_name", "company", "phone", "message", "account"] {
            assert!(may_give(&field(given, "text", "")), "{given}");
        }
    }

    #[test]
    fn a_private_field_has_no_name_and_gives_nothing() {
        let name = ("name".to_owned(), Plain::Text("diary".to_owned()));
        let private = Plain::Map(vec![name, ("isPrivate".to_owned(), Plain::Flag(true))]);
        assert!(!is_named(&private) && !may_give(&private));
    }
}
