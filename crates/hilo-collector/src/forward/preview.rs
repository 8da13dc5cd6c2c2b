//! A preview: what a destination would get of an event, or why it would get nothing. For `cargo xtask config test`; the collector
//! itself plans and delivers.
//!
//! `(event, person, configured destination) → requests, or a reason`. Asks the functions that `plan` and `deliver` ask, in their order.
//! Knows only the event's own consent: recorded choices and opt-ins are in the person's profile.

use hilo_core::consent::{ConsentState, Decision, decide};
use hilo_core::event::Event;
use hilo_core::profile::{Person, Trait};
use jiff::Timestamp;

use super::destination::{
    Access, Batch, BatchEvent, LeftOut, MappedRequest, MissingSecret, OAuth, Secrets, Token,
};
use super::plan::{Configured, is_integrated};
use super::reason;
use super::rules::{Ruled, rule};

/// What a destination would get.
#[derive(Clone, Debug, PartialEq)]
pub enum Preview {
    /// Nothing, for this reason.
    Nothing(String),
    /// The requests, and the fields of the deployer's rules that are left out because their values did not fit.
    Requests(Vec<MappedRequest>, Vec<String>),
}

/// Shows what `configured` would get of `event`. `person` is what the event's sender told of the person.
///
/// # Errors
/// The secret that is not set.
pub fn preview(
    configured: &Configured<'_>,
    event: &Event,
    person: &Person,
    secrets: Secrets<'_>,
    now: Timestamp,
) -> Result<Preview, MissingSecret> {
    let loaded = match (&configured.loaded, refusal(configured, event, now)) {
        (Ok(loaded), None) => loaded,
        (_, Some(why)) => return Ok(Preview::Nothing(why)),
        (Err(problem), None) => return Ok(Preview::Nothing(problem.to_string())),
    };
    let mut event = event.clone();
    configured.narrow(&mut event);
    let person = narrowed(person, configured, &event);
    let person = loaded.kind.limits.wants_person.then_some(&person);
    let (mapped, unfit) = match rule(&configured.entry.map, &event, person) {
        Ruled::Kept { mapped, unfit } => (mapped, unfit),
        Ruled::Dropped(why) => return Ok(Preview::Nothing(why)),
    };
    let token = loaded.destination.oauth().as_ref().map(placeholder);
    let batch = Batch {
        events: vec![BatchEvent { event: &event, source: None, person, mapped: &mapped }],
        access: Access { secrets, token: token.as_ref() },
        found: &[],
        now,
    };
    let mapping = loaded.destination.requests(&batch)?;
    Ok(match mapping.left_out.into_iter().next() {
        Some((_, LeftOut::Skipped(why) | LeftOut::Refused(why))) => Preview::Nothing(why),
        None => Preview::Requests(mapping.requests, unfit),
    })
}

/// Why the destination does not get the event at all: its filter, the sender, the kind, consent or its age.
pub fn refusal(configured: &Configured<'_>, event: &Event, now: Timestamp) -> Option<String> {
    let loaded = match &configured.loaded {
        Ok(loaded) => loaded,
        Err(problem) => return Some(problem.to_string()),
    };
    if !configured.entry.events.wants(event) {
        return Some("filter: `events` of the destination leaves this event out".to_owned());
    }
    if !is_integrated(event, &configured.entry.name) {
        return Some("integrations: the message itself excludes the destination".to_owned());
    }
    if !loaded.destination.wants(event) {
        let kind = loaded.kind.title;
        return Some(format!("kind: {kind} has no use for an event of this type and name"));
    }
    if let Some(why) = unconsented(configured, event) {
        return Some(why);
    }
    let age_s = now.duration_since(event.occurred_at).as_secs();
    let age_s_max = loaded.kind.limits.age_s_max.filter(|max| age_s > i64::from(*max));
    age_s_max.map(|max| reason::too_old(loaded.kind.name, max))
}

/// The purposes that are missing, with what the event says of each.
fn unconsented(configured: &Configured<'_>, event: &Event) -> Option<String> {
    if configured.is_allowed(event) {
        return None;
    }
    let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
    let missing = configured.planned.purposes.iter().filter(|purpose| !said.is_granted(**purpose));
    let missing: Vec<_> = missing
        .map(|purpose| {
            let word = if said.is_denied(*purpose) { "denied" } else { "unset" };
            format!("{} is {word}", purpose.name())
        })
        .collect();
    Some(format!("consent: {}", missing.join(", ")))
}

/// The person without traits and ids of other services whose events did not grant what the destination needs.
fn narrowed(person: &Person, configured: &Configured<'_>, event: &Event) -> Person {
    let said: ConsentState =
        event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
    let purposes = &configured.planned.purposes;
    let mut person = person.clone();
    let is_allowed = |one: &Trait| {
        let is_granted = purposes.iter().all(|purpose| one.granted.contains(purpose));
        is_granted && decide(&said, &one.purposes) == Decision::Pass
    };
    person.traits.retain(|_, one| is_allowed(one));
    person.ids.retain(|_, one| is_allowed(one));
    person.keep_ids_for(purposes);
    person
}

/// A token in the place of the one that only the deployed collector has.
fn placeholder(oauth: &OAuth) -> Token {
    let host = oauth.host_member.and(oauth.hosts.first());
    Token { access: "ACCESS_TOKEN".to_owned(), host: host.map(|ending| format!("your{ending}")) }
}

#[cfg(test)]
mod tests {
    use hilo_core::config::parse;
    use serde_json::json;

    use super::*;
    use crate::forward::plan;

    const NOW: &str = "2026-11-24T10:00:00Z";

    /// What a webhook with these further lines would get of an event with this consent; and whether it is planned.
    fn shown(lines: &str, consent: &serde_json::Value) -> (Preview, bool) {
        let text = "[project]\ncontroller = 'Shop'\n[[source]]\nname = 'shop'\nkind = 'browser'\nkeys = ['wk_shop']\n\
            origins = ['https://shop.example']\n[[destination]]\nname = 'w'\ntype = 'webhook'\n\
            purposes = ['analytics', 'advertising']\nurl = 'https://w.example'\nsecret = { secret = 'W' }\n";
        let config = parse(&format!("{text}{lines}")).unwrap();
        let event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "Form Started", "timestamp": NOW, "receivedAt": NOW,
            "integrations": {"x": false},
            "context": {"consent": {"categoryPreferences": consent, "revision": 1}},
        }))
        .unwrap();
        let configured = Configured::all(&config.destinations);
        let secret = |_: &str| Some("whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=".to_owned());
        let person = Person::default();
        let shown = preview(&configured[0], &event, &person, &secret, NOW.parse().unwrap());
        (shown.unwrap(), !plan(&event, &configured).is_empty())
    }

    #[track_caller]
    fn check(lines: &str, consent: serde_json::Value, expected: &str) {
        let (shown, is_planned) = shown(lines, &consent);
        match shown {
            Preview::Nothing(why) => assert_eq!(why, expected),
            Preview::Requests(requests, _) => {
                assert_eq!((requests.len(), expected), (1, ""));
                assert!(is_planned);
            }
        }
    }

    #[test]
    fn a_preview_tells_why_a_destination_gets_nothing() {
        let all = json!({"analytics": true, "advertising": true});
        check("", all.clone(), "");
        check("", json!({"analytics": true}), "consent: advertising is unset");
        check(
            "",
            json!({"advertising": false}),
            "consent: analytics is unset, advertising is denied",
        );
        check(
            "events = { except = ['Form Started'] }",
            all.clone(),
            "filter: `events` of the destination leaves this event out",
        );
        check(
            "[[destination.map]]\ndrop = true",
            all,
            "dropped: rule 1 of [[destination.map]] drops it",
        );
    }

    #[test]
    fn an_event_that_is_not_planned_is_previewed_as_nothing() {
        for consent in [json!({}), json!({"analytics": true}), json!({"advertising": false})] {
            let (shown, is_planned) = shown("", &consent);
            assert!(!is_planned && matches!(shown, Preview::Nothing(_)), "{consent}");
        }
    }
}
