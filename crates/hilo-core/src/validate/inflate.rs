//! Inflates a body with `Content-Encoding: gzip`, or one that begins as gzip does.
//!
//! Body → body. A page may not name an encoding without a preflight, so the first bytes decide where nothing is named. Inflates in
//! small chunks up to a hard cap, so that a bomb costs no more memory than the cap. (The platform's own stream read a 0.5 MB bomb
//! into 900 MB although its reader had stopped.) Knows no other encoding.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use crate::event::{BODY_BYTES_MAX, INFLATED_BYTES_MAX};
use crate::outcome::{Code, Rejection};

/// Bytes inflated between two checks of the cap.
const CHUNK_BYTES: usize = 16 * 1024;

/// The inflated body, inside the limits before and after inflating.
///
/// # Errors
/// `body_too_large`, `inflated_too_large`; `unsupported_encoding` for anything but gzip and for broken gzip;
/// `malformed_body` for gzip that was cut short, as for any other body that was.
pub fn inflate(body: &[u8], content_encoding: Option<&str>) -> Result<Vec<u8>, Rejection> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Rejection::new(
            Code::BodyTooLarge,
            format!("send at most {BODY_BYTES_MAX} bytes per request: split the batch"),
        ));
    }
    let encoding = content_encoding.unwrap_or_default().trim();
    // No JSON begins with these bytes (RFC 1952, section 2.3.1).
    if encoding.is_empty() && body.starts_with(&[0x1f, 0x8b]) {
        return gunzip(body);
    }
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
        return Ok(body.to_vec());
    }
    // `x-gzip` is gzip's older name and must be treated alike (RFC 9110, section 8.4.1.3).
    if encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip") {
        return gunzip(body);
    }
    Err(Rejection::new(
        Code::UnsupportedEncoding,
        "send the body plain or with Content-Encoding: gzip",
    ))
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, Rejection> {
    // One gzip member only: each of 26,000 empty members in one body would cost a new inflater.
    let mut decoder = GzDecoder::new(body);
    let mut inflated = Vec::with_capacity(body.len().saturating_mul(4).min(INFLATED_BYTES_MAX));
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        let count = decoder.read(&mut chunk).map_err(|error| broken(&error))?;
        if count == 0 {
            break;
        }
        inflated.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if inflated.len() > INFLATED_BYTES_MAX {
            return Err(Rejection::new(
                Code::InflatedTooLarge,
                format!(
                    "send at most {INFLATED_BYTES_MAX} bytes before compression: split the batch"
                ),
            ));
        }
    }
    if !decoder.into_inner().is_empty() {
        return Err(Rejection::new(
            Code::UnsupportedEncoding,
            "there are bytes after the end of the gzip data",
        ));
    }
    Ok(inflated)
}

fn broken(error: &io::Error) -> Rejection {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        Rejection::new(
            Code::MalformedBody,
            "the gzip data was cut short: send the whole body again",
        )
    } else {
        Rejection::new(
            Code::UnsupportedEncoding,
            "the gzip data is damaged: send it again, or plain",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn check(body: &[u8], encoding: &str, expected: Code) {
        assert_eq!(inflate(body, Some(encoding)).unwrap_err().code, expected);
    }

    #[test]
    fn plain_and_gzip_bodies_are_read_alike() {
        for encoding in [None, Some(""), Some("identity")] {
            assert_eq!(inflate(b"{}", encoding).unwrap(), b"{}");
        }
        assert_eq!(inflate(&gzip(b"{}"), Some("GZIP")).unwrap(), b"{}");
        assert_eq!(inflate(&gzip(b"{}"), None).unwrap(), b"{}", "a page names no encoding");
        assert_eq!(inflate(&gzip(b""), Some("x-gzip")).unwrap(), b"");
    }

    #[test]
    fn other_encodings_are_refused() {
        for encoding in ["br", "deflate", "zstd", "gzip, gzip"] {
            check(b"x", encoding, Code::UnsupportedEncoding);
        }
    }

    #[test]
    fn a_body_one_byte_over_a_limit_is_refused() {
        assert!(inflate(&vec![b' '; BODY_BYTES_MAX], None).is_ok());
        assert_eq!(
            inflate(&vec![b' '; BODY_BYTES_MAX + 1], None).unwrap_err().code,
            Code::BodyTooLarge
        );
        assert!(inflate(&gzip(&vec![0; INFLATED_BYTES_MAX]), Some("gzip")).is_ok());
        check(&gzip(&vec![0; INFLATED_BYTES_MAX + 1]), "gzip", Code::InflatedTooLarge);
    }

    #[test]
    fn a_gzip_bomb_is_refused_at_the_cap() {
        check(&gzip(&vec![0; 64 * 1024 * 1024]), "gzip", Code::InflatedTooLarge);
    }

    #[test]
    fn cut_and_damaged_gzip_have_codes_of_their_own() {
        let whole = gzip(b"{\"batch\":[]}");
        for cut in 0..whole.len() {
            check(&whole[..cut], "gzip", Code::MalformedBody);
        }
        let mut wrong_crc = whole.clone();
        let crc = wrong_crc.len() - 8;
        wrong_crc[crc] ^= 0xff;
        check(&wrong_crc, "gzip", Code::UnsupportedEncoding);
        check(&[whole.as_slice(), b"tail"].concat(), "gzip", Code::UnsupportedEncoding);
        check(&[whole.as_slice(), whole.as_slice()].concat(), "gzip", Code::UnsupportedEncoding);
        check(b"not gzip at all", "gzip", Code::UnsupportedEncoding);
    }
}
