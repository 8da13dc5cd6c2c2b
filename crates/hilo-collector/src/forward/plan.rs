//! Planning: finds the destinations of an event.
//!
//! `(event, configured destinations) → plans`, before anything is stored. Consent is checked here and again before each
//! attempt.

use hilo_core::config::{self, Config, DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::{ConsentState, Decision, OptInChannel, Purpose, decide};
use hilo_core::event::{Context, Event, EventKind, OPT_IN_CONFIRMED, OPT_IN_WITHDRAWN};
use jiff::Timestamp;
use serde_json::Map;

use super::destination::{Destination, Kind, OptIns};
use super::destinations::{CATALOGUE, target};
use crate::calls::Planned;
use crate::calls::optin::Listeners;

/// A configured destination with parsed settings. It is made once for a batch, because parsing costs more than planning
/// an event.
pub struct Configured<'c> {
    pub(super) entry: &'c DestinationEntry,
    pub(super) loaded: Result<Loaded, Problem>,
    /// The plan that is stored with an event for this destination. It contains all purposes that the destination needs.
    pub(super) planned: Planned,
}

/// A destination with parsed settings, and its kind.
pub struct Loaded {
    /// The kind.
    pub kind: Kind,
    /// The destination.
    pub destination: Box<dyn Destination>,
}

impl Loaded {
    /// Reads the settings of an entry.
    ///
    /// # Errors
    /// The problem of an unknown type or a wrong setting, with line, column and remedy.
    pub fn of(entry: &DestinationEntry) -> Result<Loaded, Problem> {
        let Some(kind) = CATALOGUE.iter().find(|kind| kind.name == entry.kind) else {
            let names: Vec<_> = CATALOGUE.iter().map(|kind| kind.name).collect();
            let message = format!("there is no such type; there is {}", names.join(", "));
            return Err(entry.problem("", ProblemCode::BadValue, message));
        };
        Ok(Loaded { kind: *kind, destination: (kind.load)(entry)? })
    }
}

/// Reads a `hilo.toml` with the settings of its destinations, as far as it can be read. Returns every problem beside it, in the order of
/// the lines.
pub fn examine(text: &str) -> (Config, Vec<Problem>) {
    let (config, mut found) = config::examine(text);
    if found.iter().all(|problem| problem.code != ProblemCode::Syntax) {
        for problem in problems(&config) {
            let is_known =
                |known: &Problem| (known.line, &known.field) == (problem.line, &problem.field);
            if !found.iter().any(is_known) {
                found.push(problem);
            }
        }
        found.sort_by_key(|problem| (problem.line, problem.column));
    }
    (config, found)
}

/// Every problem of the destinations' own settings, which the core does not know. It has reported entries without a type.
fn problems(config: &Config) -> Vec<Problem> {
    let typed = config.destinations.iter().filter(|entry| !entry.kind.is_empty());
    let typed = typed.filter_map(|entry| Loaded::of(entry).err());
    typed.chain(carrier_problem(config)).chain(alert_problem(config)).collect()
}

/// The problem of a receiver of alerts to which no request may go. A developer's file may have this machine's address.
fn alert_problem(config: &Config) -> Option<Problem> {
    let alert = config.health.alert.as_ref()?;
    target::check(&alert.url, true).err().map(|why| alert.problem(why))
}

/// The problem of a carrier that can bring no link to an address.
fn carrier_problem(config: &Config) -> Option<Problem> {
    let rules = &config.consent.optin;
    let entry = config.destination(rules.confirm_by.as_deref()?)?;
    let kind = CATALOGUE.iter().find(|kind| kind.name == entry.kind)?;
    if kind.optins == OptIns::Carried {
        return None;
    }
    let mut able = String::new();
    for kind in CATALOGUE.iter().filter(|kind| kind.optins == OptIns::Carried) {
        able.push_str(if able.is_empty() { "" } else { " or " });
        able.push_str(kind.name);
    }
    let message = format!(
        "{} brings no link to an address, so nobody could confirm: name a destination of the type {able}",
        kind.title
    );
    Some(rules.carrier_problem(message))
}

/// The secrets that a destination names and that are not set, each with its destination.
pub fn missing_secrets<'c>(
    config: &'c Config,
    is_set: &dyn Fn(&str) -> bool,
) -> Vec<(&'c str, &'c str)> {
    let named = config.destinations.iter().flat_map(|entry| {
        entry.secret_names().into_iter().map(|secret| (entry.name.as_str(), secret))
    });
    named.filter(|(_, secret)| !is_set(secret)).collect()
}

impl Configured<'_> {
    /// Reads the settings of every entry.
    pub fn all(entries: &[DestinationEntry]) -> Vec<Configured<'_>> {
        entries.iter().map(Configured::of).collect()
    }

    /// The entry of `hilo.toml`.
    pub const fn entry(&self) -> &DestinationEntry {
        self.entry
    }

    pub(super) fn of(entry: &DestinationEntry) -> Configured<'_> {
        Configured::with(entry, Loaded::of(entry))
    }

    pub(super) fn with(
        entry: &DestinationEntry,
        loaded: Result<Loaded, Problem>,
    ) -> Configured<'_> {
        let kind = loaded.as_ref().ok().map(|loaded| loaded.kind);
        let planned = Planned {
            name: entry.name.clone(),
            purposes: all_purposes(&entry.purposes, kind.map_or(&[], |kind| kind.purposes)),
            channel: entry.channel,
            wants_person: kind.is_some_and(|kind| kind.limits.wants_person),
            wants_key: loaded.as_ref().is_ok_and(|loaded| loaded.destination.wants_key()),
            is_owed: false,
        };
        Configured { entry, loaded, planned }
    }

    /// Whether the event's own consent allows this destination. A destination that cannot be loaded gets nothing.
    pub(super) fn is_allowed(&self, event: &Event) -> bool {
        let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        self.passes(&said)
    }

    fn passes(&self, said: &ConsentState) -> bool {
        self.loaded.is_ok()
            && !self.planned.purposes.is_empty()
            && decide(said, &self.planned.purposes) == Decision::Pass
    }

    /// Whether the destination must have this change of the ledger of opt-ins whatever purposes the person allows: an opt-out if it keeps
    /// whom the company may write to, and a subscription if it writes by that very channel.
    pub(super) fn is_owed(&self, name: &str, channel: Option<OptInChannel>) -> bool {
        let keeps = self.loaded.as_ref().is_ok_and(|loaded| loaded.kind.optins != OptIns::Read);
        let is_its_channel = self.entry.channel.is_some() && self.entry.channel == channel;
        keeps && (name == OPT_IN_WITHDRAWN || (name == OPT_IN_CONFIRMED && is_its_channel))
    }

    /// Whether the event is such a change, made by the collector.
    pub(super) fn is_owed_now(&self, event: &Event) -> bool {
        let channel = event.kind.details().and_then(|details| details.get("channel")?.as_str());
        let channel = channel.and_then(OptInChannel::from_name);
        event.is_optin_change()
            && event.kind.label().is_some_and(|name| self.is_owed(name, channel))
    }

    fn has_use_of(&self, event: &Event) -> bool {
        self.loaded.as_ref().is_ok_and(|loaded| loaded.destination.wants(event))
    }

    /// Leaves of a change of the ledger what a service needs to obey it, where consent allows the destination nothing else: channel,
    /// address, time, and the company's own id of the person. The device's id goes.
    pub(super) fn reduce(event: &mut Event) {
        event.anonymous_id = None;
        event.context = Context::default();
    }

    /// Removes what this destination's purposes do not cover: ids of a device and click ids are kept for advertising alone, and an id
    /// that another service gave to the browser for its own purpose. Rules of `[[destination.map]]` read what is left.
    pub(super) fn narrow(&self, event: &mut Event) {
        let own = &self.planned.purposes;
        event.context.keep_ids_for(|purposes| purposes.iter().all(|one| own.contains(one)));
        if !self.planned.purposes.contains(&Purpose::Advertising) {
            event.context.remove_device_ids();
            event.remove_click_ids();
        }
    }
}

/// Finds the destinations that learn of a change of the ledger of opt-ins. The profile decides by its record which of those that are not
/// owed it get it.
pub fn listeners(channel: OptInChannel, configured: &[Configured<'_>]) -> Listeners {
    let planned = |name: &str| {
        let event = optin_change(name, channel);
        let mut all = Vec::new();
        for one in configured {
            let has_purposes = !one.planned.purposes.is_empty();
            if has_purposes && one.entry.events.wants(&event) && one.has_use_of(&event) {
                let mut planned = one.planned.clone();
                planned.is_owed = one.is_owed(name, Some(channel));
                // Nobody is subscribed to what has just ended.
                planned.channel = planned.channel.filter(|_| name != OPT_IN_WITHDRAWN);
                all.push(planned);
            }
        }
        all
    };
    Listeners {
        confirmed: planned(OPT_IN_CONFIRMED),
        withdrawn: planned(OPT_IN_WITHDRAWN),
        ..Listeners::default()
    }
}

/// An event of the ledger as far as its name, its channel and its type decide.
fn optin_change(name: &str, channel: OptInChannel) -> Event {
    let properties = [("channel".to_owned(), channel.name().into())].into_iter().collect();
    Event {
        message_id: String::new(),
        kind: EventKind::Track { event: name.to_owned(), properties },
        anonymous_id: None,
        user_id: None,
        claimed_id: None,
        occurred_at: Timestamp::UNIX_EPOCH,
        original_at: None,
        sent_at: None,
        received_at: Timestamp::UNIX_EPOCH,
        context: Context::default(),
        integrations: Map::new(),
    }
}

/// Joins all purposes that a delivery needs: those of `hilo.toml` and those of the kind.
fn all_purposes(declared: &[Purpose], own: &[Purpose]) -> Vec<Purpose> {
    let mut all = declared.to_vec();
    all.extend(own.iter().filter(|purpose| !declared.contains(purpose)));
    all
}

/// Finds the destinations of `event`: their filters match, the event's consent allows every purpose they need, and the
/// sender's `integrations` does not exclude them. A destination that Global Privacy Control denies is planned too where
/// the event claims a grant: the profile takes it out unless it has recorded such a choice.
pub fn plan<'p>(event: &Event, configured: &'p [Configured<'_>]) -> Vec<&'p Planned> {
    let claim = event.context.consent.as_ref();
    let said = claim.map(|claim| claim.state_if_lifted()).unwrap_or_default();
    let wanted = |one: &&Configured<'_>| {
        one.entry.events.wants(event)
            && is_integrated(event, &one.entry.name)
            && one.has_use_of(event)
            && one.passes(&said)
    };
    configured.iter().filter(wanted).map(|one| &one.planned).collect()
}

/// Reads Segment's `integrations`: `{"All": false}` excludes every destination except those with `true` or with options.
pub(super) fn is_integrated(event: &Event, name: &str) -> bool {
    let is_on = |value: &serde_json::Value| value.as_bool().unwrap_or(!value.is_null());
    let all = event.integrations.get("All").is_none_or(is_on);
    event.integrations.get(name).map_or(all, is_on)
}

#[cfg(test)]
mod tests {
    use hilo_core::config::parse;
    use serde_json::json;

    use super::*;

    const CLICKED: &str = "https://shop.example/?gclid=C1&q=wool";

    #[track_caller]
    fn check_ids(purposes: &str, expected: &serde_json::Value) {
        let config = parse(&format!(
            "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\nkeys = [\"wk_shop\"]\n\
             origins = [\"https://shop.example\"]\n[[destination]]\nname = \"w\"\ntype = \"webhook\"\n\
             purposes = {purposes}\nurl = \"https://w.example\"\nsecret = {{ secret = \"W\" }}\n"
        ));
        let mut event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "A",
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
            "properties": {"url": CLICKED, "links": [CLICKED], "gclid": "C1"},
            "context": {"device": {"id": "d1", "model": "p"}, "ids": {"ga": "1.2", "fbp": "fb.1.2.3"},
                "page": {"url": CLICKED, "search": "?gclid=C1", "referrer": CLICKED}, "referrer": {"link": CLICKED},
                "traits": {"landing": CLICKED},
                "hilo": {"click_ids": {"gclid": "C1"}, "session": {"id": "1", "landing": {"url": CLICKED, "referrer": CLICKED}}}},
        }))
        .unwrap();
        Configured::all(&config.unwrap().destinations)[0].narrow(&mut event);
        let is_advertising = purposes.contains("advertising");
        let left = serde_json::to_string(&event).unwrap();
        assert_eq!(left.matches("C1").count(), if is_advertising { 11 } else { 0 }, "{left}");
        assert_eq!(left.matches("q=wool").count(), 8, "{left}");
        let Context { device, ids, .. } = event.context;
        assert_eq!(json!({ "device": device, "ids": ids }), *expected);
    }

    #[test]
    fn a_wrong_source_hides_no_problem_of_a_later_destination_and_none_is_told_twice() {
        let text = "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"web\"\nkeys = [\"wk_shop\"]\n\
            [[destination]]\nname = \"w\"\ntype = \"webhook\"\npurposes = [\"analytics\"]\nulr = \"https://w.example\"\n\
            secret = { secret = \"in clear\" }\n[[destination]]\nname = \"x\"\npurposes = []\n";
        let told: Vec<_> =
            examine(text).1.iter().map(|problem| (problem.line, problem.field.clone())).collect();
        let expected = [
            (5, "source.kind"),
            (11, "destination.ulr"),
            (12, "destination.secret.secret"),
            (13, "destination.type"),
            (15, "destination.purposes"),
        ];
        assert_eq!(told, expected.map(|(line, field)| (line, field.to_owned())));
    }

    /// A file with a carrier of this type, and a destination of each type that is named.
    fn file(confirm_by: &str) -> String {
        format!(
            "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\nkeys = [\"wk_shop\"]\n\
             origins = [\"https://shop.example\"]\n[consent.optin]\nconfirm_by = \"{confirm_by}\"\n\
             [[destination]]\nname = \"letters\"\ntype = \"webhook\"\nchannel = \"email\"\npurposes = [\"analytics\"]\n\
             url = \"https://w.example\"\nsecret = {{ secret = \"W\" }}\n\
             [[destination]]\nname = \"charts\"\ntype = \"posthog\"\npurposes = [\"analytics\"]\n\
             host = \"https://eu.i.posthog.com\"\nproject_key = \"phc_1\"\n"
        )
    }

    #[test]
    fn a_carrier_that_brings_no_link_to_an_address_is_a_problem_of_its_line() {
        assert_eq!(examine(&file("letters")).1, []);
        let problems = examine(&file("charts")).1;
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert_eq!((problem.line, problem.field.as_str()), (9, "consent.optin.confirm_by"));
        let told = "PostHog brings no link to an address, so nobody could confirm: name a destination of the type kafka or webhook";
        assert_eq!(problem.message, told);
    }

    #[test]
    fn an_opt_out_is_owed_to_who_keeps_it_and_a_subscription_to_who_writes_by_its_channel() {
        let config = parse(&file("letters")).unwrap();
        let configured = Configured::all(&config.destinations);
        let owed = |planned: &[Planned]| -> Vec<(String, bool, Option<OptInChannel>)> {
            planned.iter().map(|one| (one.name.clone(), one.is_owed, one.channel)).collect()
        };
        let row = |name: &str, is_owed, channel| (name.to_owned(), is_owed, channel);
        let email = Some(OptInChannel::Email);
        for (channel, is_its_own) in [(OptInChannel::Email, true), (OptInChannel::Sms, false)] {
            let Listeners { confirmed, withdrawn, .. } = listeners(channel, &configured);
            let expected = [row("letters", is_its_own, email), row("charts", false, None)];
            assert_eq!(owed(&confirmed), expected);
            assert_eq!(owed(&withdrawn), [row("letters", true, None), row("charts", false, None)]);
        }
    }

    #[test]
    fn only_the_collectors_own_event_is_owed_and_then_it_has_no_id_of_a_device() {
        let config = parse(&file("letters")).unwrap();
        let configured = Configured::all(&config.destinations);
        let mut event = optin_change(OPT_IN_WITHDRAWN, OptInChannel::Email);
        (event.anonymous_id, event.user_id) = (Some("a1".to_owned()), Some("77".to_owned()));
        assert!(!configured[0].is_owed_now(&event), "a sender's event of this name");
        event.context.hilo.ledger = true;
        assert!(configured[0].is_owed_now(&event) && !configured[1].is_owed_now(&event));
        Configured::reduce(&mut event);
        assert_eq!((event.anonymous_id, event.user_id.as_deref()), (None, Some("77")));
        assert_eq!(event.context, Context::default());
    }

    #[test]
    fn ids_reach_only_destinations_for_their_purpose() {
        let analytics = json!({"device": {"model": "p"}, "ids": {"ga": "1.2"}});
        check_ids("[\"analytics\"]", &analytics);
        let both =
            json!({"device": {"id": "d1", "model": "p"}, "ids": {"ga": "1.2", "fbp": "fb.1.2.3"}});
        check_ids("[\"analytics\", \"advertising\"]", &both);
    }
}
