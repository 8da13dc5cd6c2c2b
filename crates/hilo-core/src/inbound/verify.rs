//! How a webhook proves its sender, as a table: `[source.verify]` of `hilo.toml`, or `[verify]` of a preset.
//!
//! Shapes only. `config` reads the table, and the collector verifies by it. No vendor has code of its own.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of a body where the table names no other number.
pub const BODY_BYTES_USUAL: usize = 512 * 1024;
/// The most bytes of a body that a table may allow: Meta sends up to 3 MB.
pub const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// What a source's webhook is verified by, and what its vendor sends beside events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// The proof.
    pub proof: Proof,
    /// The parts of the vendor's own id of a delivery. Name only what the proof covers. Empty: the hash of topic and body.
    pub delivery: Vec<Place>,
    /// What happened, where the body does not say it.
    pub topic: Option<Place>,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// The calls with which the vendor tries a webhook out before it sends events.
    pub handshakes: Vec<Handshake>,
    /// Secrets that everybody knows. A vendor signs its test calls with one, and such a call is answered and not taken.
    pub test_secrets: Vec<String>,
    /// A genuine call that says nothing.
    pub ping: Option<Fixed>,
    /// Places that must have a value, such as the version of a signature.
    pub require: Vec<Fixed>,
    /// The place that must have the source's `subscription`.
    pub pinned: Option<Place>,
}

/// What proves the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A secret comes along as it is.
    Token(Place),
    /// A signature comes along.
    Signed(Box<Signed>),
}

/// A signature, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who makes it, and how.
    pub scheme: Scheme,
    /// The signed text.
    pub message: Vec<Part>,
    /// Where the signature stands.
    pub signature: Place,
    /// How it is written.
    pub encoding: Encoding,
    /// The time of the signature.
    pub timestamp: Option<Stamp>,
    /// Where the part `id` stands.
    pub id: Option<Place>,
    /// The SHA-256 of the body in hex. It must fit where the signed text has no part of the body.
    pub body_hash: Option<Place>,
}

/// A scheme of signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HMAC with a secret of the source. The length of a signature tells which of the hashes made it.
    Hmac {
        /// The hashes.
        hashes: Vec<Hash>,
        /// Whether the secret is base64, perhaps behind `whsec_`. Else it is the text itself.
        is_base64: bool,
    },
    /// ECDSA on P-256 with SHA-256. The source's secrets are public keys: SPKI in base64. The signature is DER.
    EcdsaP256,
    /// RSA with SHA-256 (PKCS #1 v1.5), by the key of a certificate that the call names.
    Certificate {
        /// The address of the certificate.
        url: Place,
        /// Its hosts. A `*` stands for one label.
        hosts: Vec<String>,
    },
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, whose weakness does not touch HMAC (RFC 6151 says it of MD5, RFC 2104 why).
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A part of the signed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body as it came.
    Body,
    /// The address as the deployer gave it to the vendor, with the query of the call.
    Url,
    /// The time as it came.
    Timestamp,
    /// The id as it came.
    Id,
    /// The fields of a form, sorted by name: each name with its value.
    FormSorted,
    /// The CRC-32 of the body as a decimal number.
    Crc32,
    /// The source's `subscription`.
    Subscription,
    /// Members of the body that are there, each as two lines: its name and its text.
    Lines(Vec<String>),
    /// This text.
    Literal(String),
}

impl Part {
    /// Whether a signature over this part covers the whole body; a form only where the body is one.
    pub const fn covers_body(&self) -> bool {
        matches!(self, Part::Body | Part::FormSorted | Part::Crc32 | Part::Lines(_))
    }
}

/// A place in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub spot: Spot,
    /// How the value stands there.
    pub form: Form,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A header field, in lower case.
    Header(String),
    /// A parameter of the query.
    Query(String),
    /// A field of a form, or a member of JSON: names with dots between them.
    Body(String),
}

/// How a value stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// Behind this text.
    Prefix(String),
    /// As `key=value`, with commas between the pairs. The key may stand there more than once.
    Pairs(String),
    /// As `key,value`, with blanks between them.
    List(String),
    /// Behind `Bearer`.
    Bearer,
    /// As the name and password of Basic, with a colon between them.
    Basic,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal, in any case.
    Hex,
    /// Base64 with `+` and `/`.
    Base64,
    /// One of the two: the vendor's documents do not say.
    Any,
}

/// The time of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Where it stands.
    pub place: Place,
    /// How it is written.
    pub unit: Unit,
    /// The seconds that it may differ from now, to either side.
    pub tolerance_s: u32,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds since the epoch.
    Seconds,
    /// Milliseconds since the epoch.
    Milliseconds,
    /// RFC 3339.
    Iso,
}

/// A place with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The place.
    pub place: Place,
    /// The value.
    pub is: String,
}

/// A call with which a vendor tries a webhook out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// GET or HEAD, answered with 200.
    Get,
    /// GET with `hub.mode=subscribe`, `hub.verify_token` and `hub.challenge`, answered with the challenge (Meta).
    Challenge,
    /// A call without a body, answered with this header field of its own.
    Echo(String),
    /// An unsigned form with this field alone, and a number.
    Number(String),
    /// A genuine call with an address in the body, which is called to subscribe.
    Subscribe {
        /// What tells such a call.
        when: Fixed,
        /// The address.
        url: Place,
        /// Its hosts. A `*` stands for one label.
        hosts: Vec<String>,
    },
}
