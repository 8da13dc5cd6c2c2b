//! What people write about themselves → the SHA-256 by which an ad platform or an analytics service recognizes them.
//!
//! Each service normalizes a value in its own way before it hashes, so one hash does not serve all. A value that is a hash already
//! stays as it is. Nothing is hashed where a value has no valid form, and never an empty text. Does not decide who may get a hash.
//! The forms are those of the services' own libraries (`tests/specs/*/vectors.json`).

use hilo_core::identity::address::composed;

use crate::signature::sha256_hex;

/// A normal form: what a service hashes. `None` for a value that has no valid form.
pub(super) type Normal = fn(&str) -> Option<String>;

/// The SHA-256 of an empty text, which a careless sender stores for a missing value.
const HASH_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The most digits of a phone number with its country code (E.164).
const PHONE_DIGITS_MAX: usize = 15;
/// The fewest digits of a number with a country code (E.164 names no minimum; the shortest numbers in use have 7).
const PHONE_DIGITS_MIN: usize = 7;

/// The hash of a value in its normal form; the value itself if it is a hash; `None` if the value has no normal form.
pub(super) fn hashed(value: &str, normal: Normal) -> Option<String> {
    let value = value.trim();
    if is_hash(value) {
        return (value != HASH_OF_NOTHING).then(|| value.to_owned());
    }
    normal(value).filter(|text| !text.is_empty()).map(|text| sha256_hex(text.as_bytes()))
}

/// Whether a whole text is a SHA-256 in lower-case hex.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// An e-mail address in lower case (Meta, TikTok).
pub(super) fn email(text: &str) -> Option<String> {
    let text = lower(text);
    let (local, domain) = text.split_once('@')?;
    let has_blank = text.chars().any(char::is_whitespace);
    let is_domain = domain.contains('.') && !domain.contains('@') && !domain.starts_with('.');
    (!local.is_empty() && is_domain && !domain.ends_with('.') && !has_blank).then_some(text)
}

/// An e-mail address without blanks, and without the dots that Google ignores (Google Analytics).
pub(super) fn email_ga4(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    email(&text).map(|text| without_dots(&text, false))
}

/// An e-mail address without the dots and the suffix that Google ignores (Google Ads).
pub(super) fn email_google_ads(text: &str) -> Option<String> {
    email(text).map(|text| without_dots(&text, true))
}

/// A Google mailbox ignores dots in its name, and what follows a plus. Other hosts do not.
fn without_dots(address: &str, is_suffix_cut: bool) -> String {
    match address.split_once('@') {
        Some((local, domain @ ("gmail.com" | "googlemail.com"))) => {
            let kept = local.split('+').next().filter(|_| is_suffix_cut).unwrap_or(local);
            format!("{}@{domain}", kept.replace('.', ""))
        }
        Some(_) | None => address.to_owned(),
    }
}

/// A phone number with its country code, digits only (Meta). `+` or `00` marks the code: a number without it may be a national one, and
/// hashed as an international number it would be another person's. So would one with an extension behind it.
pub(super) fn phone_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let marked = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let is_written = |c: char| c.is_ascii_digit() || c.is_whitespace() || "-().".contains(c);
    let digits: String = marked.chars().filter(char::is_ascii_digit).collect();
    // No country's code begins with zero.
    let is_number = marked.chars().all(is_written) && !digits.starts_with('0');
    (is_number && (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len())).then_some(digits)
}

/// A phone number in E.164, `+` and digits (Google Analytics, Google Ads).
pub(super) fn phone(text: &str) -> Option<String> {
    phone_digits(text).map(|digits| format!("+{digits}"))
}

/// A phone number in E.164, but a Chinese one without its country code (TikTok).
pub(super) fn phone_tiktok(text: &str) -> Option<String> {
    let digits = phone_digits(text)?;
    Some(match digits.strip_prefix("86") {
        Some(national) => national.to_owned(),
        None => format!("+{digits}"),
    })
}

/// A name in lower case. The services' pages ask for no punctuation, and their own libraries keep it.
pub(super) fn name(text: &str) -> Option<String> {
    Some(lower(text)).filter(|text| !text.is_empty())
}

/// A name, city or region in lower case, letters and blanks only (Google Analytics).
pub(super) fn letters(text: &str) -> Option<String> {
    kept(text, |c| c.is_alphabetic() || c == ' ')
}

/// A street in lower case without symbols (Google Analytics).
pub(super) fn street(text: &str) -> Option<String> {
    kept(text, |c| c.is_alphanumeric() || c == ' ')
}

/// A city or region in lower case without digits, blanks, points, hyphens and brackets (Meta).
pub(super) fn city(text: &str) -> Option<String> {
    let is_cut = |c: char| c.is_whitespace() || matches!(c, '0'..='9' | '.' | '-' | '(' | ')');
    kept(text, |c| !is_cut(c))
}

/// A postal code in lower case without blanks, up to a hyphen (Meta, TikTok): of a US code the first five digits stay.
pub(super) fn postal_code(text: &str) -> Option<String> {
    kept(text.split('-').next().unwrap_or_default(), |c| !c.is_whitespace())
}

/// A country's two letters in lower case (Meta).
pub(super) fn country(text: &str) -> Option<String> {
    country_code(text).map(|code| code.to_ascii_lowercase())
}

/// A country's two letters (ISO 3166-1). `None` for the name of a country.
pub(super) fn country_code(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

/// `f` or `m` (Meta). Other genders have no letter there.
pub(super) fn gender(text: &str) -> Option<String> {
    match lower(text).as_str() {
        "f" | "female" => Some("f".to_owned()),
        "m" | "male" => Some("m".to_owned()),
        _ => None,
    }
}

/// A day of birth as `YYYYMMDD` (Meta), from an ISO date or time.
pub(super) fn birthday(text: &str) -> Option<String> {
    let day: String = text.chars().take_while(|c| *c != 'T').filter(|c| *c != '-').collect();
    (day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit())).then_some(day)
}

/// An id as it is, without blanks around it.
pub(super) fn id(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn lower(text: &str) -> String {
    composed(text.trim()).to_lowercase()
}

fn kept(text: &str, is_kept: impl Fn(char) -> bool) -> Option<String> {
    let text: String = lower(text).chars().filter(|c| is_kept(*c)).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Holds the rows `[field, input, normal, hash]` of a service's vectors against its forms.
    fn check(vectors: &str, list: &str, form: fn(&str) -> Option<Normal>) {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let rows = vectors[list].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let at = |index: usize| row[index].as_str().unwrap();
            let Some(normal) = form(at(0)) else { panic!("no form of {}", at(0)) };
            // Two rows tell the country in words, which no field does. One tells it by nothing.
            let is_unmarked = !at(1).starts_with(['+', '0']) && !is_hash(at(1));
            if at(0).contains("ph") && is_unmarked {
                assert_eq!(hashed(at(1), normal), None, "{row}");
                continue;
            }
            if !is_hash(at(1)) {
                assert_eq!(normal(at(1)).as_deref(), Some(at(2)), "{row}");
            }
            if is_hash(at(3)) {
                assert_eq!(hashed(at(1), normal).as_deref(), Some(at(3)), "{row}");
            }
        }
    }

    fn meta_form(field: &str) -> Option<Normal> {
        Some(match field {
            "em" => email,
            "ph" => phone_digits,
            "fn" | "ln" => name,
            "ct" | "st" => city,
            "zp" => postal_code,
            "country" => country,
            "ge" => gender,
            "db" => birthday,
            _ => return None,
        })
    }

    fn google_ads_form(field: &str) -> Option<Normal> {
        Some(match field {
            "email_address" => email_google_ads,
            "phone_number" => phone,
            "given_name" | "family_name" => name,
            "region_code" => country_code,
            "postal_code" => id,
            // Only Google Analytics takes these by this way, and hilo does not go it.
            "city" | "administrative_area" => name,
            _ => return None,
        })
    }

    #[test]
    fn every_form_is_the_one_of_the_services_own_library() {
        let meta = include_str!("../../../../../tests/specs/meta/vectors.json");
        check(meta, "sdk", meta_form);
        check(meta, "page", meta_form);
        let ads = include_str!("../../../../../tests/specs/datamanager/vectors.json");
        check(ads, "util", google_ads_form);
        check(ads, "page", google_ads_form);
        let ga4 = include_str!("../../../../../tests/specs/ga4/vectors.json");
        check(ga4, "rows", |field| {
            Some(match field {
                "sha256_email_address" => email_ga4,
                "sha256_phone_number" => phone,
                "sha256_first_name" | "sha256_last_name" => letters,
                _ => return None,
            })
        });
        let tiktok = include_str!("../../../../../tests/specs/tiktok/vectors.json");
        check(tiktok, "rows", |field| {
            Some(match field {
                "email" => email,
                "phone" => phone_tiktok,
                "external_id" => id,
                _ => return None,
            })
        });
    }

    #[test]
    fn one_address_has_a_different_hash_at_each_service() {
        let address = "Jane.Doe+shop@gmail.com";
        let hashes = [email, email_ga4, email_google_ads].map(|form| hashed(address, form));
        assert!(hashes.iter().all(Option::is_some));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
    }

    #[test]
    fn nothing_and_what_has_no_form_is_never_hashed() {
        for empty in ["", "   ", "\u{a0}", HASH_OF_NOTHING] {
            for form in [email, phone, name, city, postal_code, id, letters, street] {
                assert_eq!(hashed(empty, form), None, "{empty:?}");
            }
        }
        for text in ["nope", "a b@c.de", "@c.de", "a@", "a@c", "a@b@c.de", "a@.de", "a@c."] {
            assert_eq!(hashed(text, email), None, "{text}");
        }
        assert_eq!(hashed("'-.", letters), None);
    }

    #[test]
    fn only_a_whole_hash_is_left_as_it_is() {
        let hash = sha256_hex(b"jane.doe@example.com");
        assert_eq!(hashed(&format!(" {hash} "), email), Some(hash.clone()));
        assert_ne!(hashed(&format!("{hash}0"), name), Some(format!("{hash}0")));
        assert_eq!(hashed(&hash[1..], email), None);
        assert!(!is_hash(&hash.to_uppercase()));
    }

    #[test]
    fn a_national_number_is_not_hashed_as_another_countrys() {
        assert_eq!(phone("600 111 222"), None);
        assert_eq!(phone("0600 111 222 33"), None);
        assert_eq!(phone("+34 600 111 222").as_deref(), Some("+34600111222"));
        assert_eq!(phone("0034600111222").as_deref(), Some("+34600111222"));
        for unmarked in ["34600111222", "11987654321", "(11) 98765-4321", "6001112223334"] {
            assert_eq!(phone(unmarked), None, "{unmarked}");
        }
        for wrong in ["+0600111222", "000600111222", "+34 600 111 222 ext 7", "+34600111222 / 33"] {
            assert_eq!(phone(wrong), None, "{wrong}");
        }
        assert_eq!(phone("+1234567890123456"), None);
    }

    #[test]
    fn a_letter_and_its_mark_are_one_letter() {
        assert_eq!(name("Vale\u{301}ry"), name("Valéry"));
        assert_eq!(name("Mu\u{308}ller"), name("Müller"));
        assert_eq!(name("N\u{303}u\u{303}"), Some("ñu\u{303}".to_owned()));
    }

    #[test]
    fn a_birthday_is_read_from_a_date_or_a_time() {
        assert_eq!(birthday("1980-01-31T00:00:00Z").as_deref(), Some("19800131"));
        assert_eq!(birthday("31/01/1980"), None);
        assert_eq!(gender("Non-binary"), None);
    }
}
