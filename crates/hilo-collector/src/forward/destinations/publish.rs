//! Posts in social networks: what the publishing tools share.
//!
//! Event and the deployer's template → text, image and time of a post, and the mark by which a later attempt finds it. A post contains
//! details of the event and fields of the deployer's rules only. Traits of a person cannot be named, and a text with an e-mail
//! address or with the event's own ids is refused. Makes no request.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::event::{EVENT_BYTES_MAX, Event, EventKind};
use hilo_core::text::lists;
use jiff::Timestamp;
use serde_json::Value;

use crate::forward::destination::{BatchEvent, LeftOut, Limits};
use crate::forward::reason;
use crate::platform::{Headers, Response};
use crate::signature::sha256_hex;

/// The name of the header with the mark of a post, by which [`is_there`] knows what was looked for. The service ignores it.
pub(super) const MARK: &str = "x-hilo-post";

/// The limits of a tool: each event is a post of its own, and is news for a day.
pub(super) const LIMITS: Limits = Limits {
    events: 1,
    bytes: EVENT_BYTES_MAX,
    age_s_max: Some(86_400),
    is_ordered: false,
    mixes_people: true,
    wants_person: false,
    pace: None,
};

/// The most characters of a post: the longest that a network takes (Facebook).
const TEXT_CHARS_MAX: usize = 63_206;
/// The most bytes of a post, so that an answer with a few of them can be read.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// The seconds that a service needs between the call and the time of the post.
const LEAD_S: i64 = 300;
/// A post whose time has passed moves by whole hours, so that later attempts look for it at the same times.
const SHIFT_S: i64 = 3_600;

/// The minutes between an event and its post, if the settings name none.
const DELAY_MINUTES: u32 = 15;
/// The allowed minutes: the calls need some time, and Hootsuite lists at most four weeks.
const DELAYS_MINUTES: std::ops::RangeInclusive<u32> = 10..=38_880;

/// Details of a person, whatever the event. Compared by letters and digits in lower case.
const PERSONAL: &str = "\
    address age anonymousid avatar birthday birthdate city claimedid deviceid dob email emailaddress firstname fullname \
    gender ip iban ipaddress lastname mail messageid mobile person phone phonenumber postalcode street surname tel \
    telephone traits userid username zip";

/// The shortest id that is looked for in a text. A shorter one may be a part of any word.
const ID_BYTES_MIN: usize = 6;

/// What the deployer wants to have posted.
#[derive(Debug)]
pub(super) struct Rule {
    text: Template,
    image: Option<Template>,
    /// Names of events. Without any, the rules of the map decide.
    when: Vec<String>,
    delay_s: i64,
}

/// The settings of a rule, as they are written.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) image: Option<String>,
    pub(super) when: Vec<String>,
    pub(super) delay_minutes: Option<u32>,
}

/// A post.
pub(super) struct Post {
    pub(super) text: String,
    /// The https address of an image.
    pub(super) image: Option<String>,
    /// The earliest time that any attempt may have chosen.
    pub(super) first: Timestamp,
    /// The time that this attempt chooses.
    pub(super) due: Timestamp,
    /// The mark of the text.
    pub(super) mark: String,
}

impl Rule {
    /// Reads the settings of a rule.
    ///
    /// # Errors
    /// The problem of a template or a time.
    pub(super) fn of(entry: &DestinationEntry, written: Written) -> Result<Rule, Problem> {
        let problem = |field, why: &str| entry.problem(field, ProblemCode::BadValue, why);
        let delay = written.delay_minutes.unwrap_or(DELAY_MINUTES);
        if !DELAYS_MINUTES.contains(&delay) {
            return Err(problem(
                "delay_minutes",
                "write between 10 minutes and 27 days, in minutes",
            ));
        }
        let image = written.image.as_deref().map(Template::parse).transpose();
        Ok(Rule {
            text: Template::parse(&written.text).map_err(|why| problem("text", why))?,
            image: image.map_err(|why| problem("image", why))?,
            when: written.when,
            delay_s: i64::from(delay) * 60,
        })
    }

    /// Whether the event can be one to post about.
    pub(super) fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { event, .. } => self.when.is_empty() || self.when.contains(event),
            EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => false,
        }
    }

    /// Makes the post of an event.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn post(&self, one: &BatchEvent<'_>, now: Timestamp) -> Result<Post, LeftOut> {
        let is_asked = !self.when.is_empty() || one.mapped.name.is_some();
        if !is_asked || !self.wants(one.event) {
            return Err(LeftOut::Skipped(reason::unasked("a post about it")));
        }
        let text = self.text.fill(one)?.trim().to_owned();
        let refused = |why: &str| Err(LeftOut::Refused(reason::invalid(why)));
        if text.is_empty() {
            return refused("a post without a text");
        }
        if text.len() > TEXT_BYTES_MAX || text.chars().count() > TEXT_CHARS_MAX {
            return Err(LeftOut::Refused(reason::too_large("a post", TEXT_BYTES_MAX)));
        }
        let image = self.image.as_ref().map(|image| image.fill(one)).transpose()?;
        if image.as_ref().is_some_and(|image| !image.starts_with("https://")) {
            return refused("an image without an https address");
        }
        let shown = format!("{text} {}", image.as_deref().unwrap_or_default());
        if has_address(&shown) || has_id(&shown, one.event) {
            return refused("a post may not name a person");
        }
        let (first, due) = self.times(one.event, now);
        Ok(Post { mark: sha256_hex(text.as_bytes()), text, image, first, due })
    }

    /// The time of the post, and the earliest one that an earlier attempt may have chosen.
    fn times(&self, event: &Event, now: Timestamp) -> (Timestamp, Timestamp) {
        let first_s = event.occurred_at.as_second().saturating_add(self.delay_s);
        let late_s = now.as_second().saturating_add(LEAD_S).saturating_sub(first_s);
        let hours = if late_s > 0 { (late_s - 1) / SHIFT_S + 1 } else { 0 };
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(now);
        (at(first_s), at(first_s.saturating_add(hours.saturating_mul(SHIFT_S))))
    }
}

impl Post {
    /// From and until when posts are looked for: the second of each time that an attempt may have chosen is inside.
    pub(super) fn window(&self) -> (Timestamp, Timestamp) {
        let at = |at: Timestamp, by_s: i64| {
            Timestamp::from_second(at.as_second().saturating_add(by_s)).unwrap_or(at)
        };
        (at(self.first, -1), at(self.due, 1))
    }
}

/// What a look tells later steps: a post that is there is not made. One that is missing is told too, so that an attempt that
/// follows a failed one begins with the look again.
pub(super) const THERE: &str = "there";
pub(super) const MISSING: &str = "missing";

/// Whether one of these texts is the post that was looked for. A service may take away blanks at the ends.
pub(super) fn is_there<'t>(headers: &Headers, mut texts: impl Iterator<Item = &'t str>) -> bool {
    let mark = headers.get(MARK);
    texts.any(|text| Some(sha256_hex(text.trim().as_bytes()).as_str()) == mark)
}

/// The body of an answer, if it is JSON: an object.
pub(super) fn body(response: &Response) -> Option<Value> {
    serde_json::from_str(&response.body).ok().filter(Value::is_object)
}

/// A text with places for details: `New in the shop: {name}`.
#[derive(Debug)]
struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The name of a detail.
    Detail(String),
}

impl Template {
    fn parse(text: &str) -> Result<Template, &'static str> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, inner)) = rest.split_once('{') {
            let (name, behind) = inner.split_once('}').ok_or("a { is not closed by a }")?;
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_letter) {
                return Err("write the name of one of the event's properties between { and }");
            }
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            if lists(PERSONAL, &plain.to_ascii_lowercase()) {
                return Err("a post is public, so it may not name a detail of a person");
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Detail(name.to_owned()));
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Template(pieces))
    }

    /// Puts the details in: those of the map's rules, else those of the event.
    fn fill(&self, one: &BatchEvent<'_>) -> Result<String, LeftOut> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Detail(name) => {
                    let own = one.event.kind.details();
                    let value = one.mapped.fields.get(name);
                    let value = value.or_else(|| own.and_then(|details| details.get(name)));
                    text.push_str(&shown(value).ok_or_else(|| {
                        let why = format!("a post needs the property `{name}`, as text or number");
                        LeftOut::Refused(reason::invalid(&why))
                    })?);
                }
            }
        }
        Ok(text)
    }
}

fn shown(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a text contains what looks like an e-mail address. A name with `@` before it is an account of a network.
fn has_address(text: &str) -> bool {
    text.split(|mark: char| mark.is_whitespace() || "<>()[],;:\"".contains(mark)).any(|word| {
        word.split_once('@').is_some_and(|(name, host)| {
            let is_name = name.ends_with(|last: char| last.is_alphanumeric());
            is_name && !name.contains('/') && host.trim_end_matches('.').contains('.')
        })
    })
}

fn has_id(text: &str, event: &Event) -> bool {
    let ids = [&event.anonymous_id, &event.user_id, &event.claimed_id];
    ids.into_iter().flatten().any(|id| id.len() >= ID_BYTES_MIN && text.contains(id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destination::Mapped;
    use serde_json::json;

    fn rule(text: &str) -> Rule {
        Rule {
            text: Template::parse(text).unwrap(),
            image: None,
            when: vec!["Product Published".to_owned()],
            delay_s: 900,
        }
    }

    fn event(properties: &Value) -> Event {
        serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "Product Published", "userId": "editor-7",
            "properties": properties, "timestamp": "2026-11-24T10:00:00.7Z",
            "receivedAt": "2026-11-24T10:00:01Z", "context": {},
        }))
        .unwrap()
    }

    fn made(text: &str, properties: &Value, now: &str) -> Result<Post, LeftOut> {
        let (event, mapped) = (event(properties), Mapped::default());
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        rule(text).post(&one, now.parse().unwrap())
    }

    const NOW: &str = "2026-11-24T10:00:05Z";

    #[test]
    fn a_template_is_filled_with_the_events_details() {
        let post =
            made("New: {name} for {price} EUR ", &json!({"name": "Shoe", "price": 19.90}), NOW);
        assert_eq!(post.ok().unwrap().text, "New: Shoe for 19.9 EUR");
        assert!(made("New: {name}", &json!({"name": ["Shoe"]}), NOW).is_err());
    }

    #[test]
    fn the_map_wins_over_the_event_and_may_ask_for_a_post() {
        let event = event(&json!({"name": "Shoe"}));
        let fields = json!({"name": "Boot"}).as_object().unwrap().clone();
        let mapped = Mapped { name: Some("post".to_owned()), fields };
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        let rule = Rule { when: Vec::new(), ..rule("New: {name}") };
        let now = NOW.parse().unwrap();
        assert_eq!(rule.post(&one, now).ok().unwrap().text, "New: Boot");
        let unasked = BatchEvent { mapped: &Mapped::default(), ..one };
        assert!(matches!(rule.post(&unasked, now), Err(LeftOut::Skipped(_))));
    }

    #[test]
    fn a_template_cannot_name_a_person() {
        for text in [
            "{email}",
            "{first_name}",
            "{userId}",
            "{Anonymous_ID}",
            "{traits}",
            "{name",
            "{}",
            "{a b}",
            "{traits.name}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_that_names_a_person_is_refused() {
        let of = |name: &str| made("New: {name}", &json!({ "name": name }), NOW);
        for name in ["Shoe of ana@shop.example", "<ana@shop.example>", "by editor-7"] {
            assert!(of(name).is_err(), "{name}");
        }
        for name in ["Shoe by @brand.shop", "https://social.example/@brand.shop", "Shoe @ 19.90"] {
            assert!(of(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_late_post_moves_by_whole_hours_and_is_looked_for_at_every_earlier_time() {
        let times = |now: &str| {
            let post = made("{name}", &json!({"name": "Shoe"}), now).ok().unwrap();
            let (from, until) = post.window();
            [from, until, post.due].map(|at| at.to_string()[11..19].to_owned())
        };
        assert_eq!(times("2026-11-24T10:00:05Z"), ["10:14:59", "10:15:01", "10:15:00"]);
        assert_eq!(times("2026-11-24T10:10:00Z"), ["10:14:59", "10:15:01", "10:15:00"]);
        assert_eq!(times("2026-11-24T10:10:01Z"), ["10:14:59", "11:15:01", "11:15:00"]);
        assert_eq!(times("2026-11-24T12:30:00Z"), ["10:14:59", "13:15:01", "13:15:00"]);
    }
}
