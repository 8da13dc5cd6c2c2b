//! The capability of a guest's cart: whoever presents it owns the cart. Browsers keep it in a cookie that scripts cannot
//! read. Apps without cookies send it in a header.
//!
//! `v1.<cart id>.<issued>.<key>.<HMAC>`: the id is random and is not derived from the anonymous id. A capability with a wrong
//! signature is ignored, and no object is called for it.

use super::cookie::{Jar, Which, sign, unsign};
use crate::call::Call;
use crate::keyring::{Keyring, Signed};
use crate::platform::{Platform, Reply};
use crate::signature::hex;
use jiff::Timestamp;

/// The header of apps without cookies. Its value is `new`, or the capability that the app has received.
pub(super) const HEADER: &str = "x-hilo-cart-token";
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// A capability is renewed at most daily.
const REFRESH_S: i64 = DAY_S;
/// The beginning of the signed text.
const VERSION: &str = "v1.";

/// The capability that a request presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The cart's random id, if the signature holds.
    pub id: Option<String>,
    /// Whether the capability came in the header, so that the sender keeps it without a cookie.
    pub is_by_header: bool,
    /// Whether the answer must contain a renewed capability.
    is_stale: bool,
    /// The time at which the capability is over, seconds since the epoch. An answer that renews it sets a later time.
    pub ends_s: i64,
}

impl Capability {
    /// A request without a capability: servers have no guests.
    pub const fn none() -> Capability {
        Capability { id: None, is_by_header: false, is_stale: false, ends_s: 0 }
    }

    /// Reads the capability of a request. The header counts before the cookie, because its sender keeps the capability
    /// itself.
    pub fn of<P: Platform>(secret: &Keyring, call: &Call<'_, P>) -> Capability {
        let Call { incoming, platform, .. } = *call;
        let header = incoming.headers.get(HEADER).map(str::trim);
        let jar = Jar::of(incoming, platform.is_dev());
        let value = header.or_else(|| jar.find(incoming, Which::Cart));
        let now_s = platform.now().as_second();
        let known = value.and_then(|value| unsign(value, Signed::Cart, secret));
        let known =
            known.and_then(|(text, issued_s)| Some((text.strip_prefix(VERSION)?, issued_s)));
        let known = known.filter(|(_, issued_s)| now_s - issued_s < life_s(call));
        Capability {
            is_by_header: header.is_some(),
            is_stale: known.as_ref().is_none_or(|(_, issued_s)| now_s - issued_s >= REFRESH_S),
            ends_s: known.as_ref().map_or(now_s, |(_, issued_s)| *issued_s) + life_s(call),
            id: known.map(|(id, _)| id.to_owned()),
        }
    }

    /// Makes an id if the capability has none.
    pub fn mint<P: Platform>(&mut self, platform: &P) -> &str {
        self.id.get_or_insert_with(|| hex(&platform.random16()))
    }

    /// The text for the answer's body, if the sender keeps the capability itself and needs a renewed one.
    pub fn in_body(&self, secret: &Keyring, now: Timestamp) -> Option<String> {
        let id = self.id.as_ref().filter(|_| self.is_by_header && self.is_stale)?;
        Some(sign(&format!("{VERSION}{id}"), Signed::Cart, secret, now.as_second()))
    }

    /// Sets a renewed cookie, if the capability is kept in a cookie and is stale.
    pub fn keep<P: Platform>(&self, secret: &Keyring, call: &Call<'_, P>, reply: &mut Reply) {
        let Call { incoming, platform, .. } = *call;
        let Some(id) = self.id.as_ref().filter(|_| !self.is_by_header && self.is_stale) else {
            return;
        };
        let text = format!("{VERSION}{id}");
        let value = sign(&text, Signed::Cart, secret, platform.now().as_second());
        let jar = Jar::of(incoming, platform.is_dev());
        if let Some(cookie) = jar.set(Which::Cart, &value, life_s(call)) {
            reply.headers.push("set-cookie", cookie);
        }
    }
}

/// The seconds that a capability is valid after its last renewal: as long as a guest's cart is kept.
fn life_s<P>(call: &Call<'_, P>) -> i64 {
    i64::from(call.loaded.config.cart.guest_days) * DAY_S
}

/// Removes the cookie, if the request has one.
pub fn clear<P: Platform>(call: &Call<'_, P>, reply: &mut Reply) {
    let jar = Jar::of(call.incoming, call.platform.is_dev());
    if jar.find(call.incoming, Which::Cart).is_some()
        && let Some(cookie) = jar.clear(Which::Cart)
    {
        reply.headers.push("set-cookie", cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loaded::Loaded;
    use crate::platform::{Headers, Incoming};
    use crate::shell::memory::{Memory, run};
    use jiff::SignedDuration;

    fn request(name: &str, value: &str) -> Incoming {
        let headers = Headers(vec![(name.to_owned(), value.to_owned())]);
        Incoming { scheme: "https".to_owned(), headers, ..Incoming::default() }
    }

    #[test]
    fn a_capability_reads_back_from_a_cookie_or_a_header_until_it_is_too_old() {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        let loaded = Loaded::built_in(None).unwrap();
        let shown = |incoming: &Incoming, secret: &Keyring| {
            Capability::of(secret, &Call { incoming, loaded: &loaded, platform: &memory })
        };
        let mut fresh = shown(&request(HEADER, "new"), &Keyring::only("secret"));
        assert_eq!(fresh.id, None);
        let id = fresh.mint(&memory).to_owned();
        let text = fresh.in_body(&Keyring::only("secret"), memory.now()).unwrap();
        for incoming in
            [request(HEADER, &text), request("cookie", &format!("a=b; __Host-hilo-cart={text}"))]
        {
            let read = shown(&incoming, &Keyring::only("secret"));
            assert_eq!(read.id.as_ref(), Some(&id));
            assert_eq!(read.in_body(&Keyring::only("secret"), memory.now()), None, "it is fresh");
            assert_eq!(shown(&incoming, &Keyring::only("another")).id, None);
        }
        memory.advance(SignedDuration::from_hours(25));
        let old = shown(&request(HEADER, &text), &Keyring::only("secret"));
        assert!(
            old.in_body(&Keyring::only("secret"), memory.now())
                .is_some_and(|renewed| renewed != text)
        );
        memory.advance(SignedDuration::from_hours(24 * 30));
        assert_eq!(shown(&request(HEADER, &text), &Keyring::only("secret")).id, None);
    }
    #[test]
    fn a_capability_is_valid_as_long_as_a_guests_cart_is_kept() {
        let config = include_str!("../../hilo.toml").replace("guest_days = 30", "guest_days = 60");
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), Some(&config)).unwrap();
        let loaded = run(memory.config()).unwrap().unwrap();
        let secret = Keyring::only("secret");
        let value = sign("v1.c", Signed::Cart, &secret, memory.now().as_second());
        let shown = || {
            let incoming = request(HEADER, &value);
            let call = Call { incoming: &incoming, loaded: &loaded, platform: &memory };
            Capability::of(&secret, &call).id
        };
        memory.advance(SignedDuration::from_hours(24 * 45));
        assert_eq!(shown().as_deref(), Some("c"));
        memory.advance(SignedDuration::from_hours(24 * 15));
        assert_eq!(shown(), None);
    }
}
