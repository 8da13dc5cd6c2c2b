//! The webhook of a source: how its calls are verified, and which secrets they need.
//!
//! Reads and checks the fields. `verify` has the table of proofs.

use serde::Serialize;

use super::ProblemCode;
use super::reader::{Reader, Section};
use super::verify;
use crate::inbound::verify::{Handshake, Part, Proof, Scheme, Verify};

/// The webhook of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// The preset that it is verified by; `None` for a table of the deployer's own.
    pub preset: Option<&'static str>,
    /// The proof of a call, and the vendor's calls beside events.
    #[serde(skip)]
    pub verify: Verify,
    /// The names of the secrets. A call needs one of them, so that a secret can be replaced.
    pub secrets: Vec<String>,
    /// The address that the deployer gave to the vendor, where signatures cover it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// The vendor's id of the subscription, where it is part of the proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The name of the secret that answers the vendor's challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// The fields that only a webhook source has.
pub(super) const FIELDS: [&str; 5] =
    ["verify", "secrets", "public_url", "subscription", "challenge"];

/// Reads the fields of a webhook source. Other kinds of source must not have them.
pub(super) fn read(
    reader: &Reader<'_>,
    section: &Section<'_>,
    is_webhook: bool,
) -> Option<Webhook> {
    if !is_webhook {
        reader.refuse(section, &FIELDS, "only a source of kind = \"webhook\" has this");
        return None;
    }
    if !section.has("verify") {
        let message = "say how its calls are verified: verify = \"stripe\" or another preset, or a table [source.verify]";
        reader.report_missing(section, "verify", message);
    }
    let chosen = verify::read(reader, section);
    let secrets = secrets(reader, section);
    let public_url = public_url(reader, section);
    let subscription = reader.text(section, "subscription");
    let challenge = reader.secret_name(section, "challenge");
    let verify::Chosen { preset, verify } = chosen?;
    Needs::of(&verify).check(reader, section);
    Some(Webhook { preset, verify, secrets, public_url, subscription, challenge })
}

/// The fields that a proof needs of its source. The others would change nothing.
struct Needs([(&'static str, bool, &'static str, &'static str); 4]);

impl Needs {
    fn of(verify: &Verify) -> Needs {
        let signed = match &verify.proof {
            Proof::Signed(signed) => Some(signed),
            Proof::Token(_) => None,
        };
        let signs = |part| signed.is_some_and(|signed| signed.message.contains(&part));
        let is_certified = matches!(signed.map(|s| &s.scheme), Some(Scheme::Certificate { .. }));
        Needs([
            (
                "secrets",
                !is_certified,
                "name the secrets that prove a call: secrets = [{ secret = \"NAME\" }], a second one while you change it",
                "this vendor proves its calls by a certificate: no secret is needed",
            ),
            (
                "public_url",
                signs(Part::Url),
                "the vendor signs the address too: write it as you gave it to the vendor, without a query",
                "this vendor does not sign the address: remove the line",
            ),
            (
                "subscription",
                signs(Part::Subscription) || verify.pinned.is_some(),
                "name the subscription as the vendor does (PayPal's webhook id, the ARN of the topic), or everybody's would count",
                "this vendor's calls name no subscription: remove the line",
            ),
            (
                "challenge",
                verify.handshakes.contains(&Handshake::Challenge),
                "name the secret that you give to the vendor as verify token: { secret = \"NAME\" }",
                "this vendor sends no challenge: remove the line",
            ),
        ])
    }

    fn check(&self, reader: &Reader<'_>, section: &Section<'_>) {
        for (field, is_needed, missing, useless) in self.0 {
            if is_needed && (!section.has(field) || section.is_blank(field)) {
                reader.report_missing(section, field, missing);
            }
            if let Some(value) = section.value(field).filter(|_| !is_needed) {
                let field = section.path_of(field);
                reader.report(value.span(), &field, ProblemCode::BadValue, useless);
            }
        }
    }
}

/// `[{ secret = "NAME" }, …]`.
fn secrets(reader: &Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let values = reader.list(section, "secrets", "a list of secrets, [{ secret = \"NAME\" }],");
    let path = section.path_of("secrets");
    values.iter().filter_map(|value| reader.secret_in(value, &path)).collect()
}

/// An https address without a query. A call brings its own query.
fn public_url(reader: &Reader<'_>, section: &Section<'_>) -> Option<String> {
    let (url, span) = reader.text_at(section, "public_url")?;
    let parsed = url::Url::parse(&url).ok();
    let is_plain = |url: &url::Url| {
        matches!(url.scheme(), "https" | "http")
            && url.query().is_none()
            && url.fragment().is_none()
    };
    if parsed.as_ref().is_some_and(is_plain) {
        return Some(url);
    }
    let message = "write the whole address of the webhook without a query, such as \"https://shop.example/_h/v1/in/till\"";
    reader.report(span, &section.path_of("public_url"), ProblemCode::BadValue, message);
    None
}
