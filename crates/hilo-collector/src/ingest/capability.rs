//! The capability of a guest's cart: its holder has the cart. A cookie out of reach for scripts, or a header for apps without
//! cookies.
//!
//! `v1.<cart id>.<issued>.<HMAC>`: the id is random and has nothing to do with the anonymous id. A capability that we did not
//! sign counts as none, and no object is asked for it.

use super::cookie::{Jar, Which, sign, unsign};
use crate::call::Call;
use crate::platform::{Platform, Reply};
use crate::signature::hex;
use jiff::Timestamp;

/// The header of apps without cookies: `new`, or the capability that they were given.
const HEADER: &str = "x-hilo-cart";
/// 30 days after its last renewal: as long as a guest's cart is kept.
const LIFE_S: i64 = 30 * 86_400;
/// Renewed at most daily.
const REFRESH_S: i64 = 86_400;
/// Bound to this use, so that no other signature of the same secret fits.
const PURPOSE: &str = "cart:";

/// What a request shows of a guest's cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The cart's random id, if the signature holds.
    pub id: Option<String>,
    /// Whether the sender keeps it itself, without a cookie.
    pub is_by_header: bool,
    /// Whether it has to be given out anew.
    is_stale: bool,
}

impl Capability {
    /// None at all: servers have no guests.
    pub const fn none() -> Capability {
        Capability { id: None, is_by_header: false, is_stale: false }
    }

    /// What the request shows. A header counts before the cookie: its sender keeps the capability itself.
    pub fn of<P: Platform>(secret: &str, call: &Call<'_, P>) -> Capability {
        let Call { incoming, platform, .. } = *call;
        let header = incoming.headers.get(HEADER).map(str::trim);
        let jar = Jar::of(incoming, platform.is_dev());
        let value = header.or_else(|| jar.find(incoming, Which::Cart));
        let now_s = platform.now().as_second();
        let known = value.and_then(|value| unsign(value, PURPOSE, secret));
        let known = known.filter(|(_, issued_s)| now_s - issued_s < LIFE_S);
        Capability {
            is_by_header: header.is_some(),
            is_stale: known.as_ref().is_none_or(|(_, issued_s)| now_s - issued_s >= REFRESH_S),
            id: known.map(|(id, _)| id),
        }
    }

    /// Gives it an id if it has none.
    pub fn mint<P: Platform>(&mut self, platform: &P) -> &str {
        self.id.get_or_insert_with(|| hex(&platform.random16()))
    }

    /// The text for the answer's body, if the sender keeps the capability itself and has no fresh one.
    pub fn in_body(&self, secret: &str, now: Timestamp) -> Option<String> {
        let id = self.id.as_ref().filter(|_| self.is_by_header && self.is_stale)?;
        Some(sign(id, PURPOSE, secret, now.as_second()))
    }

    /// Sets the cookie anew, if the capability is kept there and is not fresh.
    pub fn keep<P: Platform>(&self, secret: &str, call: &Call<'_, P>, reply: &mut Reply) {
        let Call { incoming, platform, .. } = *call;
        let Some(id) = self.id.as_ref().filter(|_| !self.is_by_header && self.is_stale) else {
            return;
        };
        let value = sign(id, PURPOSE, secret, platform.now().as_second());
        let jar = Jar::of(incoming, platform.is_dev());
        if let Some(cookie) = jar.set(Which::Cart, &value, LIFE_S) {
            reply.headers.push("set-cookie", cookie);
        }
    }
}

/// Takes the cookie away, if there is one.
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
    use crate::shell::memory::Memory;
    use jiff::SignedDuration;

    fn request(name: &str, value: &str) -> Incoming {
        let headers = Headers(vec![(name.to_owned(), value.to_owned())]);
        Incoming { scheme: "https".to_owned(), headers, ..Incoming::default() }
    }

    #[test]
    fn a_capability_reads_back_from_a_cookie_or_a_header_until_it_is_too_old() {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        let loaded = Loaded::read(None, None);
        let shown = |incoming: &Incoming, secret: &str| {
            Capability::of(secret, &Call { incoming, loaded: &loaded, platform: &memory })
        };
        let mut fresh = shown(&request(HEADER, "new"), "secret");
        assert_eq!(fresh.id, None);
        let id = fresh.mint(&memory).to_owned();
        let text = fresh.in_body("secret", memory.now()).unwrap();
        for incoming in
            [request(HEADER, &text), request("cookie", &format!("a=b; __Host-hilo-cart={text}"))]
        {
            let read = shown(&incoming, "secret");
            assert_eq!(read.id.as_ref(), Some(&id));
            assert_eq!(read.in_body("secret", memory.now()), None, "it is fresh");
            assert_eq!(shown(&incoming, "another").id, None);
        }
        memory.advance(SignedDuration::from_hours(25));
        let old = shown(&request(HEADER, &text), "secret");
        assert!(old.in_body("secret", memory.now()).is_some_and(|renewed| renewed != text));
        memory.advance(SignedDuration::from_hours(24 * 30));
        assert_eq!(shown(&request(HEADER, &text), "secret").id, None);
    }
}
