//! What a person is reached and known by → the key under which the index has it.
//!
//! A key is a keyed hash of the address's normal form: without the collector's secret nobody can compute it, so nobody finds out who
//! is known by trying addresses. The naming secret makes it, so a new signing secret changes no key. Pure.

use hilo_core::config::{NormalizeRules, Source};
use hilo_core::consent::OptInChannel;
use hilo_core::identity::address;
use hilo_core::phone::{Market, e164};

use crate::calls::index::KEY_CHARS;
use crate::keyring::Keyring;
use crate::signature::{hex, sign};

/// Makes keys of addresses.
#[derive(Clone, Debug)]
pub struct Keys<'k> {
    secret: &'k Keyring,
    country: Option<&'static Market>,
    /// What stands before every address: nothing, or the name of a source that only claims whose they are.
    claimed_by: Option<&'k str>,
}

impl<'k> Keys<'k> {
    /// Keys of addresses that are proved, or looked up.
    pub fn of(secret: &'k Keyring, rules: &NormalizeRules) -> Keys<'k> {
        let country = rules.country.as_deref().and_then(Market::of);
        Keys { secret, country, claimed_by: None }
    }

    /// Keys of addresses that this source names. Those of a source that is not trusted lead to nobody but its own contacts.
    pub fn named_by(self, source: &'k Source) -> Keys<'k> {
        let claimed_by = (!source.is_trusted).then_some(source.name.as_str());
        Keys { claimed_by, ..self }
    }

    /// Numbers without a country are of this one.
    #[must_use]
    pub fn in_country(self, country: Option<&str>) -> Keys<'k> {
        let country = country.and_then(Market::of).or(self.country);
        Keys { country, ..self }
    }

    /// The key of an e-mail address; `None` for a text that is none.
    pub fn email(&self, text: &str) -> Option<String> {
        address::email(text).map(|email| self.key("email", &email))
    }

    /// The key of a telephone number; `None` for a text that is none, or that has no country.
    pub fn phone(&self, text: &str) -> Option<String> {
        e164(text, self.country).map(|phone| self.key("phone", &phone))
    }

    /// The key of the address to which this channel writes; `None` for a channel whose addresses are not looked up.
    pub fn of_channel(&self, channel: OptInChannel, text: &str) -> Option<String> {
        match channel {
            OptInChannel::Email => self.email(text),
            OptInChannel::Sms | OptInChannel::Phone => self.phone(text),
            OptInChannel::Push | OptInChannel::Post => None,
        }
    }

    /// The key of the user's id that a source claims.
    pub fn claimed_user(&self, text: &str) -> Option<String> {
        let id = address::loyalty(text).filter(|_| self.claimed_by.is_some());
        id.map(|id| self.key("user", &id))
    }

    /// The key of an order of this source. Each source counts its own.
    pub fn order(&self, source: &str, text: &str) -> Option<String> {
        address::order(text).map(|order| self.key(&format!("order:{source}"), &order))
    }

    /// The key of a loyalty card's number.
    pub fn loyalty(&self, text: &str) -> Option<String> {
        address::loyalty(text).map(|number| self.key("loyalty", &number))
    }

    fn key(&self, kind: &str, normal: &str) -> String {
        let claimed = self.claimed_by.map(|source| format!("{source}:")).unwrap_or_default();
        // The name of a source has no colon, and no kind is called `claimed`.
        let of = if claimed.is_empty() { "" } else { "claimed:" };
        let text = format!("index:{of}{claimed}{kind}:{normal}");
        let mut key = hex(&sign(self.secret.naming().as_bytes(), text.as_bytes()));
        key.truncate(KEY_CHARS);
        key
    }
}

#[cfg(test)]
mod tests {
    use hilo_core::config::{Config, parse};

    use super::*;

    fn config() -> Config {
        parse(include_str!("../hilo.toml")).unwrap()
    }

    fn server_source() -> Source {
        config().sources.into_iter().find(Source::is_server).unwrap()
    }

    fn keyring() -> Keyring {
        Keyring::only("a naming secret of forty bytes or so, ok")
    }

    #[test]
    fn one_address_has_one_key_however_it_is_written() {
        let (secret, mut rules) = (keyring(), config().normalize);
        rules.country = Some("ES".to_owned());
        let keys = Keys::of(&secret, &rules);
        assert_eq!(keys.email(" Ana@Shop.example"), keys.email("ana@shop.example"));
        assert_eq!(keys.phone("600 11 12 22"), keys.phone("+34600111222"));
        assert_eq!(keys.order("till", "#a-1"), keys.order("till", "A-1"));
        assert_eq!(keys.email("ana@shop.example").map(|key| key.len()), Some(KEY_CHARS));
        assert_eq!(keys.email("ana"), None);
        assert_eq!(keys.clone().in_country(Some("US")).phone("600 11 12 22"), None);
    }

    #[test]
    fn keys_of_other_kinds_sources_and_secrets_differ() {
        let (secret, rules) = (keyring(), config().normalize);
        let other = Keyring::only("another naming secret of forty bytes, ok");
        let (mut source, keys) = (server_source(), Keys::of(&secret, &rules));
        source.is_trusted = false;
        let found = [
            keys.loyalty("1001"),
            keys.order("till", "1001"),
            keys.order("shop", "1001"),
            keys.clone().named_by(&source).loyalty("1001"),
            Keys::of(&other, &rules).loyalty("1001"),
        ];
        let different: std::collections::BTreeSet<_> = found.iter().flatten().collect();
        assert_eq!(different.len(), found.len());
        source.is_trusted = true;
        assert_eq!(keys.clone().named_by(&source).loyalty("1001"), keys.loyalty("1001"));
    }
}
