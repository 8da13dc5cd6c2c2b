//! The proof of a call: its token or its signature, by the table of its source.
//!
//! Call, table, secrets → genuine, a test, forged, or a question for the holder's public key. Digests are compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::Webhook;
use hilo_core::inbound::verify::{Encoding, Hash, Part, Place, Proof, Scheme, Signed, Stamp, Unit};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;

use super::{Post, der};
use crate::signature;

/// The most signatures of a call that are looked at: one for each secret that is being replaced.
const SIGNATURES_MAX: usize = 4;

/// What a call shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The vendor made it.
    Genuine,
    /// The vendor tries the webhook out, with a secret that everybody knows.
    Test,
    /// It shows nothing, or something that none of the source's secrets makes.
    Forged,
    /// A public key has to tell.
    Asks(Vec<Question>),
}

/// A signature of a public key.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose key.
    pub signer: Signer,
    /// The signature as WebCrypto reads it.
    pub signature: Vec<u8>,
    /// The signed text.
    pub message: Vec<u8>,
}

/// The holder of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// An EC key, as the source's secret has it.
    Key(String),
    /// The subject of the certificate at this address.
    Certificate(String),
}

/// Looks at what a call shows.
pub fn judge(webhook: &Webhook, secrets: &[String], post: &Post<'_>) -> Evidence {
    let fits = |place: &Place, is: &str| post.value(place).is_some_and(|value| value == is);
    let verify = &webhook.verify;
    let pinned = verify.pinned.as_ref().zip(webhook.subscription.as_ref());
    if !verify.require.iter().all(|fixed| fits(&fixed.place, &fixed.is))
        || !pinned.is_none_or(|(place, is)| fits(place, is))
    {
        return Evidence::Forged;
    }
    match &verify.proof {
        Proof::Token(place) => {
            let shown = post.value(place);
            let is_known = |shown: String| secrets.iter().any(|one| signature::equal(one, &shown));
            if shown.is_some_and(is_known) { Evidence::Genuine } else { Evidence::Forged }
        }
        Proof::Signed(signed) => of_signature(signed, webhook, secrets, post),
    }
}

fn of_signature(
    signed: &Signed,
    webhook: &Webhook,
    secrets: &[String],
    post: &Post<'_>,
) -> Evidence {
    let Some(messages) = messages(signed, webhook, post) else { return Evidence::Forged };
    let mut tags = post.values(&signed.signature);
    tags.truncate(SIGNATURES_MAX);
    let tags: Vec<Vec<u8>> =
        tags.iter().filter_map(|text| decoded(text, signed.encoding)).collect();
    let question = |signer: &Signer| {
        let signature = tags.first()?;
        let signature = match signer {
            Signer::Key(_) => der::ecdsa_signature(signature)?,
            Signer::Certificate(_) => signature.clone(),
        };
        let message = messages.first()?.clone();
        Some(Question { signer: signer.clone(), signature, message })
    };
    let signers: Vec<Signer> = match &signed.scheme {
        Scheme::Hmac { hashes, is_base64 } => {
            let fits = |secret: &String| {
                let Some(key) = key_of(secret, *is_base64) else { return false };
                let made = |tag: &Vec<u8>, message: &Vec<u8>| {
                    let hash = hashes.iter().find(|hash| bytes_of(**hash) == tag.len());
                    hash.is_some_and(|hash| signature::verify_with(*hash, &key, message, tag))
                };
                tags.iter().any(|tag| messages.iter().any(|message| made(tag, message)))
            };
            return if secrets.iter().any(fits) {
                Evidence::Genuine
            } else if webhook.verify.test_secrets.iter().any(fits) {
                Evidence::Test
            } else {
                Evidence::Forged
            };
        }
        Scheme::EcdsaP256 => secrets.iter().cloned().map(Signer::Key).collect(),
        Scheme::Certificate { url, hosts } => {
            let url = post.value(url).filter(|url| is_at(url, hosts));
            url.map(Signer::Certificate).into_iter().collect()
        }
    };
    let questions: Vec<Question> = signers.iter().filter_map(question).collect();
    if questions.is_empty() { Evidence::Forged } else { Evidence::Asks(questions) }
}

/// Refuses a genuine call whose signature is of another time: somebody may have kept it.
///
/// # Errors
/// `stale_signature`.
pub fn check_time(webhook: &Webhook, post: &Post<'_>, now: Timestamp) -> Result<(), Rejection> {
    let stamp = match &webhook.verify.proof {
        Proof::Signed(signed) => signed.timestamp.as_ref(),
        Proof::Token(_) => None,
    };
    let Some(Stamp { place, unit, tolerance_s }) = stamp else { return Ok(()) };
    let at = post.value(place).and_then(|text| time_of(&text, *unit));
    if at.is_some_and(|at| (now.as_second() - at).abs() <= i64::from(*tolerance_s)) {
        return Ok(());
    }
    let message = format!(
        "the signature is valid and was made more than {tolerance_s} seconds from now: a kept call, or a clock that is wrong"
    );
    Err(Rejection::new(Code::StaleSignature, message))
}

/// Seconds since the epoch.
fn time_of(text: &str, unit: Unit) -> Option<i64> {
    match unit {
        Unit::Seconds => text.parse().ok(),
        Unit::Milliseconds => text.parse::<i64>().ok().map(|ms| ms.div_euclid(1_000)),
        Unit::Iso => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
    }
}

/// The signed text, in each of the forms that the vendor may have signed; `None` where a part is missing or the body is not covered.
fn messages(signed: &Signed, webhook: &Webhook, post: &Post<'_>) -> Option<Vec<Vec<u8>>> {
    let is_covered = |part: &Part| match part {
        Part::FormSorted => post.form().is_some(),
        Part::Body | Part::Crc32 | Part::Lines(_) => true,
        Part::Url | Part::Timestamp | Part::Id | Part::Subscription | Part::Literal(_) => false,
    };
    if !signed.message.iter().any(is_covered) {
        let hash = post.value(signed.body_hash.as_ref()?)?;
        if !signature::equal(&hash.to_ascii_lowercase(), &signature::sha256_hex(post.body)) {
            return None;
        }
    }
    let addresses = match &webhook.public_url {
        Some(url) if signed.message.contains(&Part::Url) => addresses(url, &post.incoming.query),
        Some(_) | None => vec![String::new()],
    };
    addresses.iter().map(|address| message(signed, webhook, post, address)).collect()
}

fn message(signed: &Signed, webhook: &Webhook, post: &Post<'_>, address: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for part in &signed.message {
        match part {
            Part::Body => text.extend_from_slice(post.body),
            Part::Url => text.extend_from_slice(address.as_bytes()),
            Part::Timestamp => text.extend(post.value(&signed.timestamp.as_ref()?.place)?.bytes()),
            Part::Id => text.extend(post.value(signed.id.as_ref()?)?.bytes()),
            Part::FormSorted => text.extend(sorted(post.form().unwrap_or_default()).bytes()),
            Part::Crc32 => text.extend(crc32(post.body).to_string().bytes()),
            Part::Subscription => text.extend(webhook.subscription.as_ref()?.bytes()),
            Part::Lines(names) => {
                for name in names {
                    if let Some(value) = post.field(name) {
                        text.extend(format!("{name}\n{value}\n").bytes());
                    }
                }
            }
            Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
        }
    }
    Some(text)
}

/// The address with the query of the call, without and with the port that https has anyway: Twilio signs either.
fn addresses(url: &str, query: &str) -> Vec<String> {
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let mut addresses = vec![format!("{url}{query}")];
    if let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')) {
        addresses.push(format!("https://{host}:443/{path}{query}"));
    }
    addresses
}

/// The fields of a form by name, each name with its value. A name with several values has each of them once, sorted (Twilio).
fn sorted(fields: &[(String, String)]) -> String {
    let mut fields: Vec<&(String, String)> = fields.iter().collect();
    fields.sort_unstable();
    fields.dedup();
    fields.iter().map(|(name, value)| format!("{name}{value}")).collect()
}

/// CRC-32 as PNG and zip have it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(u32::MAX, byte)
}

/// The key of an HMAC.
fn key_of(secret: &str, is_base64: bool) -> Option<Vec<u8>> {
    if !is_base64 {
        return Some(secret.as_bytes().to_vec());
    }
    STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()
}

const fn bytes_of(hash: Hash) -> usize {
    match hash {
        Hash::Sha1 => 20,
        Hash::Sha256 => 32,
        Hash::Sha512 => 64,
    }
}

fn decoded(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => unhex(text),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Any => unhex(text).or_else(|| STANDARD.decode(text).ok()),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Whether an https address leads to one of the hosts. A `*` stands for one label.
pub(super) fn is_at(address: &str, hosts: &[String]) -> bool {
    let text = address;
    let Ok(address) = url::Url::parse(text) else { return false };
    // An address that readers may read in two ways leads nowhere.
    let is_plain = address.as_str() == text
        && address.scheme() == "https"
        && address.port().is_none()
        && address.username().is_empty()
        && address.password().is_none();
    let found: Vec<&str> = address.host_str().unwrap_or_default().split('.').collect();
    let is_host = |host: &String| {
        let labels: Vec<&str> = host.split('.').collect();
        let fits = |(label, found): (&&str, &&str)| *label == "*" || label == found;
        labels.len() == found.len() && labels.iter().zip(&found).all(fits)
    };
    is_plain && hosts.iter().any(is_host)
}
