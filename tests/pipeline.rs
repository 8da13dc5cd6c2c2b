//! The whole pipeline in memory: one visit through tracker and collector, held as a golden text, and what must hold of it.

use std::fs;
use std::path::Path;

#[test]
fn the_visit_goes_as_it_was_told() {
    let told = pipeline::visit().expect("the visit can be told");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pipeline/visit.txt");
    if std::env::var_os("HILO_BLESS").is_some() {
        fs::write(&path, &told).expect("the golden text can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told, expected, "HILO_BLESS=1 writes it anew, for review");
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
