//! One genuine call of each preset that needs no public key.

use super::*;

pub(super) const BODY: &str = r#"{"id":"evt_1","type":"call.ended","n":1}"#;
pub(super) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The secret of the vectors. A deployer's must be longer, which is checked where it is read.
pub(super) const VECTOR: &str = "test-secret";

/// A genuine call of a preset, and the secret that makes it so.
pub(super) struct Vector {
    pub(super) preset: &'static str,
    pub(super) secret: &'static str,
    pub(super) sent: Sent,
    /// The header field with the signature or token; none where it stands in the query or the body.
    pub(super) field: Option<&'static str>,
}

/// A call of a preset with this header field and further ones.
fn one(
    preset: &'static str,
    field: &'static str,
    value: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Vector {
    let fields = [&[(field, value)], more].concat();
    Vector { preset, secret: VECTOR, sent: Sent::new(body, &fields), field: Some(field) }
}

/// A call of a preset whose token stands in query or body.
fn asked(preset: &'static str, body: &str, query: &str) -> Vector {
    let sent = Sent { query: query.to_owned(), ..Sent::new(body, &[]) };
    Vector { preset, secret: VECTOR, sent, field: None }
}

pub(super) fn all() -> Vec<Vector> {
    let bearer = |preset| one(preset, "authorization", "Bearer test-secret", &[], BODY);
    // From the vendor's own library: stripe, square, twilio, standard.
    let stamped =
        "t=1795000000,v1=6715963399461029f13c7d21e021fda6c1cde8ddadfa37b6fd5f6a9ad3592980";
    let in_base64 = "Ot7KYJYKDbtAYzw2vqw4tsU7rDSqcUzmzeVAwTm9rL4=";
    let mut all = of_other_schemes();
    all.extend([
        one("stripe", "stripe-signature", stamped, &[], BODY),
        one("calendly", "calendly-webhook-signature", stamped, &[], BODY),
        one("shopify", "x-shopify-hmac-sha256", in_base64, &[], BODY),
        one("woocommerce", "x-wc-webhook-signature", in_base64, &[], BODY),
        one(
            "meta",
            "x-hub-signature-256",
            "sha256=3adeca60960a0dbb40633c36beac38b6c53bac34aa714ce6cde540c139bdacbe",
            &[],
            BODY,
        ),
        one(
            "intercom",
            "x-hub-signature",
            "sha1=a0a1b0ef13dbfc90c3194229c22469cbbcf7e03c",
            &[],
            BODY,
        ),
        one(
            "square",
            "x-square-hmacsha256-signature",
            "RsIO21ShS87lHATIgm2jyCNVmO5voM9FplJtfWr9bLg=",
            &[],
            BODY,
        ),
        one(
            "zendesk",
            "x-zendesk-webhook-signature",
            "4HSk/8qWeLcfpxMaE2k9rGWMuotgrOd9Eyqe22JRPUU=",
            &[("x-zendesk-webhook-signature-timestamp", "2026-11-18T11:06:40Z")],
            BODY,
        ),
        one(
            "klaviyo",
            "klaviyo-signature",
            "2ab321d34caaab11759f52fec4a02fb93cf7f45cc1c586d22fb0dfd61e165a97",
            &[("klaviyo-timestamp", "1795000000")],
            BODY,
        ),
    ]);
    all.extend(["3cx", "freshdesk", "brevo"].map(bearer));
    all
}

/// Forms, ids, and tokens in the place of signatures.
fn of_other_schemes() -> Vec<Vector> {
    vec![
        Vector {
            secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ..one(
                "standard",
                "webhook-signature",
                "v1,6JHb9WzhxRkQghRZ/o3NgeAFs2OQG05yY2/byRiLcuc=",
                &[("webhook-id", "evt_1"), ("webhook-timestamp", "1795000000")],
                BODY,
            )
        },
        one("twilio", "x-twilio-signature", "aSpY1hAAB8EFrXRjzArO59bAgEY=", &[FORM], CALL),
        one(
            "mandrill",
            "x-mandrill-signature",
            "cjnSceXhM9pDHU66bLtoby9bXyU=",
            &[FORM],
            "mandrill_events=%5B%7B%22event%22%3A%22open%22%2C%22ts%22%3A1795000000%2C%22_id%22%3A%22m1%22%7D%5D",
        ),
        one(
            "lightspeed",
            "x-signature",
            "signature=6ebe029c1154ca1484e88cd7a8820a8e1294fe769c3abb60d886d1b23444975e, algorithm=HMAC-SHA256",
            &[FORM],
            r#"payload={"id":"s1","total_price":12.5}"#,
        ),
        one("ringcentral", "verification-token", VECTOR, &[], BODY),
        one("postmark", "authorization", "Basic dGVzdC1zZWNyZXQ=", &[], BODY),
        asked("sumup", BODY, "token=test-secret"),
        asked("mailchimp", "type=subscribe", "secret=test-secret"),
        asked("aircall", r#"{"token":"test-secret","event":"call.ended"}"#, ""),
    ]
}

/// The form of a call that ended.
pub(super) const CALL: &str =
    "CallSid=CA0001&From=%2B34600111222&To=%2B34910000000&CallStatus=completed&CallDuration=42";

#[test]
fn every_vendors_own_vector_is_genuine() {
    for Vector { preset, secret, sent, .. } in all() {
        let config = of_preset(preset);
        assert_eq!(sent.shown(&config, &[secret]), Evidence::Genuine, "{preset}");
        assert!(sent.is_timely(&config, NOW), "{preset}");
    }
    // SendGrid, SES and PayPal have public keys.
    assert_eq!(all().len(), 24 - 3);
}

#[test]
fn twilio_may_sign_with_sha_256_with_the_port_and_a_body_of_json_by_its_hash() {
    let config = of_preset("twilio");
    let signed = |body: &str, tag: &str, more: &[(&str, &str)]| {
        Sent::new(body, &[&[("x-twilio-signature", tag)], more].concat())
    };
    let sent = signed(CALL, "N77WFcs7WlsEK11t9ZIxgEHiInSeVRkPFJsB1k6JpPs=", &[FORM]);
    assert_eq!(sent.shown(&config, &[VECTOR]), Evidence::Genuine, "SHA-256");
    let with_port = "https://shop.example:443/_h/v1/in/twilioA1";
    let tag = tag_of(hilo_core::inbound::verify::Hash::Sha1, with_port.as_bytes());
    assert_eq!(signed("A=1", &tag, &[FORM]).shown(&config, &[VECTOR]), Evidence::Genuine, "port");

    let query = "bodySHA256=cad7342fe1d1db0695ee4d6d6f043a24466496da2d81ad6a75a67a7ab4e04c3a";
    let json =
        signed(BODY, "q3Mfh0QTnaTfCut/raokwyPODlI=", &[("content-type", "application/json")]);
    let json = Sent { query: query.to_owned(), ..json };
    assert_eq!(json.shown(&config, &[VECTOR]), Evidence::Genuine, "JSON");
    let other = Sent { body: BODY.replace("evt_1", "evt_2").into(), ..json.clone() };
    assert_eq!(other.shown(&config, &[VECTOR]), Evidence::Forged, "another body");
    let without = Sent { query: String::new(), ..json };
    assert_eq!(without.shown(&config, &[VECTOR]), Evidence::Forged, "no hash of the body");
}

/// The base64 of an HMAC-SHA-1, found by trying what the verifier accepts would prove nothing, so it is computed here.
pub(super) fn tag_of(hash: hilo_core::inbound::verify::Hash, text: &[u8]) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, Mac};
    let tag = match hash {
        hilo_core::inbound::verify::Hash::Sha1 => {
            let mac = <Hmac<sha1::Sha1> as Mac>::new_from_slice(VECTOR.as_bytes()).unwrap();
            mac.chain_update(text).finalize().into_bytes().to_vec()
        }
        hilo_core::inbound::verify::Hash::Sha512 => {
            let mac = <Hmac<sha2::Sha512> as Mac>::new_from_slice(VECTOR.as_bytes()).unwrap();
            mac.chain_update(text).finalize().into_bytes().to_vec()
        }
        hilo_core::inbound::verify::Hash::Sha256 => {
            crate::signature::sign(VECTOR.as_bytes(), text).to_vec()
        }
    };
    base64::engine::general_purpose::STANDARD.encode(tag)
}

#[test]
fn a_table_of_a_deployers_own_signs_with_sha_512() {
    let table = r#"{ kind = "hmac", algorithm = "sha512", message = ["v0:", "timestamp", ":", "body"], signature = { header = "x-signature", format = "prefix:v0=" }, timestamp = { header = "x-time", unit = "ms", tolerance_s = 60 }, encoding = "base64" }"#;
    let config = config(table, "secrets = [{ secret = \"IN\" }]");
    let tag = tag_of(hilo_core::inbound::verify::Hash::Sha512, b"v0:1795000000000:{}");
    let sent =
        Sent::new("{}", &[("x-signature", &format!("v0={tag}")), ("x-time", "1795000000000")]);
    assert_eq!(sent.shown(&config, &[VECTOR]), Evidence::Genuine);
    assert!(sent.is_timely(&config, NOW) && !sent.is_timely(&config, "2026-11-18T11:07:41Z"));
}
