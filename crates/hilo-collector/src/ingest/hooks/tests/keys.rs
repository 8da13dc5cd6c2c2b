//! The questions for public keys: what was signed, in the bytes that WebCrypto takes. `tests/collector` lets it answer them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::ingest::hooks::der::ecdsa_signature;

fn question(shown: Evidence) -> Question {
    match shown {
        Evidence::Asks(mut questions) if questions.len() == 1 => questions.remove(0),
        other @ (Evidence::Genuine | Evidence::Test | Evidence::Forged | Evidence::Asks(_)) => {
            panic!("{other:?}")
        }
    }
}

const SENDGRID_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiBRTMmsffsNQZ3lmNpFpvwmPRQ0oKpb06NX1wx5CfdlOxhQ023Po48ih0CQAOw6OrjwxqzCdERSxTW7aixYyAQ==";
const SENDGRID_TAG: &str = "MEUCIDeOBbu2ydYiBryA0K9Ul42ytzp3BJUcScyfzuDyZXQtAiEAjKMvAzr4wHYn4YYjIjpVERPPOZAzVXxcpjknVGozJVI=";

#[test]
fn sendgrids_signature_is_over_time_and_body_with_its_line_end() {
    let body = "[{\"email\":\"a@b.example\",\"event\":\"open\",\"sg_event_id\":\"e1\",\"timestamp\":1795000000}]\r\n";
    let sent = Sent::new(
        body,
        &[
            ("x-twilio-email-event-webhook-signature", SENDGRID_TAG),
            ("x-twilio-email-event-webhook-timestamp", "1795000000"),
        ],
    );
    let found = question(sent.shown(&of_preset("sendgrid"), &[SENDGRID_KEY]));
    assert_eq!(found.signer, Signer::Key(SENDGRID_KEY.to_owned()));
    assert_eq!(found.message, format!("1795000000{body}").as_bytes());
    assert_eq!(found.signature, ecdsa_signature(&STANDARD.decode(SENDGRID_TAG).unwrap()).unwrap());
    assert!(certificate::ec_key(SENDGRID_KEY).is_some());
    for none in ["", "MFkw", VERSION_1] {
        assert!(certificate::ec_key(none).is_none(), "{none}");
    }
}

const VERSION_1: &str = "a secret of sixteen bytes and more";

#[test]
fn an_ecdsa_signature_has_two_numbers_of_32_bytes() {
    let der = STANDARD.decode(SENDGRID_TAG).unwrap();
    let raw = ecdsa_signature(&der).unwrap();
    assert_eq!((raw.len(), raw[0], raw[32]), (64, 0x37, 0x8c));
    for at in 0..der.len() {
        assert!(ecdsa_signature(&der[..at]).is_none(), "{at} bytes");
    }
    assert!(ecdsa_signature(&[der.as_slice(), &[0]].concat()).is_none());
    // A small number is padded: 30 06 02 01 05 02 01 07.
    let small = ecdsa_signature(&[0x30, 6, 2, 1, 5, 2, 1, 7]).unwrap();
    assert_eq!((small.len(), small[31], small[63]), (64, 5, 7));
    let large = [&[0x30, 0x26, 2, 0x21, 1][..], &[0; 32], &[2, 1, 1]].concat();
    assert!(ecdsa_signature(&large).is_none(), "a number of 33 bytes");
}

#[test]
fn paypals_signature_is_over_id_time_webhook_and_checksum() {
    let body = r#"{"id":"evt_1","type":"call.ended","n":1}"#;
    let url = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1";
    let sent = Sent::new(
        body,
        &[
            ("paypal-transmission-id", "T-1"),
            ("paypal-transmission-time", NOW),
            ("paypal-transmission-sig", "AAAA"),
            ("paypal-cert-url", url),
            ("paypal-auth-algo", "SHA256withRSA"),
        ],
    );
    let config = of_preset("paypal");
    let found = question(sent.shown(&config, &[]));
    assert_eq!(found.signer, Signer::Certificate(url.to_owned()));
    assert_eq!(String::from_utf8(found.message).unwrap(), format!("T-1|{NOW}|WH-1|3249656397"));
    for (field, value) in [
        ("paypal-auth-algo", Some("SHA1withRSA")),
        ("paypal-cert-url", None),
        ("paypal-cert-url", Some("https://paypal.com.attacker.example/c")),
        ("paypal-cert-url", Some("https://notpaypal.com/c")),
        ("paypal-cert-url", Some("https://a.b.c.paypal.com/c")),
        ("paypal-cert-url", Some("http://api.paypal.com/c")),
        ("paypal-cert-url", Some("https://api.paypal.com:8443/c")),
        ("paypal-cert-url", Some("https://api.paypal.com@attacker.example/c")),
        ("paypal-cert-url", Some("https://api.paypal.com\\@attacker.example/c")),
        ("paypal-transmission-id", None),
    ] {
        let shown = sent.with(field, value).shown(&config, &[]);
        assert_eq!(shown, Evidence::Forged, "{field}: {value:?}");
    }
}

fn sns(more: &str, url: &str) -> Sent {
    let body = format!(
        r#"{{"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-west-1:1:t","Message":"{{\"eventType\":\"Open\"}}","Timestamp":"2026-11-18T11:06:40.000Z","Signature":"AAAA","SigningCertURL":"{url}","UnsubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"{more}}}"#
    );
    Sent::new(&body, &[("content-type", "text/plain; charset=UTF-8")])
}

const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem";

#[test]
fn amazons_signature_is_over_the_members_in_their_order() {
    let config = of_preset("ses");
    let sent = sns(r#","SignatureVersion":"2""#, CERTIFICATE);
    let found = question(sent.shown(&config, &[]));
    let expected = "Message\n{\"eventType\":\"Open\"}\nMessageId\nm-1\nTimestamp\n2026-11-18T11:06:40.000Z\nTopicArn\narn:aws:sns:eu-west-1:1:t\nType\nNotification\n";
    assert_eq!(String::from_utf8(found.message).unwrap(), expected);
    assert!(sent.is_timely(&config, NOW) && !sent.is_timely(&config, "2026-11-18T12:06:41Z"));
    let with_subject = sns(r#","SignatureVersion":"2","Subject":"S""#, CERTIFICATE);
    let message = question(with_subject.shown(&config, &[])).message;
    assert!(String::from_utf8(message).unwrap().contains("m-1\nSubject\nS\nTimestamp"));
}

#[test]
fn amazons_call_of_version_1_of_another_topic_or_certificate_is_forged() {
    let config = of_preset("ses");
    let version_2 = r#","SignatureVersion":"2""#;
    let mut other = sns(version_2, CERTIFICATE);
    other.body = String::from_utf8(other.body).unwrap().replace(":1:t", ":1:u").into();
    for (what, sent) in [
        ("version 1", sns(r#","SignatureVersion":"1""#, CERTIFICATE)),
        ("no version", sns("", CERTIFICATE)),
        ("another topic", other),
        (
            "another host",
            sns(version_2, "https://sns.eu-west-1.amazonaws.com.attacker.example/c.pem"),
        ),
        ("a bucket", sns(version_2, "https://bucket.s3.amazonaws.com/c.pem")),
        ("a service", sns(version_2, "https://sns.amazonaws.com/c.pem")),
        ("plain", sns(version_2, "http://sns.eu-west-1.amazonaws.com/c.pem")),
    ] {
        assert_eq!(sent.shown(&config, &[]), Evidence::Forged, "{what}");
    }
}

/// Made by `openssl req -x509 -newkey rsa:2048 -subj /CN=vendor.example`.
const PEM: &str = include_str!("vendor.pem");

#[test]
fn a_certificate_gives_its_rsa_key_and_cut_bytes_give_none() {
    let key = certificate::rsa_key(PEM).unwrap();
    assert_eq!(key.spki.len(), 294);
    for at in (0..PEM.find("-----END").unwrap()).step_by(7) {
        assert!(certificate::rsa_key(&PEM[..at]).is_none(), "{at}");
    }
    assert!(certificate::rsa_key("").is_none());
    assert!(certificate::rsa_key(&PEM.replace("CERTIFICATE", "PUBLIC KEY")).is_none());
}
