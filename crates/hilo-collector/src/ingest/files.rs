//! Serves the tracker's files. They are compressed beforehand, chosen by `Accept-Encoding`, and cached as their names
//! allow.
//!
//! `hilo.js` keeps its name, so browsers ask for it again soon. The names of all other files contain a hash of their
//! content, and these files never change. All files are public, and any page may load or embed them.

use crate::platform::{Body, Failure, Incoming, Platform, Reply};
use crate::signature;

/// The seconds that a browser uses a file without a hash before it asks again. A release reaches every browser within
/// this time.
const SHORT_CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";
/// One year, the most that HTTP's own guidance allows (RFC 9111 has no limit; caches clamp at a year).
const LONG_CACHE: &str = "public, max-age=31536000, immutable";
/// The fewest characters of the hash in a name.
const HASH_CHARS_MIN: usize = 8;

/// The types of the tracker's files, by the ending of the name.
const TYPES: [(&str, &str); 5] = [
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("map", "application/json; charset=utf-8"),
    ("json", "application/json; charset=utf-8"),
];

/// Reads a file name from a path: one segment with a known ending. No other file of the directory can be reached.
pub fn file_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (is_plain && !name.starts_with('.') && content_type(name).is_some()).then_some(name)
}

fn content_type(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| *known == ending).map(|(_, media)| *media)
}

/// Whether the name contains a hash: `hilo-3f9a1c2b.wasm`, `hilo_bg.3f9a1c2b.wasm`.
fn is_hashed(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    stem.rsplit(['-', '.', '_']).next().is_some_and(|part| {
        part.len() >= HASH_CHARS_MIN
            && part.len() < stem.len()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    })
}

/// The encodings that the browser accepts, best first, each with the ending of the compressed file.
fn encodings(incoming: &Incoming) -> impl Iterator<Item = (&'static str, &'static str)> {
    let accepted = incoming.headers.get("accept-encoding").unwrap_or_default().to_owned();
    [("br", ".br"), ("gzip", ".gz")].into_iter().filter(move |(name, _)| {
        accepted.split(',').any(|offer| {
            let (offered, quality) = offer.split_once(";q=").unwrap_or((offer, "1"));
            let is_wanted = quality.trim().parse::<f32>().is_ok_and(|quality| quality > 0.0);
            offered.trim().eq_ignore_ascii_case(name) && is_wanted
        })
    })
}

/// Serves the file; `None` if no file has that name.
///
/// # Errors
/// A failure to reach the assets.
pub async fn serve<P: Platform>(
    name: &str,
    incoming: &Incoming,
    platform: &P,
) -> Result<Option<Reply>, Failure> {
    for (encoding, ending) in encodings(incoming) {
        if let Some(bytes) = platform.asset(&format!("{name}{ending}")).await? {
            return Ok(Some(reply(incoming, name, Some(encoding), bytes)));
        }
    }
    let plain = platform.asset(name).await?;
    Ok(plain.map(|bytes| reply(incoming, name, None, bytes)))
}

fn reply(incoming: &Incoming, name: &str, encoding: Option<&str>, bytes: Vec<u8>) -> Reply {
    let (etag, is_known) = etag(incoming, &bytes);
    let mut answer = Reply::empty(if is_known { 304 } else { 200 });
    let headers = &mut answer.headers;
    headers.push("etag", etag);
    headers.push("vary", "Accept-Encoding");
    headers.push("cache-control", if is_hashed(name) { LONG_CACHE } else { SHORT_CACHE });
    headers.push("cross-origin-resource-policy", "cross-origin");
    headers.push("x-content-type-options", "nosniff");
    if !is_known {
        headers.push("content-type", content_type(name).unwrap_or("application/octet-stream"));
        if let Some(encoding) = encoding {
            headers.push("content-encoding", encoding);
        }
        answer.body = Body::Bytes(bytes);
    }
    answer
}

/// The `ETag` of a content, and whether the browser has this content already.
pub(super) fn etag(incoming: &Incoming, bytes: &[u8]) -> (String, bool) {
    let tag: String = signature::sha256_hex(bytes).chars().take(16).collect();
    let etag = format!("\"{tag}\"");
    let is_known = incoming.headers.get("if-none-match").is_some_and(|known| {
        known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag)
    });
    (etag, is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_tracker_can_be_requested() {
        assert_eq!(file_name("/hilo.js"), Some("hilo.js"));
        for path in ["/a/b.js", "/../x.js", "/.hidden.js", "/hilo.js.br", "/hilo", "/%2e.js"] {
            assert_eq!(file_name(path), None, "{path}");
        }
    }

    #[test]
    fn a_file_with_a_hash_in_its_name_is_immutable() {
        assert!(is_hashed("hilo-3f9a1c2b.wasm") && is_hashed("hilo_bg.3f9a1c2b77.wasm"));
        assert!(
            !is_hashed("hilo.js") && !is_hashed("hilo-snippet.js") && !is_hashed("3f9a1c2b.js")
        );
    }

    #[test]
    fn a_file_is_sent_in_an_encoding_that_the_browser_accepts() {
        let check = |accept: &str, expected: &[&str]| {
            let mut incoming = Incoming::default();
            incoming.headers.push("accept-encoding", accept);
            let names: Vec<_> = encodings(&incoming).map(|(name, _)| name).collect();
            assert_eq!(names, expected, "{accept}");
        };
        check("gzip, deflate, br", &["br", "gzip"]);
        check("gzip;q=1.0, br;q=0", &["gzip"]);
        check("identity", &[]);
    }
}
