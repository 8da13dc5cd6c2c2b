//! The page of the field table has every row of the table.
//!
//! `FIELDS` → the facts of the page.

use hilo_core::event::fields::{FIELDS, Field, Privacy, Shape};

use crate::facts::stale;

#[test]
fn the_page_of_fields_has_every_row_of_the_table() {
    assert_eq!(stale("crates/hilo-collector/docs/fields.md", &table()), None);
}

fn table() -> String {
    let mut table =
        "| field | value | bytes at most | how it is treated |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for field in FIELDS {
        let decides = if field.decides() { ", decides" } else { "" };
        let bytes = if field.bytes_max == 0 { String::new() } else { field.bytes_max.to_string() };
        let (shape, privacy) = (shape(field), privacy(field.privacy));
        table.push_str(&format!("| `{}` | {shape} | {bytes} | {privacy}{decides} |\n", field.path));
    }
    table
}

fn shape(field: &Field) -> String {
    match field.shape {
        Shape::Text => "text".to_owned(),
        Shape::Id => "text, or a number as its digits".to_owned(),
        Shape::Time => "a time as text, or since the epoch".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Count => "a whole number".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Open => "an object with your own keys".to_owned(),
        Shape::Closed => "an object of the fields below".to_owned(),
        Shape::Link => "an object of the fields below, or its `url`".to_owned(),
        Shape::Flags => "an object of `true` and `false`".to_owned(),
        Shape::Counts => "an object of whole numbers".to_owned(),
        Shape::OneOf(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        }
        Shape::Ignored => "anything".to_owned(),
    }
}

fn privacy(privacy: Privacy) -> &'static str {
    match privacy {
        Privacy::Plain => "plain",
        Privacy::Identifier => "identifier",
        Privacy::Url => "address: redacted",
        Privacy::Personal => "personal: what you send is kept",
        Privacy::Reduced => "reduced at once",
        Privacy::Device => {
            "device: kept only where the source asks for it and the person allows advertising"
        }
        Privacy::Unkept => "not kept",
    }
}
