//! The string of TCF: bits in base64url, in segments between dots (IAB, Transparency and Consent String, version 2).
//!
//! In: the string. Out: the consents in it. Where the page's API has the same, the API counts; this reads what the API leaves out.

use crate::text::parts;

/// Where a field begins, in bits from the segment's first.
const PURPOSES_AT: usize = 152;
const VENDORS_AT: usize = 213;
/// Behind the type of a segment.
const BODY_AT: usize = 3;
/// Segment types.
const DISCLOSED_VENDORS: u64 = 1;
const PUBLISHER: u64 = 3;

/// A string of version 2.
pub(super) struct TcString<'t> {
    core: Bits<'t>,
    text: &'t str,
}

impl<'t> TcString<'t> {
    /// Reads a string; `None` unless it is of version 2.
    pub(super) fn read(text: &'t str) -> Option<TcString<'t>> {
        let core = Bits(parts(text, b'.').next()?);
        (core.number(0, 6)? == 2).then_some(TcString { core, text })
    }

    fn segment(&self, kind: u64) -> Option<Bits<'t>> {
        let mut others = parts(self.text, b'.').skip(1).map(Bits);
        others.find(|bits| bits.number(0, BODY_AT) == Some(kind))
    }

    /// Whether the visitor was shown this vendor. Without the segment, nobody was (TCF 2.3).
    pub(super) fn discloses(&self, vendor: u64) -> bool {
        self.segment(DISCLOSED_VENDORS).is_some_and(|bits| bits.lists(BODY_AT, vendor).0)
    }

    /// Whether purpose (1–24) is consented for vendors.
    pub(super) fn consents(&self, purpose: u8) -> bool {
        self.core.is_set(PURPOSES_AT + usize::from(purpose) - 1)
    }

    /// Whether purpose (1–24) is consented for the publisher.
    pub(super) fn publisher_consents(&self, purpose: u8) -> bool {
        let at = BODY_AT + usize::from(purpose) - 1;
        self.segment(PUBLISHER).is_some_and(|bits| bits.is_set(at))
    }

    /// Whether the vendor has consent. A string with restrictions of the publisher's counts as no: only the API has them in full.
    pub(super) fn allows(&self, vendor: u64) -> bool {
        let (is_allowed, interests_at) = self.core.lists(VENDORS_AT, vendor);
        let (_, restrictions_at) = self.core.lists(interests_at, 0);
        is_allowed && self.core.number(restrictions_at, 12) == Some(0)
    }
}

/// A segment: six bits a character, the highest first.
struct Bits<'t>(&'t str);

impl Bits<'_> {
    fn is_set(&self, at: usize) -> bool {
        self.number(at, 1) == Some(1)
    }

    /// The number of these bits; `None` beyond the end and where a character is not of base64url.
    #[inline(never)]
    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let mut number = 0;
        for place in at..at.checked_add(length)? {
            let byte = *self.0.as_bytes().get(place / 6)?;
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            number = number << 1 | u64::from(six >> (5 - place % 6) & 1);
        }
        Some(number)
    }

    /// Whether the list of vendors that begins at `at` has `vendor`, and where the list ends. A list that is cut off has nobody.
    fn lists(&self, at: usize, vendor: u64) -> (bool, usize) {
        self.found(at, vendor).unwrap_or((false, usize::MAX))
    }

    fn found(&self, at: usize, vendor: u64) -> Option<(bool, usize)> {
        let last = self.number(at, 16)?;
        let mut next = at + 17;
        if self.number(at + 16, 1)? == 0 {
            let is_set = (1..=last).contains(&vendor) && self.is_set(next + vendor as usize - 1);
            return Some((is_set, next + last as usize));
        }
        // Twelve bits bound the ranges.
        let count = self.number(next, 12)?;
        next += 12;
        let mut is_found = false;
        for _ in 0..count {
            let is_range = self.number(next, 1)? == 1;
            let first = self.number(next + 1, 16)?;
            let end = if is_range { self.number(next + 17, 16)? } else { first };
            next += if is_range { 33 } else { 17 };
            is_found |= (first..=end).contains(&vendor);
        }
        Some((is_found, next))
    }
}
