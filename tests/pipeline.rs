//! The whole pipeline in memory: one visit through tracker and collector, held as a golden text, and what must hold of it.

use std::fs;
use std::path::Path;

/// Compares a told text with its golden file.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn check(told: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pipeline").join(file);
    if std::env::var_os("HILO_BLESS").is_some() {
        fs::write(&path, told).expect("the golden text can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told, expected, "HILO_BLESS=1 writes it anew, for review");
}

#[test]
fn the_visit_goes_as_it_was_told() {
    check(&pipeline::visit().expect("the visit can be told"), "visit.txt");
}

#[test]
fn a_day_of_one_person_stands_in_one_timeline() {
    let told = pipeline::day().expect("the day can be told");
    check(&told, "day.txt");
    // The two visits were made by a device that nobody knew.
    let kinds = [
        "Visit Started",
        "Product Viewed",
        "Visit Started",
        "identify",
        "Call Received",
        "Order Completed",
        "Email Opened",
        "Message Received",
        "Order Refunded",
    ];
    let lines = told.lines().filter(|line| line.contains(" · "));
    assert!(lines.zip(kinds).all(|(line, kind)| line.contains(kind)), "{told}");
    assert!(told.contains(r#"net {"EUR":"6990"}"#), "{told}");
}

#[test]
fn the_visit_is_the_same_every_time() {
    assert_eq!(pipeline::visit(), pipeline::visit());
}

#[test]
fn before_consent_nothing_moves_and_a_repeat_counts_once() {
    let told = pipeline::visit().expect("the visit can be told");
    let (before, after) = told.split_once("There they accept").expect("they accept");
    assert!(!before.contains('→'), "{before}");
    assert!(after.contains(r#""duplicate":1"#), "the repeat is known: {after}");
    let acts = after.split("What the destination got").nth(1).expect("it got something");
    assert_eq!(acts.matches("checkout_started").count(), 1, "and forwarded once");
}
