//! The proof that an anonymous id is the sender's own: what a request shows, and what its answer hands out.
//!
//! `v2.<id>.<proof>.<issued>.<key>.<HMAC>`. An id travels in every event and to every destination, so whoever knows one proves nothing.
//! The proof is random and travels only here: in a cookie that scripts cannot read or, where cookies do not work, in a token that
//! the page keeps beside its id. A text with a wrong signature is ignored, and no object is called for it. This file calls none.
//!
//! Where `hilo.toml` names a domain, a second cookie takes the proof to its other hosts. Each host then gets a cookie of its own, which
//! comes first: whoever runs one host can put another proof into the shared cookie, but not into that of another host.

use hilo_core::config::{Source, SourceKind};
use hilo_core::hosts::is_host_of;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cookie::{Jar, Which, sign, unsign};
use crate::call::Call;
use crate::calls::Proof;
use crate::keyring::{Keyring, Signed};
use crate::platform::{Platform, Reply};
use crate::signature::{self, hex, sha256_hex};

/// The header of a page without cookies. Its value is the token, or `new` where the page has none. Cloudflare's logs redact fields
/// whose names contain `auth`.
const HEADER: &str = "x-hilo-auth";
/// The lifetime of 390 days: Chromium allows 400.
const LIFE_S: i64 = 33_696_000;
/// A proof is renewed at most daily.
const REFRESH_S: i64 = 86_400;
/// The beginning of the signed text.
const VERSION: &str = "v2.";

/// An id and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdProof {
    /// The anonymous id.
    pub id: String,
    proof: String,
    issued_s: i64,
}

impl IdProof {
    /// Makes a new proof for an id that nobody has used.
    pub fn fresh(id: &str, random: [u8; 16], now: Timestamp) -> IdProof {
        IdProof { id: id.to_owned(), proof: hex(&random), issued_s: now.as_second() }
    }

    /// The proof for which a server vouches: the same for an id at each time, so that a further one does not replace it.
    pub fn vouched(id: &str, secret: &Keyring, now: Timestamp) -> IdProof {
        let made = signature::sign(secret.naming().as_bytes(), format!("vouched:{id}").as_bytes());
        let random = made.first_chunk().copied().unwrap_or_default();
        IdProof::fresh(id, random, now)
    }

    /// Reads a text that the collector signed and that has not expired.
    fn read(text: &str, secret: &Keyring, now: Timestamp) -> Option<IdProof> {
        let (text, issued_s) = unsign(text, Signed::Id, secret)?;
        let (id, proof) = text.strip_prefix(VERSION)?.rsplit_once('.')?;
        let is_alive = now.as_second() - issued_s < LIFE_S;
        let (id, proof) = (id.to_owned(), proof.to_owned());
        is_alive.then_some(IdProof { id, proof, issued_s })
    }

    fn write(&self, secret: &Keyring, now: Timestamp) -> String {
        let text = format!("{VERSION}{}.{}", self.id, self.proof);
        sign(&text, Signed::Id, secret, now.as_second())
    }

    /// The hash of the proof. A profile's object stores no more than that.
    pub fn hash(&self) -> String {
        sha256_hex(self.proof.as_bytes())
    }

    /// Whether the proof is old enough to be renewed.
    fn is_stale(&self, now: Timestamp) -> bool {
        now.as_second() - self.issued_s >= REFRESH_S
    }
}

/// What a request shows of an id, and how its answer may hand out a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The proof, if the signature holds.
    pub proof: Option<IdProof>,
    jar: Jar,
    /// The domain whose hosts share the id.
    domain: Option<String>,
    /// Whether the proof came in the shared cookie, so that this host has none of its own yet.
    is_by_domain: bool,
    /// Whether the page keeps the proof itself.
    is_by_token: bool,
}

impl Shown {
    /// Reads the proof of a request.
    ///
    /// A page gets a token only where it has no cookie of ours: no script can turn a cookie into a token.
    pub fn of<P: Platform>(source: Option<&Source>, secret: &Keyring, call: &Call<'_, P>) -> Shown {
        let Call { incoming, platform, .. } = *call;
        // The page of an app has the same origin in every app of its framework, so a cookie would be no proof of anything.
        let is_app = source.is_some_and(|source| source.kind == SourceKind::App);
        let jar = if is_app { Jar::Closed } else { Jar::of(incoming, platform.is_dev()) };
        // A proof from before `hilo.toml` reserved its id is nobody's.
        let is_used = |proof: &IdProof| !call.loaded.config.identity.is_reserved(&proof.id);
        let read = |text: &str| IdProof::read(text, secret, platform.now()).filter(is_used);
        let domain = source.and_then(|source| source.cookie_domain.as_deref());
        let host = incoming.host.split(':').next().unwrap_or_default();
        // A browser takes no cookie for a domain that the collector's host is not of.
        let domain = domain.filter(|domain| is_host_of(host, domain)).map(str::to_owned);
        let own = jar.find(incoming, Which::Id).and_then(read);
        let is_by_domain = own.is_none() && domain.is_some();
        // A host of the domain may have set a cookie beside the collector's.
        let shared =
            || jar.find_all(incoming, Which::Shared).find_map(read).filter(|_| is_by_domain);
        if let Some(proof) = own.or_else(shared) {
            return Shown { proof: Some(proof), jar, domain, is_by_domain, is_by_token: false };
        }
        let token = incoming.headers.get(HEADER);
        // The browser sends no `Lax` cookie with a request from another site.
        let is_foreign = incoming.headers.get("sec-fetch-site") == Some("cross-site");
        let is_by_token = token.is_some() || jar == Jar::Closed || is_foreign;
        Shown { proof: token.and_then(read), jar, domain, is_by_domain: false, is_by_token }
    }

    /// The proof of `id`, for the object that keeps its hash. `fresh` binds an object that nobody has used.
    pub fn of_id(&self, id: &str, fresh: Option<&IdProof>) -> Proof {
        let shown = self.proof.as_ref().filter(|proof| proof.id == id);
        let (shown, fresh) = (shown.map(IdProof::hash), fresh.map(IdProof::hash));
        Proof { shown, fresh, ..Proof::default() }
    }

    /// Whether the page has to go on with a proof of its own making: the request shows no other proof of `id`, so perhaps no cookie
    /// stays, and the answer brings no token.
    pub fn needs_spare(&self, id: &str, token: Option<&str>) -> bool {
        token.is_none() && self.proof.as_ref().is_none_or(|proof| proof.id != id)
    }

    /// Whether an answer hands the proof out as a cookie.
    pub fn is_by_cookie(&self) -> bool {
        !self.is_by_token
    }

    /// Hands out `proof`, if the sender does not have it or has it for too long. Returns the token for the body, where the page
    /// keeps the proof itself.
    pub fn hand_out(
        &self,
        proof: &IdProof,
        secret: &Keyring,
        now: Timestamp,
        reply: &mut Reply,
    ) -> Option<String> {
        if self.proof.as_ref() == Some(proof) && !proof.is_stale(now) && !self.is_by_domain {
            return None;
        }
        let text = proof.write(secret, now);
        if self.is_by_token {
            return Some(text);
        }
        let own = self.jar.set(Which::Id, &text, LIFE_S);
        let shared = self.domain.as_ref().and_then(|it| self.jar.share(&text, LIFE_S, it));
        for cookie in own.into_iter().chain(shared) {
            reply.headers.push("set-cookie", cookie);
        }
        None
    }

    /// Removes the cookies that the request has.
    pub fn take_back<P: Platform>(&self, call: &Call<'_, P>, reply: &mut Reply) {
        let has = |which| self.jar.has(call.incoming, which);
        let own = has(Which::Id).then(|| self.jar.clear(Which::Id)).flatten();
        let domain = self.domain.as_ref().filter(|_| has(Which::Shared));
        let shared = domain.and_then(|domain| self.jar.share("", 0, domain));
        for cookie in own.into_iter().chain(shared) {
            reply.headers.push("set-cookie", cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loaded::Loaded;
    use crate::platform::{Headers, Incoming};
    use crate::shell::memory::Memory;
    use jiff::SignedDuration;

    const ID: &str = "5f0c7a3e-0000-4000-8000-000000000000";

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    fn shown(memory: &Memory, fields: &[(&str, &str)]) -> Shown {
        let headers = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers = Headers(headers.collect());
        let incoming = Incoming { scheme: "https".to_owned(), headers, ..Incoming::default() };
        let loaded = Loaded::built_in(None).unwrap();
        let call = Call { incoming: &incoming, loaded: &loaded, platform: memory };
        Shown::of(loaded.config.sources.first(), &Keyring::only("secret"), &call)
    }

    fn check(memory: &Memory, text: &str, is_read: bool) {
        let cookie = format!("a=b; __Host-hilo={text}");
        for shown in [shown(memory, &[("cookie", &cookie)]), shown(memory, &[(HEADER, text)])] {
            assert_eq!(shown.proof.is_some_and(|proof| proof.id == ID), is_read, "{text}");
        }
    }

    #[test]
    fn a_proof_reads_back_from_cookie_and_header_until_it_is_too_old() {
        let memory = memory();
        let text =
            IdProof::fresh(ID, [7; 16], memory.now()).write(&Keyring::only("secret"), memory.now());
        check(&memory, &text, true);
        memory.advance(SignedDuration::from_secs(LIFE_S - 1));
        check(&memory, &text, true);
        memory.advance(SignedDuration::from_secs(1));
        check(&memory, &text, false);
    }

    #[test]
    fn a_text_with_a_changed_part_or_of_another_version_is_no_proof() {
        let memory = memory();
        let now = memory.now();
        let text = IdProof::fresh(ID, [7; 16], now).write(&Keyring::only("secret"), now);
        let [_, _, proof, issued, key, tag] = text.split('.').collect::<Vec<_>>()[..] else {
            panic!("{text}")
        };
        for changed in [
            format!("v2.{ID}.{}.{issued}.{key}.{tag}", "0".repeat(32)),
            format!("v2.{}.{proof}.{issued}.{key}.{tag}", ID.replace('5', "6")),
            format!("v2.{ID}.{proof}.{}.{key}.{tag}", now.as_second() + 1),
            format!("v2.{ID}.{proof}.{issued}.1.{tag}"),
            format!("v2.{ID}.{proof}.{issued}.{key}.{}", tag.get(1..).unwrap()),
            format!("v2.{ID}.{proof}.{issued}.{key}"),
            IdProof::fresh(ID, [7; 16], now).write(&Keyring::only("another"), now),
            sign(&format!("v1.{ID}"), Signed::Id, &Keyring::only("secret"), now.as_second()),
            sign(
                &format!("{VERSION}{ID}.{proof}"),
                Signed::Cart,
                &Keyring::only("secret"),
                now.as_second(),
            ),
            String::new(),
        ] {
            check(&memory, &changed, false);
        }
    }

    #[test]
    fn a_page_gets_a_token_only_where_it_has_no_cookie() {
        let memory = memory();
        let fresh = IdProof::fresh(ID, [7; 16], memory.now());
        let cookie = format!("__Host-hilo={}", fresh.write(&Keyring::only("secret"), memory.now()));
        let other = IdProof::fresh("other", [8; 16], memory.now());
        for (fields, gets_token) in [
            (&[][..], false),
            (&[(HEADER, "new")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[(HEADER, "new"), ("cookie", cookie.as_str())], false),
        ] {
            let mut reply = Reply::empty(200);
            let shown = shown(&memory, fields);
            let token = shown.hand_out(&other, &Keyring::only("secret"), memory.now(), &mut reply);
            assert_eq!(token.is_some(), gets_token, "{fields:?}");
            assert_eq!(reply.headers.get("set-cookie").is_some(), !gets_token, "{fields:?}");
        }
    }

    #[test]
    fn a_proof_is_renewed_at_most_daily() {
        let memory = memory();
        let text =
            IdProof::fresh(ID, [7; 16], memory.now()).write(&Keyring::only("secret"), memory.now());
        for (hours, is_renewed) in [(23, false), (2, true)] {
            memory.advance(SignedDuration::from_hours(hours));
            let shown = shown(&memory, &[(HEADER, &text)]);
            let proof = shown.proof.clone().unwrap();
            let token = shown.hand_out(
                &proof,
                &Keyring::only("secret"),
                memory.now(),
                &mut Reply::empty(200),
            );
            assert_eq!(token.is_some(), is_renewed);
        }
    }

    /// The id that a request with `cookie` shows at `host`, and the cookies that it gets and those that a withdrawal removes.
    fn visit(
        memory: &Memory,
        host: &str,
        cookie: &str,
    ) -> (Option<String>, Vec<String>, Vec<String>) {
        let loaded = Loaded::built_in(None).unwrap();
        let cookie_domain = Some("shop.example".to_owned());
        let source = Source { cookie_domain, ..loaded.config.sources[0].clone() };
        let headers = Headers(vec![("cookie".to_owned(), cookie.to_owned())]);
        let (scheme, host) = ("https".to_owned(), host.to_owned());
        let incoming = Incoming { scheme, host, headers, ..Incoming::default() };
        let call = Call { incoming: &incoming, loaded: &loaded, platform: memory };
        let (secret, now) = (Keyring::only("secret"), memory.now());
        let shown = Shown::of(Some(&source), &secret, &call);
        let fresh = IdProof::fresh(ID, [7; 16], now);
        let (mut given, mut taken) = (Reply::empty(200), Reply::empty(200));
        shown.hand_out(shown.proof.as_ref().unwrap_or(&fresh), &secret, now, &mut given);
        shown.take_back(&call, &mut taken);
        let set = |reply: Reply| reply.headers.0.into_iter().map(|(_, cookie)| cookie).collect();
        (shown.proof.map(|proof| proof.id), set(given), set(taken))
    }

    /// The cookies as a browser sends them.
    fn pairs(set: &[String]) -> Vec<&str> {
        set.iter().filter_map(|cookie| cookie.split(';').next()).collect()
    }

    #[test]
    fn hosts_of_a_cookie_domain_share_the_id_and_each_gets_a_cookie_of_its_own() {
        let memory = memory();
        let (_, given, _) = visit(&memory, "shop.example", "");
        let [own, shared] = pairs(&given)[..] else { panic!("{given:?}") };
        assert!(own.starts_with("__Host-hilo=v2.") && !given[0].contains("Domain"), "{given:?}");
        assert!(given[1].ends_with("; Domain=shop.example"), "{given:?}");
        let (id, given, taken) = visit(&memory, "www.shop.example:443", shared);
        assert_eq!((id.as_deref(), pairs(&given)), (Some(ID), vec![own, shared]));
        assert_eq!(pairs(&taken), ["hilo="]);
        assert!(taken[0].ends_with("; Max-Age=0; Domain=shop.example"), "{taken:?}");
        let (_, given, taken) = visit(&memory, "www.shop.example", &format!("{own}; {shared}"));
        assert_eq!((given, pairs(&taken)), (vec![], vec!["__Host-hilo=", "hilo="]));
        let (id, given, taken) = visit(&memory, "myshop.example", shared);
        assert_eq!((id, pairs(&given), taken), (None, vec![own], vec![]));
    }

    #[test]
    fn a_host_of_the_domain_cannot_change_the_id_of_a_host_that_has_its_own_cookie() {
        let memory = memory();
        let write = |id| {
            IdProof::fresh(id, [8; 16], memory.now()).write(&Keyring::only("secret"), memory.now())
        };
        let (own, other) = (write(ID), write("other"));
        for (cookie, id) in [
            (format!("hilo={other}; __Host-hilo={own}"), Some(ID)),
            (format!("hilo=x; hilo={own}"), Some(ID)),
            (format!("hilo={other}"), Some("other")),
            (format!("hilo={}", own.replace(ID, "other")), None),
        ] {
            assert_eq!(visit(&memory, "www.shop.example", &cookie).0.as_deref(), id, "{cookie}");
        }
    }

    #[test]
    fn plain_http_outside_development_has_no_cookies() {
        let incoming = Incoming { scheme: "http".to_owned(), ..Incoming::default() };
        assert_eq!(Jar::of(&incoming, false).set(Which::Id, "text", 1), None);
        assert!(!Jar::of(&incoming, true).set(Which::Id, "text", 1).unwrap().contains("Secure"));
    }
}
