//! The session of a page, and how it began.
//!
//! In: the stored session, the time, the page's place. Out: the session and, with its first event, its landing.
//! The tracker calls it behind the gate only, so nothing is minted before consent.

use hilo_core::query_keys::CAMPAIGN_KEYS;
use hilo_core::text::{concat, cut, lists, parts, put};

use crate::address::origin;
use crate::json::{number, read_number};
use crate::platform::Place;

/// A session ends after this much silence (GA4's default).
const IDLE_MS_MAX: i64 = 30 * 60 * 1_000;
/// No session is longer than a day.
const SESSION_MS_MAX: i64 = 24 * 60 * 60 * 1_000;

/// A visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// When the session began; also its id.
    pub began_ms: i64,
    /// The time of the session's last event.
    pub last_ms: i64,
    /// The campaign that began the session, as query parameters.
    pub campaign: String,
}

impl Session {
    /// The session's id on the wire.
    pub fn id(&self) -> String {
        number(self.began_ms)
    }

    /// The stored form.
    pub fn to_stored(&self) -> String {
        concat(&[&number(self.began_ms), "|", &number(self.last_ms), "|", &self.campaign])
    }

    /// Reads [`Session::to_stored`]. Unreadable text is no session.
    pub fn from_stored(text: &str) -> Option<Session> {
        let (began, rest) = cut(text, b'|');
        let (last, campaign) = cut(rest?, b'|');
        let (began_ms, last_ms) = (read_number(began)?, read_number(last)?);
        Some(Session { began_ms, last_ms, campaign: campaign.unwrap_or_default().to_owned() })
    }

    /// Whether an event at `at_ms` belongs to this session. `campaign` is the campaign of the event's page; empty for none.
    pub fn goes_on(&self, at_ms: i64, campaign: &str) -> bool {
        let idle = at_ms - self.last_ms;
        // A clock that was set back a little begins no new session; a leap of a day does.
        idle.abs() <= IDLE_MS_MAX
            && at_ms - self.began_ms <= SESSION_MS_MAX
            && (campaign.is_empty() || campaign == self.campaign)
    }
}

/// The campaign parameters of an address, in the order they stand there.
pub fn campaign(url: &str) -> String {
    let query = cut(cut(url, b'#').0, b'?').1.unwrap_or_default();
    let mut found = String::new();
    for pair in parts(query, b'&').filter(|pair| lists(CAMPAIGN_KEYS, cut(pair, b'=').0)) {
        if !found.is_empty() {
            put(&mut found, "&");
        }
        found.push_str(pair);
    }
    found
}

/// How a session began, and the source of that knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The landing's address; empty when not known.
    pub url: String,
    /// The page before the landing; empty for none, or when not known.
    pub referrer: String,
    /// `page`, `history` or `referrer`.
    pub via: &'static str,
}

/// Finds how the session at `place` began.
///
/// `first` is the first same-origin address in the tab's history, where the browser gives it. A page that was reached from
/// another page of this site is no landing. Only the history still has the landing's address, and its referrer is lost.
pub fn landing(place: &Place, first: Option<&str>) -> Landing {
    let (url, referrer) = (place.url.as_str(), place.referrer.as_str());
    let is_internal = !referrer.is_empty() && origin(referrer) == origin(url);
    let first_url = first.unwrap_or_default();
    let is_reached = is_internal || referrer.is_empty();
    let (url, referrer, via) = if is_reached && !first_url.is_empty() && first_url != url {
        (first_url, "", "history")
    } else if is_internal && first.is_none() {
        ("", referrer, "referrer")
    } else {
        // A session that begins on a page of this site has no referrer, even if this site linked to the page.
        (url, if is_internal { "" } else { referrer }, "page")
    };
    Landing { url: url.to_owned(), referrer: referrer.to_owned(), via }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str, referrer: &str) -> Place {
        Place { url: url.to_owned(), referrer: referrer.to_owned(), title: String::new() }
    }

    #[test]
    fn silence_length_and_a_new_campaign_end_a_session() {
        let session = Session { began_ms: 0, last_ms: 0, campaign: String::new() };
        assert!(session.goes_on(IDLE_MS_MAX, ""));
        assert!(!session.goes_on(IDLE_MS_MAX + 1, ""));
        assert!(!session.goes_on(1, "utm_source=mail"));
        let long = Session { last_ms: SESSION_MS_MAX, ..session };
        assert!(!long.goes_on(SESSION_MS_MAX + 1, ""));
    }

    #[test]
    fn a_stored_session_reads_back() {
        let session = Session { began_ms: 1, last_ms: 2, campaign: "utm_source=a|b".to_owned() };
        assert_eq!(Session::from_stored(&session.to_stored()), Some(session));
        assert_eq!(Session::from_stored("rubbish"), None);
    }

    #[test]
    fn campaign_parameters_are_found_in_the_query_alone() {
        assert_eq!(
            campaign("https://a.example/?x=1&utm_source=mail&gclid=7#utm_id=no"),
            "utm_source=mail&gclid=7"
        );
        assert_eq!(campaign("https://a.example/"), "");
    }

    #[test]
    fn a_landing_is_found_in_the_tabs_history() {
        let here = place("https://a.example/cart", "https://a.example/list");
        let found = landing(&here, Some("https://a.example/?utm_source=mail"));
        assert_eq!(
            (found.url.as_str(), found.via),
            ("https://a.example/?utm_source=mail", "history")
        );
    }

    #[test]
    fn without_a_history_a_landing_is_only_a_referrer() {
        let found = landing(&place("https://a.example/cart", "https://a.example/list"), None);
        assert_eq!(
            (found.url.as_str(), found.referrer.as_str(), found.via),
            ("", "https://a.example/list", "referrer")
        );
    }

    #[test]
    fn a_page_reached_from_another_site_is_the_landing() {
        let found = landing(
            &place("https://a.example/", "https://search.example/"),
            Some("https://a.example/old"),
        );
        assert_eq!((found.referrer.as_str(), found.via), ("https://search.example/", "page"));
    }
}
