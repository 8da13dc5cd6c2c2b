//! What no preset may let through, and what each must.

use super::vectors::{BODY, VECTOR, Vector, all};
use super::*;

/// The presets whose calls show a token. It covers nothing of the call.
const TOKENS: [&str; 8] =
    ["sumup", "aircall", "ringcentral", "3cx", "freshdesk", "mailchimp", "postmark", "brevo"];

fn signed() -> impl Iterator<Item = Vector> {
    all().into_iter().filter(|vector| !TOKENS.contains(&vector.preset))
}

#[test]
fn a_body_with_one_other_bit_is_forged_for_every_preset_that_signs() {
    for Vector { preset, secret, sent, .. } in signed() {
        let config = of_preset(preset);
        for at in 0..sent.body.len() {
            let mut changed = sent.clone();
            changed.body[at] ^= 1;
            assert_eq!(changed.shown(&config, &[secret]), Evidence::Forged, "{preset}, byte {at}");
        }
        let mut longer = sent.clone();
        longer.body.push(b' ');
        assert_eq!(longer.shown(&config, &[secret]), Evidence::Forged, "{preset}, one byte more");
    }
}

#[test]
fn a_changed_missing_empty_or_endless_signature_is_forged_for_every_preset() {
    for Vector { preset, secret, sent, field } in all() {
        let config = of_preset(preset);
        let wrong = "another secret of the shop";
        assert_eq!(sent.shown(&config, &[wrong]), Evidence::Forged, "{preset}, another secret");
        assert_eq!(sent.shown(&config, &[]), Evidence::Forged, "{preset}, no secret");
        let Some(field) = field else {
            let without = Sent { query: String::new(), body: b"{}".to_vec(), ..sent };
            assert_eq!(without.shown(&config, &[secret]), Evidence::Forged, "{preset}, nothing");
            continue;
        };
        let right = sent.incoming().headers.get(field).unwrap().to_owned();
        for (what, value) in [
            ("missing", None),
            ("empty", Some(String::new())),
            ("blank", Some(" ".to_owned())),
            ("endless", Some(right.repeat(200_000))),
            ("no digits", Some("!!!".to_owned())),
        ] {
            let shown = sent.with(field, value.as_deref()).shown(&config, &[secret]);
            assert_eq!(shown, Evidence::Forged, "{preset}, {what}");
        }
        // A field that came twice is one value with a comma. Pairs may repeat in it, anything else may not.
        let shown = sent.with(field, Some(&format!("{right}, {right}"))).shown(&config, &[secret]);
        let may_repeat = ["stripe", "calendly", "lightspeed", "standard"].contains(&preset);
        assert_eq!(shown == Evidence::Genuine, may_repeat, "{preset}, twice");
        // The last character of base64 may have bits that nothing stands for, so each other one is changed.
        let tag = right.split(['=', ',', ' ']).max_by_key(|part| part.len()).unwrap();
        let start = right.find(tag).unwrap();
        for at in start..start + tag.len() - 1 {
            let mut changed = right.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            if changed.eq_ignore_ascii_case(&right) {
                continue;
            }
            let shown = sent.with(field, Some(&changed)).shown(&config, &[secret]);
            assert_eq!(shown, Evidence::Forged, "{preset}, character {at}");
        }
    }
}

#[test]
fn the_signature_of_one_preset_counts_for_no_other() {
    let vectors: Vec<Vector> = all();
    for own in &vectors {
        for other in &vectors {
            let is_alike = |a: &Vector, b: &Vector| a.field == b.field && a.secret == b.secret;
            if own.preset == other.preset || is_alike(own, other) {
                continue;
            }
            let shown = other.sent.shown(&of_preset(own.preset), &[own.secret]);
            assert_eq!(shown, Evidence::Forged, "{} for {}", other.preset, own.preset);
        }
    }
}

#[test]
fn either_of_two_secrets_and_either_of_two_signatures_counts() {
    for Vector { preset, secret, sent, .. } in all() {
        let config = of_preset(preset);
        let old = "the secret before it";
        for secrets in [[old, secret], [secret, old]] {
            assert_eq!(sent.shown(&config, &secrets), Evidence::Genuine, "{preset}");
        }
    }
    let stripe = all().into_iter().find(|vector| vector.preset == "stripe").unwrap();
    let right = stripe.sent.incoming().headers.get("stripe-signature").unwrap().to_owned();
    let zeros = "0".repeat(64);
    let two = right.replace(",v1=", &format!(",v1={zeros},v1="));
    let config = of_preset("stripe");
    let two = stripe.sent.with("stripe-signature", Some(&two));
    assert_eq!(two.shown(&config, &[VECTOR]), Evidence::Genuine);
    let older = right.replace(",v1=", ",v0=");
    let older = stripe.sent.with("stripe-signature", Some(&older));
    assert_eq!(older.shown(&config, &[VECTOR]), Evidence::Forged, "v0 is of test calls");
}

#[test]
fn hex_counts_in_any_case_and_base64_in_one_alphabet() {
    for Vector { preset, secret, sent, field } in signed() {
        let (config, field) = (of_preset(preset), field.unwrap());
        let right = sent.incoming().headers.get(field).unwrap().to_owned();
        let digits = right.rsplit(['=', ' ']).find(|part| part.len() == 64 || part.len() == 40);
        if let Some(digits) = digits.filter(|part| part.bytes().all(|b| b.is_ascii_hexdigit())) {
            let upper = right.replace(digits, &digits.to_ascii_uppercase());
            let shown = sent.with(field, Some(&upper)).shown(&config, &[secret]);
            assert_eq!(shown, Evidence::Genuine, "{preset}");
        }
        let url_safe = right.replace('+', "-").replace('/', "_");
        if url_safe != right {
            let shown = sent.with(field, Some(&url_safe)).shown(&config, &[secret]);
            assert_eq!(shown, Evidence::Forged, "{preset}");
        }
        let unpadded = right.trim_end_matches('=');
        if unpadded != right {
            let shown = sent.with(field, Some(unpadded)).shown(&config, &[secret]);
            assert_eq!(shown, Evidence::Forged, "{preset}, without padding");
        }
    }
}

#[test]
fn a_signature_of_another_time_is_stale_to_either_side() {
    for (preset, tolerance_s) in
        [("stripe", 300), ("calendly", 180), ("zendesk", 300), ("klaviyo", 300), ("standard", 300)]
    {
        let vector = all().into_iter().find(|vector| vector.preset == preset).unwrap();
        let config = of_preset(preset);
        let at = |s: i64| jiff::Timestamp::from_second(1_795_000_000 + s).unwrap().to_string();
        for (seconds, is_timely) in [
            (tolerance_s, true),
            (-tolerance_s, true),
            (tolerance_s + 1, false),
            (-tolerance_s - 1, false),
        ] {
            let found = vector.sent.is_timely(&config, &at(seconds));
            assert_eq!(found, is_timely, "{preset}, {seconds} s");
        }
    }
}

#[test]
fn a_vendors_test_call_is_genuine_for_nobody() {
    let body = r#"{"type":"zen:event-type:ticket.created"}"#;
    let secret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";
    let at = ("x-zendesk-webhook-signature-timestamp", NOW);
    let tag = {
        use base64::Engine as _;
        let text = format!("{NOW}{body}");
        let tag = crate::signature::sign(secret.as_bytes(), text.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(tag)
    };
    let sent = Sent::new(body, &[("x-zendesk-webhook-signature", &tag), at]);
    assert_eq!(sent.shown(&of_preset("zendesk"), &[SECRET]), Evidence::Test);
}

#[test]
fn a_body_in_the_wrong_place_shows_no_token() {
    let config = of_preset("aircall");
    for body in [
        "",
        "{}",
        r#"{"data":{"token":"test-secret"}}"#,
        r#"["test-secret"]"#,
        r#"{"token":["test-secret"]}"#,
    ] {
        assert_eq!(Sent::new(body, &[]).shown(&config, &[VECTOR]), Evidence::Forged, "{body}");
    }
    let in_query = Sent { query: "token=test-secret".to_owned(), ..Sent::new(BODY, &[]) };
    assert_eq!(in_query.shown(&config, &[VECTOR]), Evidence::Forged);
}
