//! DER (X.690): the few bytes of it that webhooks need. Bytes from strangers → parts, or nothing. No part is copied.

/// The tag of a whole number.
const INTEGER: u8 = 0x02;
/// The tag of a sequence.
pub(super) const SEQUENCE: u8 = 0x30;
/// The bytes of a coordinate on P-256.
const COORDINATE_BYTES: usize = 32;

/// An element: its tag, its content, all of its bytes, and what follows it.
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) content: &'d [u8],
    pub(super) whole: &'d [u8],
    pub(super) rest: &'d [u8],
}

/// Reads the first element.
pub(super) fn read(bytes: &[u8]) -> Option<Element<'_>> {
    let (tag, behind_tag) = bytes.split_first()?;
    let (first, behind_first) = behind_tag.split_first()?;
    let (length, behind) = if *first < 0x80 {
        (usize::from(*first), behind_first)
    } else {
        // More than three bytes would be a length beyond any body.
        let count = usize::from(*first & 0x7f);
        let (digits, behind) =
            behind_first.split_at_checked(count).filter(|_| (1..=3).contains(&count))?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), behind)
    };
    let (content, rest) = behind.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - rest.len())?;
    Some(Element { tag: *tag, content, whole, rest })
}

/// Reads the first element if it has this tag.
pub(super) fn expect(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    read(bytes).filter(|element| element.tag == tag)
}

/// The two numbers of an ECDSA signature on P-256, one behind the other as WebCrypto reads them (IEEE P1363).
pub(super) fn ecdsa_signature(bytes: &[u8]) -> Option<Vec<u8>> {
    let pair = expect(bytes, SEQUENCE).filter(|pair| pair.rest.is_empty())?;
    let r = expect(pair.content, INTEGER)?;
    let s = expect(r.rest, INTEGER).filter(|s| s.rest.is_empty())?;
    Some([coordinate(r.content)?, coordinate(s.content)?].concat())
}

/// A number at its full length: DER leaves zeros out, and adds one where the first bit is set.
fn coordinate(number: &[u8]) -> Option<Vec<u8>> {
    let digits = match number {
        [0, digits @ ..] => digits,
        digits => digits,
    };
    let missing = COORDINATE_BYTES.checked_sub(digits.len())?;
    Some([&vec![0; missing][..], digits].concat())
}
