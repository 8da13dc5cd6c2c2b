//! The parts of an address, as text.
//!
//! In: an address, absolute or broken. Out: a part of it. A parser of URLs would be larger than the tracker.

use hilo_core::text::cut;

/// Scheme, host and port of an address.
pub fn origin(url: &str) -> &str {
    url.get(..host_end(url)).unwrap_or(url)
}

/// The path of an address; empty where it has none.
pub fn path(url: &str) -> &str {
    cut(cut(url.get(host_end(url)..).unwrap_or_default(), b'#').0, b'?').0
}

/// The query of an address with its `?`; empty where it has none.
pub fn search(url: &str) -> &str {
    let bare = cut(url, b'#').0;
    bare.get(cut(bare, b'?').0.len()..).unwrap_or_default()
}

/// Where scheme, host and port end.
fn host_end(url: &str) -> usize {
    let (scheme, rest) = cut(url, b':');
    let after = if rest.is_some_and(|rest| rest.starts_with("//")) { scheme.len() + 3 } else { 0 };
    let rest = url.get(after..).unwrap_or_default();
    let end = rest.as_bytes().iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    after + end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_falls_into_origin_path_and_search() {
        for (url, parts) in [
            ("https://a.example:8443/x/y?q=1#top", ["https://a.example:8443", "/x/y", "?q=1"]),
            ("https://a.example?q=1", ["https://a.example", "", "?q=1"]),
            ("https://a.example/#/?q=1", ["https://a.example", "/", ""]),
            ("", ["", "", ""]),
        ] {
            assert_eq!([origin(url), path(url), search(url)], parts, "{url}");
        }
    }
}
