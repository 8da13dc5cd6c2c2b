//! The words of answers and reasons, before people see them: where they are cut, what stands in them though it is written
//! differently, and what looks like somebody's.
//!
//! Texts in, texts out. Does not know what has to be hidden: [`super::shown`] does.

/// More digits than this may be a phone number, a card or a day of birth.
pub(super) const DIGITS_MAX: usize = 6;
/// A run of letters and digits this long may be a token or a hash.
const TOKEN_CHARS_MIN: usize = 24;
/// What is shown in the place of a hidden text.
pub(super) const HIDDEN: &str = "<hidden>";
/// What stands where a text was cut.
const CUT: char = '…';
/// How often escapes are read: a service may quote JSON in JSON.
const ESCAPED_TIMES_MAX: usize = 3;

/// The beginning of a text, at most `bytes_max` long, and a [`CUT`] if there is more. It ends with a whole word, because half of an
/// address or of a number would not be recognized.
pub(super) fn beginning(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let kept = text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default();
    let is_of_word = |char| is_of_token(char) || matches!(char, '\\' | '&' | '#' | ';');
    let kept = kept.trim_end_matches(is_of_word);
    let number = kept.trim_end_matches(is_of_number);
    // A number may be the end of an escape.
    let kept = match number.len() < kept.trim_end().len() {
        true => number.trim_end_matches(is_of_word),
        false => kept.trim_end(),
    };
    format!("{kept}{CUT}")
}

/// Whether a character may stand in a token or an address.
fn is_of_token(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '@' | '.' | '_' | '+' | '-' | '%' | ':')
}

/// Whether a character may stand in a number as people write it.
fn is_of_number(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, ' ' | '-' | '.' | '(' | ')' | '/' | '+')
}

/// The text without the escapes of JSON (RFC 8259, 7), of URLs, and of characters by number in HTML.
pub(super) fn unescaped(mut text: String) -> String {
    for _ in 0..ESCAPED_TIMES_MAX {
        if !text.contains(['\\', '&', '%']) {
            break;
        }
        let read = String::from_utf8(hilo_core::text::percent_decode(&text));
        text = unescaped_once(&read.unwrap_or(text));
    }
    text
}

fn unescaped_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (char, length) = of_json(escape)
            .or_else(|| of_html(escape))
            .unwrap_or_else(|| (if escape.starts_with('&') { '&' } else { '\\' }, 1));
        out.push(char);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of an escape at the beginning of a text, and the escape's length.
fn of_json(text: &str) -> Option<(char, usize)> {
    let behind = text.strip_prefix('\\')?;
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok();
    if let Some(first) = unit(behind) {
        let second = behind.get(5..).and_then(|text| unit(text.strip_prefix('\\')?));
        let read = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
        let pair =
            second.and_then(|second| read(&[first, second])).filter(|char| char.len_utf16() == 2);
        return pair.map(|char| (char, 12)).or_else(|| Some((read(&[first])?, 6)));
    }
    match behind.chars().next()? {
        char @ ('"' | '\\' | '/') => Some((char, 2)),
        'n' | 'r' | 't' | 'b' | 'f' => Some((' ', 2)),
        _ => None,
    }
}

/// The same for HTML: `&#241;`, `&#xF1;`, and the characters that HTML itself uses.
fn of_html(text: &str) -> Option<(char, usize)> {
    let (name, _) = text.strip_prefix('&')?.split_once(';')?;
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    let char = match name {
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "lt" => '<',
        "gt" => '>',
        _ => char::from_u32(number?)?,
    };
    Some((char, name.len() + 2))
}

/// The text in small letters, each as long as before, so that places in both are the same.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let mut lower = char.to_lowercase();
        match (char, lower.next(), lower.next()) {
            ('ß', ..) => out.push_str("ss"),
            ('ς', ..) => out.push('σ'),
            (_, Some(one), None) if one.len_utf8() == char.len_utf8() => out.push(one),
            _ => out.push(char),
        }
    }
    out
}

/// The beginnings of `known` that a [`CUT`] ends, as places in `text`.
pub(super) fn begun(text: &str, known: &str) -> Vec<(usize, usize)> {
    let cuts = text.match_indices(CUT).filter_map(|(end, _)| {
        let before = text.get(..end)?;
        let lengths = known.char_indices().map(|(length, _)| length).rev();
        let begins = |length: &usize| {
            *length > 0 && known.get(..*length).is_some_and(|part| before.ends_with(part))
        };
        lengths.into_iter().find(begins).map(|length| (end - length, end))
    });
    cuts.collect()
}

/// Whether neither a letter nor a digit stands beside this part of a text.
pub(super) fn is_apart(text: &str, at: usize, end: usize) -> bool {
    let is_letter = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let behind = text.get(end..).and_then(|text| text.chars().next());
    !is_letter(before) && !is_letter(behind)
}

/// Hides parts of a text. They may overlap.
pub(super) fn without(text: &str, parts: &[(usize, usize)]) -> String {
    let mut is_hidden = vec![false; text.len()];
    for (at, end) in parts {
        is_hidden.get_mut(*at..*end).unwrap_or_default().fill(true);
    }
    let (mut out, mut was_hidden) = (String::with_capacity(text.len()), false);
    for (at, char) in text.char_indices() {
        let is_hidden = is_hidden.get(at) == Some(&true);
        match (is_hidden, was_hidden) {
            (false, _) => out.push(char),
            (true, false) => out.push_str(HIDDEN),
            (true, true) => {}
        }
        was_hidden = is_hidden;
    }
    out
}

/// Hides e-mail addresses, addresses of machines, and long runs of letters and digits.
pub(super) fn without_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|char| !is_of_token(char)).unwrap_or(rest.len());
        let (token, behind) = rest.split_at(end);
        out.push_str(if is_token_of_somebody(token) { HIDDEN } else { token });
        let gap = behind.find(is_of_token).unwrap_or(behind.len());
        let (gap, behind) = behind.split_at(gap);
        out.push_str(gap);
        rest = behind;
    }
    out
}

fn is_token_of_somebody(token: &str) -> bool {
    let is_long = |run: &str| run.len() >= TOKEN_CHARS_MIN && digits(run) > 0;
    let is_address_of_machine = token.matches(':').count() > 2
        && token.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
    token.contains('@')
        || token.contains("%40")
        || is_address_of_machine
        || token.split(|char: char| !char.is_ascii_alphanumeric()).any(is_long)
}

/// Hides numbers that are longer than a price or a code: phones, cards, days, addresses of machines.
pub(super) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|char: char| char.is_ascii_digit() || char == '+') {
        let (before, number) = rest.split_at(begin);
        out.push_str(before);
        let end = number.find(|char| !is_of_number(char)).unwrap_or(number.len());
        let last = number.get(..end).and_then(|run| run.rfind(|char: char| char.is_ascii_digit()));
        let (number, behind) = number.split_at(last.map_or(1, |at| at + 1));
        let is_of_machine = number.matches('.').count() > 2;
        out.push_str(if digits(number) > DIGITS_MAX || is_of_machine { HIDDEN } else { number });
        rest = behind;
    }
    out.push_str(rest);
    out
}

pub(super) fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}
