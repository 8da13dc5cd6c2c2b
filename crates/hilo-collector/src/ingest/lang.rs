//! The languages of the collector's own pages, and the one that a browser prefers.

use crate::platform::Incoming;

/// A language that the pages have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// The language's tag.
    pub const fn name(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Es => "es",
        }
    }

    /// Reads a tag such as `es` or `es-MX`; `None` for a language that the pages do not have.
    pub fn of(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        [Lang::En, Lang::Es].into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.name()))
    }

    /// The language that the browser prefers among those that the pages have.
    pub fn accepted(incoming: &Incoming) -> Option<Lang> {
        let header = incoming.headers.get("accept-language")?;
        let mut best: Option<(f32, Lang)> = None;
        for range in header.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
            let weight: f32 = weight.unwrap_or(1.0);
            let is_better = weight > 0.0 && best.is_none_or(|(known, _)| weight > known);
            if let Some(lang) = Lang::of(tag.trim()).filter(|_| is_better) {
                best = Some((weight, lang));
            }
        }
        best.map(|(_, lang)| lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_preferred_language_counts_among_those_that_the_pages_have() {
        for (header, expected) in [
            ("es-MX,es;q=0.9,en;q=0.8", Some(Lang::Es)),
            ("de-DE, de;q=0.9, en;q=0.5, es;q=0.7", Some(Lang::Es)),
            ("en-GB", Some(Lang::En)),
            ("es;q=0, en;q=0.1", Some(Lang::En)),
            ("de", None),
            (";;q=x,,", None),
        ] {
            let mut incoming = Incoming::default();
            incoming.headers.push("accept-language", header);
            assert_eq!(Lang::accepted(&incoming), expected, "{header}");
        }
    }
}
