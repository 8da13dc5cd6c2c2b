//! Signature Version 4 of AWS, for services that speak S3
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
//!
//! A request's parts and a secret → the header `Authorization`. Only what one PUT needs: a query is never signed.

use jiff::Timestamp;

use crate::signature::{hex, sha256_hex, sign};

/// What is signed.
pub(super) struct Signing<'s> {
    pub(super) method: &'s str,
    /// The path, encoded once: S3 encodes it no second time.
    pub(super) path: &'s str,
    /// The signed headers in the order of their names, which are in lower case.
    pub(super) headers: &'s [(&'s str, &'s str)],
    /// SHA-256 of the body in hex.
    pub(super) body_hash: &'s str,
    pub(super) region: &'s str,
    /// As [`amz_date`] writes it.
    pub(super) date: &'s str,
}

impl Signing<'_> {
    /// Makes the header's value for an access key.
    pub(super) fn authorization(&self, id: &str, secret: &str) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{}\n{}\n\n", self.method, self.path);
        for (name, value) in self.headers {
            canonical.push_str(&format!("{name}:{value}\n"));
        }
        canonical.push_str(&format!("\n{names}\n{}", self.body_hash));
        let day = self.date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.date,
            sha256_hex(canonical.as_bytes())
        );
        let mut key = sign(format!("AWS4{secret}").as_bytes(), day.as_bytes());
        for part in [self.region, "s3", "aws4_request"] {
            key = sign(&key, part.as_bytes());
        }
        let signature = hex(&sign(&key, text.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }
}

/// A time as S3 wants it: `20261124T100000Z`.
pub(super) fn amz_date(now: Timestamp) -> String {
    let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now);
    seconds.to_string().replace(['-', ':'], "")
}

/// Encodes a path as S3 does (RFC 3986, and slashes stay).
pub(super) fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_aws_is_signed_as_aws_signs_it() {
        // "Example: PUT Object" of the page above.
        let body_hash = sha256_hex(b"Welcome to Amazon S3.");
        let signing = Signing {
            method: "PUT",
            path: &encode_path("/test$file.text"),
            headers: &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-content-sha256", &body_hash),
                ("x-amz-date", "20130524T000000Z"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            body_hash: &body_hash,
            region: "us-east-1",
            date: "20130524T000000Z",
        };
        let made = signing
            .authorization("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        assert!(
            made.ends_with(
                "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ),
            "{made}"
        );
    }

    #[test]
    fn a_time_has_no_fraction_and_a_path_keeps_its_slashes() {
        let now = "2026-11-24T10:00:00.5Z".parse().unwrap();
        assert_eq!(amz_date(now), "20261124T100000Z");
        assert_eq!(encode_path("/a/dt=1/ñ.x"), "/a/dt%3D1/%C3%B1.x");
    }
}
