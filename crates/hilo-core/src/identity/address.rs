//! What people are reached and known by → the one form in which two of them are compared.
//!
//! Text → e-mail address, order number, loyalty number in their normal form, or nothing. [`crate::phone`] reads telephone numbers. Knows
//! nobody: the collector looks the forms up under keyed hashes.

/// Bytes of an address or a number: an e-mail address has 254 at most (RFC 5321, 4.5.3.1.3).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// An e-mail address in lower case, composed, and without blanks around it. Dots and suffixes stay: at some hosts they are other people.
pub fn email(text: &str) -> Option<String> {
    let text = composed(text.trim()).to_lowercase();
    let (local, domain) = text.split_once('@')?;
    let has_blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
    let is_domain = domain.contains('.') && !domain.contains('@') && !domain.starts_with('.');
    let is_one = !local.is_empty() && is_domain && !domain.ends_with('.') && !has_blank;
    (is_one && text.len() <= ADDRESS_BYTES_MAX).then_some(text)
}

/// The number of an order in capitals, without the `#` that shops print before it.
pub fn order(text: &str) -> Option<String> {
    let text = text.trim();
    number(text.strip_prefix('#').unwrap_or(text)).map(|text| text.to_uppercase())
}

/// The number of a loyalty card as it is written, without blanks around it.
pub fn loyalty(text: &str) -> Option<String> {
    number(text)
}

fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let is_one = !text.is_empty() && text.len() <= ADDRESS_BYTES_MAX;
    (is_one && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// Letters that some systems send as a letter and a mark after it: mark, letters, and the letters that they make (Unicode NFC). The
/// letters of Western and Central European languages; the whole table of Unicode would be larger than the collector may be.
const MARKED: [(char, &str, &str); 9] = [
    ('\u{300}', "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    ('\u{301}', "aeiouycnszlrAEIOUYCNSZLR", "áéíóúýćńśźĺŕÁÉÍÓÚÝĆŃŚŹĹŔ"),
    ('\u{302}', "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
    ('\u{303}', "anoANO", "ãñõÃÑÕ"),
    ('\u{308}', "aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"),
    ('\u{30a}', "auAU", "åůÅŮ"),
    ('\u{30b}', "ouOU", "őűŐŰ"),
    ('\u{30c}', "cdenrstzCDENRSTZ", "čďěňřšťžČĎĚŇŘŠŤŽ"),
    ('\u{327}', "cstCST", "çşţÇŞŢ"),
];

/// Joins letters and the marks that follow them.
pub fn composed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let made = MARKED.iter().find(|(mark, ..)| *mark == c).and_then(|(_, plain, made)| {
            let last = out.chars().next_back()?;
            plain.chars().zip(made.chars()).find(|(letter, _)| *letter == last)
        });
        match made {
            Some((_, letter)) => {
                out.pop();
                out.push(letter);
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_one_form_however_it_is_written() {
        for (text, expected) in [
            (" Ana@Shop.Example ", Some("ana@shop.example")),
            ("jose\u{301}@shop.example", Some("jos\u{e9}@shop.example")),
            ("ana+news@shop.example", Some("ana+news@shop.example")),
            ("ana", None),
            ("ana@shop", None),
            ("ana@@shop.example", None),
            ("ana maria@shop.example", None),
        ] {
            assert_eq!(email(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_orders_number_has_no_mark_before_it_and_a_cards_number_stays_as_it_is() {
        assert_eq!(order(" #a-1001 ").as_deref(), Some("A-1001"));
        assert_eq!(order("#"), None);
        assert_eq!(loyalty(" c0042x ").as_deref(), Some("c0042x"));
        assert_eq!(loyalty("4\n2"), None);
    }
}
