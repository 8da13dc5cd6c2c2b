//! A table with a signature: its scheme, the signed text, and where signature, time and id stand.

use toml::Spanned;
use toml::de::DeValue;

use super::{hosts, place};
use crate::config::ProblemCode;
use crate::config::reader::{Reader, Section};
use crate::inbound::verify::{Encoding, Hash, Part, Scheme, Signed, Stamp, Unit};

/// The farthest that the time of a signature may be from now: a week, as long as repeats are known.
const TOLERANCE_S_MAX: u32 = 7 * 86_400;

/// Reads a table of this kind.
pub(super) fn read(reader: &Reader<'_>, section: &Section<'_>, kind: &str) -> Option<Signed> {
    let message = "say where the signature stands, such as { header = \"x-signature\" }";
    let signature = place::required(reader, section, "signature", message);
    if !section.has("encoding") {
        reader.report_missing(section, "encoding", "say how it is written: hex, base64 or any");
    }
    let encoding = reader.word(section, "encoding", &["hex", "base64", "any"]);
    let signed = Signed {
        scheme: scheme(reader, section, kind)?,
        message: message_of(reader, section),
        signature: signature?,
        encoding: match encoding? {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            _ => Encoding::Any,
        },
        timestamp: stamp(reader, section),
        id: place::read(reader, section, "id"),
        body_hash: place::read(reader, section, "body_hash"),
    };
    check(reader, section, &signed);
    Some(signed)
}

fn scheme(reader: &Reader<'_>, section: &Section<'_>, kind: &str) -> Option<Scheme> {
    match kind {
        "ecdsa_p256" => Some(Scheme::EcdsaP256),
        "rsa_cert" => {
            let message = "say where the address of the certificate stands";
            let url = place::required(reader, section, "certificate", message);
            let hosts = hosts::read(reader, section);
            Some(Scheme::Certificate { url: url?, hosts })
        }
        _ => {
            let is_base64 = reader.word(section, "key", &["text", "base64"]) == Some("base64");
            Some(Scheme::Hmac { hashes: hashes(reader, section), is_base64 })
        }
    }
}

/// One hash or a list.
fn hashes(reader: &Reader<'_>, section: &Section<'_>) -> Vec<Hash> {
    let known = ["sha1", "sha256", "sha512"];
    if section.is_blank("algorithm") && !section.has("algorithm") {
        reader.report_missing(section, "algorithm", "name the hash: sha1, sha256 or sha512");
    }
    let is_one = section.value("algorithm").is_some_and(|value| value.get_ref().as_str().is_some());
    let words = if is_one {
        reader.word(section, "algorithm", &known).into_iter().collect()
    } else {
        reader.words(section, "algorithm", &known)
    };
    let hash = |word| match word {
        "sha1" => Hash::Sha1,
        "sha512" => Hash::Sha512,
        _ => Hash::Sha256,
    };
    words.into_iter().map(hash).collect()
}

/// The parts of the signed text. A text that is no part's name stands for itself.
fn message_of(reader: &Reader<'_>, section: &Section<'_>) -> Vec<Part> {
    if section.is_blank("message") {
        let message = "list what is signed, such as [\"timestamp\", \".\", \"body\"]";
        reader.report_missing(section, "message", message);
    }
    let values = reader.list(section, "message", "a list of parts");
    values.iter().filter_map(|value| part(reader, section, value)).collect()
}

fn part(reader: &Reader<'_>, section: &Section<'_>, value: &Spanned<DeValue<'_>>) -> Option<Part> {
    let path = section.path_of("message");
    if let DeValue::Table(_) = value.get_ref() {
        let lines = reader.as_section(value, path, "{ lines = [\"Name\"] }")?;
        reader.only(&lines, &["lines"]);
        return Some(Part::Lines(reader.texts(&lines, "lines")));
    }
    Some(match reader.as_text(value, &path)?.as_str() {
        "body" => Part::Body,
        "url" => Part::Url,
        "timestamp" => Part::Timestamp,
        "id" => Part::Id,
        "form_sorted" => Part::FormSorted,
        "crc32" => Part::Crc32,
        "subscription" => Part::Subscription,
        literal => Part::Literal(literal.to_owned()),
    })
}

fn stamp(reader: &Reader<'_>, section: &Section<'_>) -> Option<Stamp> {
    let value = section.value("timestamp")?;
    let (place, of) =
        place::with(reader, value, section.path_of("timestamp"), &["unit", "tolerance_s"])?;
    for (field, message) in [
        ("unit", "say how the time is written: s, ms or iso"),
        ("tolerance_s", "say how many seconds it may differ from now, such as 300"),
    ] {
        if !of.has(field) {
            reader.report_missing(&of, field, message);
        }
    }
    let unit = reader.word(&of, "unit", &["s", "ms", "iso"]);
    let tolerance_s = reader.number(&of, "tolerance_s", 1..=TOLERANCE_S_MAX);
    let unit = match unit? {
        "s" => Unit::Seconds,
        "ms" => Unit::Milliseconds,
        _ => Unit::Iso,
    };
    Some(Stamp { place, unit, tolerance_s: tolerance_s? })
}

/// Refuses a table whose signature would leave the body, the time or the id to anybody.
fn check(reader: &Reader<'_>, section: &Section<'_>, signed: &Signed) {
    let has = |part: &Part| signed.message.contains(part);
    let report = |message: &str| {
        if let Some(value) = section.value("message") {
            let field = section.path_of("message");
            reader.report(value.span(), &field, ProblemCode::BadValue, message);
        }
    };
    if !signed.message.is_empty() && !signed.message.iter().any(Part::covers_body) {
        report(
            "no part covers the body, so anybody could change it: add \"body\" or \"form_sorted\"",
        );
    }
    if has(&Part::Timestamp) && signed.timestamp.is_none() {
        reader.report_missing(section, "timestamp", "say where the signed time stands");
    }
    if has(&Part::Id) && signed.id.is_none() {
        reader.report_missing(section, "id", "say where the signed id stands");
    }
    let is_line = |part: &Part| matches!(part, Part::Lines(_));
    if signed.timestamp.is_some() && !has(&Part::Timestamp) && !signed.message.iter().any(is_line) {
        report("the time is not signed, so anybody could write another one: add \"timestamp\"");
    }
}
