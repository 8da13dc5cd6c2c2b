//! `verify` of a webhook source: the name of a preset, or a table that says how the vendor's calls prove their sender.
//!
//! TOML → [`Verify`], or problems with their places. The presets' own files are read here too. Verifies nothing.

mod handshake;
mod hosts;
mod place;
mod signed;

use super::reader::{Reader, Section};
use crate::inbound::presets;
use crate::inbound::verify::{BODY_BYTES_MAX, BODY_BYTES_USUAL, Proof, Verify};

/// The kinds of proof.
const KINDS: [&str; 5] = ["hmac", "token", "ecdsa_p256", "rsa_cert", "standard"];
/// The fields of a table that every kind of proof has.
const COMMON: [&str; 9] = [
    "kind",
    "delivery",
    "topic",
    "body_bytes_max",
    "handshake",
    "test_secrets",
    "ping",
    "require",
    "pinned",
];
/// The fields of a kind that signs.
const SIGNED: [&str; 10] = [
    "algorithm",
    "key",
    "certificate",
    "hosts",
    "message",
    "signature",
    "encoding",
    "timestamp",
    "id",
    "body_hash",
];

/// What a source verifies by.
pub(super) struct Chosen {
    /// The preset's name, if it is one.
    pub(super) preset: Option<&'static str>,
    /// The table.
    pub(super) verify: Verify,
}

/// Reads `verify` of a source.
pub(super) fn read(reader: &Reader<'_>, source: &Section<'_>) -> Option<Chosen> {
    let value = source.value("verify")?;
    if value.get_ref().as_str().is_none() {
        let section = reader.section(source, "verify")?;
        if reader.word(&section, "kind", &KINDS) == Some("standard") {
            return preset("standard");
        }
        let verify = table(reader, &section)?;
        return Some(Chosen { preset: None, verify });
    }
    let names: Vec<&str> = presets::ALL.iter().map(|(name, _)| *name).collect();
    preset(reader.word(source, "verify", &names)?)
}

/// Reads the file of a preset. A test reads each, so a mistake in one never reaches a deployer.
fn preset(name: &'static str) -> Option<Chosen> {
    let reader = Reader::new(presets::text(name)?);
    let root = reader.parse();
    let root = Section::root(root.get_ref());
    let verify = table(&reader, &reader.section(&root, "verify")?)?;
    reader.is_clean().then_some(Chosen { preset: Some(name), verify })
}

fn table(reader: &Reader<'_>, section: &Section<'_>) -> Option<Verify> {
    let kind = reader.word(section, "kind", &KINDS);
    if !section.has("kind") {
        let message = "say what proves the sender: hmac, token, ecdsa_p256, rsa_cert or standard";
        reader.report_missing(section, "kind", message);
    }
    let proof = match kind? {
        "token" => {
            reader.only(section, &[&COMMON[..], &["token"]].concat());
            let message = "say where the token stands, such as { header = \"x-token\" }";
            Proof::Token(place::required(reader, section, "token", message)?)
        }
        kind => {
            reader.only(section, &[&COMMON[..], &SIGNED].concat());
            Proof::Signed(Box::new(signed::read(reader, section, kind)?))
        }
    };
    let bytes = reader.number(section, "body_bytes_max", 1..=u32::try_from(BODY_BYTES_MAX).ok()?);
    Some(Verify {
        proof,
        delivery: place::list(reader, section, "delivery"),
        topic: place::read(reader, section, "topic"),
        body_bytes_max: bytes.and_then(|n| n.try_into().ok()).unwrap_or(BODY_BYTES_USUAL),
        handshakes: handshake::read(reader, section),
        test_secrets: reader.texts(section, "test_secrets"),
        ping: place::fixed(reader, section, "ping"),
        require: place::all_fixed(reader, section, "require"),
        pinned: place::read(reader, section, "pinned"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::verify::Scheme;

    #[test]
    fn every_preset_reads_without_a_problem() {
        for (name, text) in presets::ALL {
            let reader = Reader::new(text);
            let root = reader.parse();
            let root = Section::root(root.get_ref());
            let section = reader.section(&root, "verify").expect(name);
            assert!(table(&reader, &section).is_some(), "{name}");
            let problems = reader.into_problems();
            assert!(problems.is_empty(), "{name}: {problems:?}");
            assert!(text.contains("https://"), "{name} names the vendor's page");
        }
    }

    #[test]
    fn of_24_presets_13_sign_with_hmac_and_8_show_a_token() {
        let (mut hmac, mut token) = (0, 0);
        for (name, _) in presets::ALL {
            match preset(name).unwrap().verify.proof {
                Proof::Token(_) => token += 1,
                Proof::Signed(signed) if matches!(signed.scheme, Scheme::Hmac { .. }) => hmac += 1,
                Proof::Signed(_) => {}
            }
        }
        assert_eq!((presets::ALL.len(), hmac, token), (24, 13, 8));
    }
}
