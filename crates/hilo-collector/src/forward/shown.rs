//! What people may see of a request and its answer: names, types and codes; no secret, nothing personal.
//!
//! A request, its answer and the secrets that it was made with → the lines of a dead letter, and texts without what the request has.
//! Many people share the journal, where dead letters are listed, so what is not known to be harmless is hidden.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::event::{Event, EventKind, Properties};
use hilo_core::profile::Person;
use hilo_core::validate::outline_of;
use serde_json::Value;

use super::destination::{Acceptance, Reception};
use super::words::{
    DIGITS_MAX, HIDDEN, beginning, begun, digits, folded, is_apart, unescaped, without,
    without_numbers, without_tokens,
};
use crate::calls::journal::lines::{Shown, ShownAnswer, ShownRequest};
use crate::platform::{Outgoing, Response};

/// The most bytes of a shown body.
const BODY_BYTES_MAX: usize = 2_048;
/// The most characters of a value that is shown as it is.
const PLAIN_CHARS_MAX: usize = 40;

/// The keys whose texts are words of the services, not of people.
const PLAIN_KEYS: [&str; 22] = [
    "action",
    "action_source",
    "apiname",
    "currency",
    "event",
    "event_name",
    "eventname",
    "event_source",
    "event_type",
    "lookupfield",
    "method",
    "object_type",
    "objecttypeid",
    "subscription_state",
    "email_subscribe",
    "push_subscribe",
    "ad_user_data",
    "ad_personalization",
    "aduserdata",
    "adpersonalization",
    "type",
    "update_type",
];
/// The classes of devices that are words of ours, as far as answers may have them too.
const DEVICE_CLASSES: [&str; 7] = ["android", "bot", "desktop", "ios", "mobile", "tablet", "tv"];
/// The header fields that are shown with their values.
const PLAIN_HEADERS: [&str; 3] = ["accept", "content-encoding", "content-type"];

/// What has to be hidden of one request.
#[derive(Default)]
pub(super) struct Veil {
    /// The secrets, as they are and as base64.
    secrets: Vec<String>,
    /// The texts that the request or its people have, folded.
    texts: Vec<String>,
}

impl Veil {
    /// Makes the veil of a request that was made with these secrets.
    pub(super) fn of(outgoing: &Outgoing, secrets: &[String]) -> Veil {
        let mut veil = Veil::default();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            veil.secrets.push(secret.clone());
            veil.secrets.push(STANDARD.encode(secret));
        }
        let query = outgoing.url.split_once('?').map(|(_, query)| form(query));
        for value in values(&outgoing.body).iter().chain(query.as_ref()) {
            veil.hide(value, true);
        }
        veil
    }

    /// Hides what a sender wrote into an event, under whatever key: its ids, traits and properties.
    pub(super) fn hide_event(&mut self, event: &Event) {
        for id in [&event.anonymous_id, &event.user_id, &event.claimed_id].into_iter().flatten() {
            self.hide_text(id);
        }
        self.hide_text(&event.message_id);
        let context = &event.context;
        let classes = context.device.iter().filter_map(|device| device.class.as_ref());
        let classes = classes.filter(|class| !DEVICE_CLASSES.contains(&class.as_str()));
        let referrers = context.referrer.iter().filter_map(|referrer| referrer.kind.as_ref());
        for text in classes.chain(referrers) {
            self.hide_text(text);
        }
        self.hide_all(&context.traits);
        match &event.kind {
            EventKind::Track { properties, .. }
            | EventKind::Page { properties, .. }
            | EventKind::Screen { properties, .. } => self.hide_all(properties),
            EventKind::Identify { traits } | EventKind::Group { traits, .. } => {
                self.hide_all(traits);
            }
            EventKind::Alias { .. } => {}
        }
        // The live stream shows the names of events.
        if let Some(name) = event.kind.label() {
            let name = folded(name);
            self.texts.retain(|text| *text != name);
        }
    }

    /// Hides the ids and traits of a person.
    pub(super) fn hide_person(&mut self, person: Option<&Person>) {
        let Some(person) = person else { return };
        let Person { anonymous_ids, user_id, claimed_ids, traits, ids, .. } = person;
        for id in anonymous_ids.iter().chain(user_id).chain(claimed_ids) {
            self.hide_text(id);
        }
        traits.values().chain(ids.values()).for_each(|known| self.hide(&known.value, false));
    }

    fn hide_all(&mut self, written: &Properties) {
        written.iter().filter(|(key, value)| !is_currency(key, value)).for_each(|(_, value)| {
            self.hide(value, false);
        });
    }

    /// Hides every text of a value. With `has_words`, a value that is shown as it is stays.
    fn hide(&mut self, value: &Value, has_words: bool) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let is_shown =
                        if has_words { is_plain(key, value) } else { is_currency(key, value) };
                    if !is_shown {
                        self.hide(value, has_words);
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.hide(value, has_words)),
            Value::String(text) => {
                // Warehouses get objects as texts.
                if self.hide_text(text)
                    && text.starts_with(['{', '['])
                    && let Ok(inner) = serde_json::from_str(text)
                {
                    self.hide(&inner, has_words);
                }
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// Hides a text. Returns whether it was not hidden before.
    fn hide_text(&mut self, text: &str) -> bool {
        let text = folded(text.trim());
        let is_new = text.len() > 1 && !self.texts.contains(&text);
        if is_new {
            self.texts.push(text);
        }
        is_new
    }

    /// The text without secrets, without texts of the request, and without what looks like an address, a number or a token of
    /// somebody. Escapes are read first, so that an escaped text is found too. Before a [`CUT`] the beginning of a text is enough.
    pub(super) fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let text = unescaped(text);
        let mut found = Vec::new();
        for secret in &self.secrets {
            found
                .extend(text.match_indices(secret.as_str()).map(|(at, _)| (at, at + secret.len())));
            found.extend(begun(&text, secret));
        }
        let folded = folded(&text);
        for known in &self.texts {
            let ends = folded.match_indices(known.as_str()).map(|(at, _)| (at, at + known.len()));
            found.extend(
                ends.chain(begun(&folded, known)).filter(|(at, end)| is_apart(&folded, *at, *end)),
            );
        }
        without_numbers(&without_tokens(&without(&text, &found)))
    }

    /// The reception with scrubbed reasons: they are listed for people.
    pub(super) fn scrub_reasons(&self, reception: Reception) -> Reception {
        let scrubbed = |acceptance: Acceptance| match acceptance {
            Acceptance::Delivered => Acceptance::Delivered,
            Acceptance::Again => Acceptance::Again,
            Acceptance::Retry { after, reason } => {
                Acceptance::Retry { after, reason: self.scrub(&reason) }
            }
            Acceptance::Rejected { reason } => Acceptance::Rejected { reason: self.scrub(&reason) },
            Acceptance::Unauthorized { reason } => {
                Acceptance::Unauthorized { reason: self.scrub(&reason) }
            }
        };
        match reception {
            Reception::All(acceptance) => Reception::All(scrubbed(acceptance)),
            Reception::Each(each) => Reception::Each(each.into_iter().map(scrubbed).collect()),
            Reception::Poison { reason } => Reception::Poison { reason: self.scrub(&reason) },
        }
    }

    /// What a dead letter shows of the request and its answer.
    pub(super) fn show(&self, outgoing: &Outgoing, response: Option<&Response>) -> Shown {
        let header = |(name, value): &(String, String)| {
            let is_plain = PLAIN_HEADERS.contains(&name.as_str());
            (name.clone(), if is_plain { self.scrub(value) } else { length(value) })
        };
        let request = ShownRequest {
            method: outgoing.method.clone(),
            url: self.url(&outgoing.url),
            headers: outgoing.headers.0.iter().map(header).collect(),
            body: self.body(&outgoing.body),
        };
        let answer = response.map(|response| ShownAnswer {
            status: response.status,
            body: cut(&self.scrub(&beginning(&response.body, BODY_BYTES_MAX))).to_owned(),
        });
        Shown { request, answer }
    }

    /// The shape of a body with its plain values. A word that a sender wrote is none of the service.
    fn body(&self, body: &str) -> Value {
        let is_shown = |key: &str, value: &Value| {
            let is_hidden =
                |text: &str| !is_currency(key, value) && self.texts.contains(&folded(text));
            is_plain(key, value) && !value.as_str().is_some_and(is_hidden)
        };
        let shape = |value: &Value, bytes| outline_of(value, bytes, &is_shown);
        match values(body).as_slice() {
            [] => Value::Null,
            [Value::Object(fields)] if fields.is_empty() => Value::from(length(body)),
            [value] => shape(value, BODY_BYTES_MAX),
            lines => shape(&Value::from(lines), BODY_BYTES_MAX),
        }
    }

    /// The URL without the values of its query, and without parts of the path that name somebody.
    fn url(&self, url: &str) -> String {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, path) = place.split_once("://").unwrap_or(("", place));
        let mut shown = format!("{scheme}://");
        for (at, part) in path.split('/').enumerate() {
            // The first part is the host.
            let is_shown = at == 0 || is_word(part) && self.scrub(part) == part;
            shown.push_str(if at == 0 { "" } else { "/" });
            shown.push_str(if is_shown || part.is_empty() { part } else { HIDDEN });
        }
        for (at, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            let name = pair.split('=').next().unwrap_or_default();
            shown.push(if at == 0 { '?' } else { '&' });
            shown.push_str(if is_word(name) { name } else { HIDDEN });
            shown.push_str("=…");
        }
        cut(&shown).to_owned()
    }
}

/// The values of a body: JSON, one JSON value a line, or a form.
fn values(body: &str) -> Vec<Value> {
    if let Ok(value) = serde_json::from_str(body) {
        return vec![value];
    }
    let lines: Result<Vec<Value>, _> =
        body.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect();
    if let Ok(lines) = lines {
        return lines;
    }
    vec![form(body)]
}

fn form(text: &str) -> Value {
    let fields = text.split('&').filter_map(|pair| pair.split_once('='));
    let field = |(name, value): (&str, &str)| (form_text(name), Value::from(form_text(value)));
    Value::Object(fields.map(field).collect())
}

fn form_text(text: &str) -> String {
    crate::platform::http::percent_decode(&text.replace('+', " "))
}

/// Whether a value is shown as it is: a flag, a small number, or a word of the service.
fn is_plain(key: &str, value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => digits(&number.to_string()) <= DIGITS_MAX,
        Value::String(text) => {
            PLAIN_KEYS.contains(&key.to_ascii_lowercase().as_str()) && is_word(text)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether a value is the code of a currency, which is nobody's, whoever wrote it.
fn is_currency(key: &str, value: &Value) -> bool {
    let is_code =
        |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    key.eq_ignore_ascii_case("currency") && value.as_str().is_some_and(is_code)
}

/// Whether a text has the form of a name of events, fields or paths.
fn is_word(text: &str) -> bool {
    let is_of_word = |char: char| {
        char.is_ascii_alphanumeric() || matches!(char, ' ' | '_' | '-' | '.' | '$' | ':')
    };
    !text.is_empty()
        && text.len() <= PLAIN_CHARS_MAX
        && digits(text) < 5
        && text.chars().all(is_of_word)
}

fn length(text: &str) -> String {
    format!("<text {}>", text.chars().count())
}

/// The beginning of a text, at most [`BODY_BYTES_MAX`] long.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(BODY_BYTES_MAX)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::Headers;

    fn outgoing(url: &str, body: &Value) -> Outgoing {
        let mut headers = Headers::default();
        headers.push("authorization", "Bearer at_secret_1");
        headers.push("content-type", "application/json");
        let (method, url, body) = ("POST".to_owned(), url.to_owned(), body.to_string());
        Outgoing { method, url, headers, body }
    }

    #[test]
    fn a_request_shows_names_and_types_and_words_of_the_service_only() {
        let body = json!({
            "events": [{"name": "Order Completed", "event": "purchase", "value": 12.5, "ok": true, "at": 1_795_000_000,
                "user": {"email": "ana@shop.example", "phone": 34_600_111_222_u64, "city": "Madrid"}}],
            "api_key": "at_secret_1",
        });
        let request = outgoing(
            "https://api.desk.example/v2/contacts/ana%40shop.example?key=at_secret_1",
            &body,
        );
        let veil = Veil::of(&request, &["at_secret_1".to_owned()]);
        let Shown { request, answer } = veil.show(&request, None);
        assert_eq!(request.url, "https://api.desk.example/v2/contacts/<hidden>?key=…");
        assert_eq!(request.headers["authorization"], "<text 18>");
        assert_eq!(request.headers["content-type"], "application/json");
        let expected = json!({
            "events": [{"name": "<text 15>", "event": "purchase", "value": 12.5, "ok": true, "at": "<number>",
                "user": {"email": "<text 16>", "phone": "<number>", "city": "<text 6>"}}],
            "api_key": "<text 11>",
        });
        assert_eq!((request.body, answer), (expected, None));
    }

    #[test]
    fn an_answer_shows_no_secret_and_nothing_of_a_person() {
        let request =
            outgoing("https://desk.example/", &json!({"firstName": "Ana", "id": "customer-7"}));
        let veil = Veil::of(&request, &["k3y".to_owned()]);
        for (text, expected) in [
            ("no such field: plan_name (code 1004)", "no such field: plan_name (code 1004)"),
            ("Ana is no name, ANALYTICS is", "<hidden> is no name, ANALYTICS is"),
            ("customer-7 unknown", "<hidden> unknown"),
            ("key k3y or azN5 is wrong", "key <hidden> or <hidden> is wrong"),
            ("\"bob@shop.example\" exists", "\"<hidden>\" exists"),
            ("call +34 600 111 222 now", "call <hidden> now"),
            ("born 1980-01-02, 12.50 EUR", "born <hidden>, 12.50 EUR"),
            ("from 10.0.0.1 or 2001:db8:0:1::7", "from <hidden> or <hidden>"),
            (
                "hash 5f0c3a1be2d94c7f8a6b0e1d2c3f4a5b5f0c3a1be2d94c7f8a6b0e1d2c3f4a5b",
                "hash <hidden>",
            ),
        ] {
            assert_eq!(veil.scrub(text), expected);
        }
    }

    #[test]
    fn an_answer_shows_nothing_of_a_person_however_it_is_written() {
        let body =
            json!({"firstName": "José María", "lastName": "Muñoz", "nick": "Ana \"Nita\" Groß"});
        let veil = Veil::of(&outgoing("https://desk.example/", &body), &["k3y/+Zz".to_owned()]);
        for (text, expected) in [
            (r#"{"error":"Mu\u00f1oz is unknown"}"#, r#"{"error":"<hidden> is unknown"}"#),
            (r#"{"error":"{\"n\":\"Mu\\u00F1oz\"}"}"#, r#"{"error":"{"n":"<hidden>"}"}"#),
            ("MUÑOZ, JOSÉ MARÍA is unknown", "<hidden>, <hidden> is unknown"),
            ("Mu%C3%B1oz &quot;Jos&#233; Mar&#xED;a&quot;", "<hidden> \"<hidden>\""),
            (r#"no \"Ana \\\"Nita\\\" GROSS\""#, "no \"<hidden>\""),
            (r"key k3y\/+Zz or k3y%2F%2BZz", "key <hidden> or <hidden>"),
            ("Muñozada is a word", "Muñozada is a word"),
        ] {
            assert_eq!(veil.scrub(text), expected);
        }
    }

    #[test]
    fn a_cut_answer_shows_no_half_of_a_secret_and_nothing_of_a_person() {
        let body = json!({"name": "José Fernández Ruiz", "first": "José"});
        let veil =
            Veil::of(&outgoing("https://desk.example/", &body), &["s3cret-of-ours".to_owned()]);
        let answer = r#"{"told":"José Fernández Ruiz","also":"Jos\u00e9 Fern\u00e1ndez Ruiz","key":"s3cret-of-ours","tel":"+34 600 111 222","mail":"bob@shop.example"}"#;
        for bytes_max in 0..answer.len() {
            let shown = veil.scrub(&beginning(answer, bytes_max));
            let is_seen = |part: &&str| shown.contains(part);
            let parts = ["Jos", "Fern", "Rui", "s3c", "34", "600", "bob"];
            assert_eq!(parts.iter().find(|part| is_seen(part)), None, "{shown}");
        }
    }

    #[test]
    fn a_word_that_a_sender_wrote_is_none_of_the_service_under_whatever_key() {
        let event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "Lead Submitted",
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
            "properties": {"type": "Ana Lopez", "method": "Calle Mayor", "currency": "EUR", "deep": {"action": "Bob"}},
            "context": {"device": {"type": "Ana s phone"}},
        }))
        .unwrap();
        let mut body = serde_json::to_value(&event).unwrap();
        body["action"] = "create".into();
        let request = outgoing("https://desk.example/", &body);
        let mut veil = Veil::of(&request, &[]);
        veil.hide_event(&event);
        let shown = veil.show(&request, None).request.body;
        let expected = json!({"type": "<text 9>", "method": "<text 11>", "currency": "EUR", "deep": {"action": "<text 3>"}});
        assert_eq!(shown["properties"], expected);
        assert_eq!(shown["context"]["device"]["type"], "<text 11>");
        assert_eq!(
            json!([shown["type"], shown["action"], shown["event"]]),
            json!(["track", "create", "Lead Submitted"])
        );
        assert_eq!(veil.scrub("ana lopez: no EUR"), "<hidden>: no EUR");
    }

    #[test]
    fn an_object_that_is_sent_as_a_text_hides_its_values_too() {
        let inner = json!({"traits": {"lastName": "García"}}).to_string();
        let request = outgoing("https://desk.example/", &json!({"rows": [{"json": inner}]}));
        let told = format!("{:?}", json!({"traits": {"lastName": "García"}}).to_string());
        assert!(!Veil::of(&request, &[]).scrub(&told).contains("Garc"));
    }

    #[test]
    fn every_shown_body_is_bounded() {
        let long: Vec<Value> = (0..900).map(|n| json!({ format!("key{n}"): "x" })).collect();
        let request = outgoing(
            "https://desk.example/",
            &json!({"all": long, "deep": {"a": "ü".repeat(9_000)}}),
        );
        let response = Response { status: 400, body: "ñ ".repeat(4_000), ..Response::default() };
        let shown = Veil::of(&request, &[]).show(&request, Some(&response));
        assert!(shown.request.body.to_string().len() <= BODY_BYTES_MAX + 64);
        assert!(shown.answer.is_some_and(|answer| answer.body.len() <= BODY_BYTES_MAX));
    }

    #[test]
    fn a_body_of_lines_or_of_a_form_is_shown_by_its_names() {
        assert_eq!(
            Veil::default().body("{\"a\":\"x\"}\n{\"a\":\"y\"}\n"),
            json!([{"a": "<text 1>"}, {"a": "<text 1>"}])
        );
        assert_eq!(
            Veil::default().body("email=ana%40shop.example&type=lead"),
            json!({"email": "<text 16>", "type": "lead"})
        );
        assert_eq!(Veil::default().body("plain text"), json!("<text 10>"));
        assert_eq!(Veil::default().body(""), Value::Null);
    }
}
