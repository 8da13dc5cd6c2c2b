//! The vectors of the vendors' schemes, and what none of them may let through.
//!
//! Secret, body, time and addresses are those of the vectors; digests marked *lib* were made by the vendor's own library.

mod keys;
mod negatives;
mod vectors;

use hilo_core::config::{Config, Webhook, parse};

use super::*;
use crate::platform::{Headers, Incoming};

const SECRET: &str = "test-secret-of-16";
/// The time of every signature: 1795000000 seconds.
const NOW: &str = "2026-11-18T11:06:40Z";

/// A source that verifies by `verify`, with further lines.
fn config(verify: &str, more: &str) -> Config {
    let text = format!(
        "[project]\ncontroller = \"Shop\"\n\n[[source]]\nname = \"in\"\nkind = \"webhook\"\nverify = {verify}\n{more}\n"
    );
    parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A source of a preset, with the lines that the preset asks for.
fn of_preset(name: &str) -> Config {
    let url = format!("public_url = \"https://shop.example/_h/v1/in/{name}\"\n");
    let secrets = "secrets = [{ secret = \"IN\" }]\n";
    let more = match name {
        "square" | "twilio" | "mandrill" => format!("{secrets}{url}"),
        "meta" => format!("{secrets}challenge = {{ secret = \"CHALLENGE\" }}"),
        "ses" => "subscription = \"arn:aws:sns:eu-west-1:1:t\"".to_owned(),
        "paypal" => "subscription = \"WH-1\"".to_owned(),
        // A scheme and not a vendor: it has no rules of its own.
        "standard" => format!("{secrets}map = \"aircall\""),
        _ => secrets.to_owned(),
    };
    // Some rules need to know the money and the clock of their shop.
    let of_shop = "currency = \"EUR\"\ntimezone = \"Europe/Madrid\"";
    config(&format!("\"{name}\""), &format!("{more}\n{of_shop}"))
}

fn webhook(config: &Config) -> &Webhook {
    source(config, "in").unwrap().1
}

/// A call with these header fields.
#[derive(Clone, Debug)]
struct Sent {
    fields: Vec<(String, String)>,
    query: String,
    body: Vec<u8>,
}

impl Sent {
    fn new(body: &str, fields: &[(&str, &str)]) -> Sent {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sent { fields: fields.iter().map(own).collect(), query: String::new(), body: body.into() }
    }

    /// The same call with another value in this field, or without the field.
    fn with(&self, name: &str, value: Option<&str>) -> Sent {
        let mut sent = self.clone();
        sent.fields.retain(|(known, _)| known != name);
        sent.fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        sent
    }

    fn incoming(&self) -> Incoming {
        let mut headers = Headers::default();
        self.fields.iter().for_each(|(name, value)| headers.push(name, value.as_str()));
        Incoming { headers, query: self.query.clone(), ..Incoming::default() }
    }

    /// What the call shows to a source with these secrets.
    fn shown(&self, config: &Config, secrets: &[&str]) -> Evidence {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let incoming = self.incoming();
        judge(webhook(config), &secrets, &Post::of(&incoming, &self.body))
    }

    /// Whether its time is accepted at `now`.
    fn is_timely(&self, config: &Config, now: &str) -> bool {
        let incoming = self.incoming();
        check_time(webhook(config), &Post::of(&incoming, &self.body), now.parse().unwrap()).is_ok()
    }
}
