//! What is kept of a destination's access, and what follows from it at a given time.
//!
//! Pure: it stores nothing. A refresh token that is used up is never handed out again. Its use is noted before the request, so after a
//! crash or without an answer it is in doubt: nobody knows whether it is used up. Then it is handed out again when no token is good any
//! more, because a service that ends the grant for it takes nothing that anybody could still use.

use serde::{Deserialize, Serialize};

use super::terms::Terms;
use crate::calls::tokens::{
    Failed, Granted, NoToken, Refusal, Shown, Token, TokenAnswer, TokensStanding,
};
use crate::signature::{equal, sha256_hex};

/// The part of a token's life after which it is renewed, in percent.
const REFRESH_PERCENT: i64 = 80;
/// The first wait after a failure. Each further failure doubles it, up to [`AGAIN_S_MAX`].
const AGAIN_S: u32 = 5;
/// The longest wait after a failure that nobody has to mend.
const AGAIN_S_MAX: u32 = 300;
/// The time in which a person has to connect a destination.
pub(super) const CONNECT_MS: i64 = 600_000;

/// The most earlier grants that are kept.
const EARLIER_MAX: usize = 3;
/// The most used up refresh tokens that are remembered.
const SPENT_MAX: usize = 8;

/// What is kept.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The client that everything else belongs to, as [`Terms`] has it.
    client: String,
    /// The client's proof at the last look.
    proof: String,
    /// The hash of the deployer's refresh token that was taken last.
    first: Option<String>,
    /// The refresh token.
    grant: Option<String>,
    /// Since when requests under this grant or client succeed.
    since_ms: Option<i64>,
    /// The time of a request with the refresh token that has no result yet.
    in_use_ms: Option<i64>,
    /// Whether the refresh token may be used up, because a request with it has got no answer.
    is_doubtful: bool,
    /// Why the grant is good no longer.
    lost: Option<Failed>,
    token: Option<KeptToken>,
    failing: Option<Failing>,
    begun: Option<Begun>,
    /// What was kept under earlier clients and refresh tokens of the deployer, until a token comes under today's: a wrong secret for
    /// a moment must not cost a grant.
    earlier: Vec<Kept>,
    /// The hashes of the deployer's refresh tokens that are used up, whoever the client is.
    spent: Vec<String>,
    /// Whether there is another row, which does not open. Nothing is written over it before a person has connected again.
    #[serde(skip)]
    is_aside: bool,
}

/// The token in use.
#[derive(Clone, Serialize, Deserialize)]
struct KeptToken {
    token: Token,
    refresh_ms: i64,
    expires_ms: i64,
    /// The hash of the refused token in whose place this one was got. Marketo gives the same token again.
    renews: Option<String>,
}

/// Failures since the last token.
#[derive(Clone, Serialize, Deserialize)]
struct Failing {
    times: u32,
    at_ms: i64,
    again_ms: i64,
    reason: String,
    must_mend: bool,
}

/// A person is connecting the destination.
#[derive(Clone, Serialize, Deserialize)]
struct Begun {
    nonce: String,
    verifier: String,
    redirect_uri: String,
    until_ms: i64,
}

impl KeptToken {
    /// Whether the caller means this token, and it was not got in place of itself.
    fn is_stale(&self, stale: Option<&str>) -> bool {
        stale == Some(self.token.hash().as_str()) && self.renews.as_deref() != stale
    }
}

impl Kept {
    /// Marks what is kept aside of a row that does not open.
    pub(super) fn aside(self) -> Kept {
        Kept { is_aside: true, ..self }
    }

    /// Whether it is kept aside of a row that does not open.
    pub(super) const fn is_aside(&self) -> bool {
        self.is_aside
    }

    /// Adapts what is kept to the client of today: another client's grant is good for nothing now, and a refresh token that the
    /// deployer has just set counts, unless it is used up.
    pub(super) fn adapt(mut self, terms: &Terms) -> Kept {
        let first = terms.first.as_ref().map(|first| sha256_hex(first.as_bytes()));
        let is_todays =
            |kept: &Kept| kept.client == terms.client && (first.is_none() || kept.first == first);
        if !is_todays(&self) {
            let mut earlier = std::mem::take(&mut self.earlier);
            let (spent, is_aside) = (std::mem::take(&mut self.spent), self.is_aside);
            if !self.client.is_empty() {
                earlier.push(self);
            }
            let known = earlier.iter().position(is_todays).map(|at| earlier.remove(at));
            if earlier.len() > EARLIER_MAX {
                let unproven = earlier.iter().position(|kept| kept.since_ms.is_none());
                earlier.remove(unproven.unwrap_or(0));
            }
            self = known.unwrap_or_else(|| Kept::of(terms, first, &spent));
            (self.earlier, self.spent, self.is_aside) = (earlier, spent, is_aside);
        }
        if self.proof != terms.proof {
            self.proof.clone_from(&terms.proof);
            self.failing = None;
        }
        self
    }

    /// What is kept of a client that is new here.
    fn of(terms: &Terms, first: Option<String>, spent: &[String]) -> Kept {
        let is_good = first.as_ref().is_some_and(|first| !spent.contains(first));
        let grant = terms.first.clone().filter(|_| is_good);
        Kept { client: terms.client.clone(), first, grant, ..Kept::default() }
    }

    /// Takes a new grant, with nothing of the one before.
    fn hold(&mut self, grant: Option<String>) {
        self.grant = grant;
        (self.since_ms, self.in_use_ms, self.lost, self.failing) = (None, None, None, None);
        (self.token, self.is_doubtful) = (None, false);
    }

    /// The answer to a caller who wants a token, if no request is needed for it. A token that is due is good until its end where
    /// another one cannot be had.
    pub(super) fn answer(
        &self,
        terms: &Terms,
        stale: Option<&str>,
        now_ms: i64,
    ) -> Option<TokenAnswer> {
        let token = self.token.as_ref().filter(|kept| !kept.is_stale(stale));
        let until = |end: fn(&KeptToken) -> i64| {
            let token = token.filter(|kept| now_ms < end(kept));
            token.map(|kept| TokenAnswer::Token(kept.token.clone()))
        };
        if let Some(answer) = until(|kept| kept.refresh_ms) {
            return Some(answer);
        }
        let last = until(|kept| kept.expires_ms);
        // A service may take the showing of a used up token for a theft, and end this one too.
        if last.is_some() && self.is_doubtful {
            return last;
        }
        let why = self.why_not(terms, now_ms)?;
        Some(last.unwrap_or(TokenAnswer::No(why)))
    }

    /// Why no request may be made now.
    fn why_not(&self, terms: &Terms, now_ms: i64) -> Option<NoToken> {
        if let Some(reason) = self.wants_person(terms) {
            return Some(NoToken { after_s: 0, reason: format!("waits: {reason}") });
        }
        let failing = self.failing.as_ref().filter(|failing| now_ms < failing.again_ms)?;
        let after_s = u32::try_from((failing.again_ms - now_ms).div_euclid(1_000) + 1);
        let reason = format!("waits: no access token: {}", failing.reason);
        Some(NoToken { after_s: after_s.unwrap_or(AGAIN_S_MAX), reason })
    }

    /// Why a person has to connect, with the remedy.
    fn wants_person(&self, terms: &Terms) -> Option<String> {
        let remedy = format!("cargo xtask connect {}", terms.name);
        if self.is_aside && terms.needs_grant {
            let why = "its grant does not open with this HILO_SECRET";
            return Some(format!("{why}: set the earlier HILO_SECRET again, or {remedy}"));
        }
        if let Some(lost) = &self.lost {
            return Some(format!("reconnect: {}: {remedy}", lost.reason));
        }
        let is_missing = terms.needs_grant && self.grant.is_none();
        if is_missing && !self.earlier.is_empty() {
            let why = "it is connected under other secrets";
            return Some(format!(
                "{why}: set its earlier client or refresh token again, or {remedy}"
            ));
        }
        is_missing.then(|| format!("nobody has connected it yet: {remedy}"))
    }

    /// Notes that a request is about to be made, and returns what it shows. `None` if nothing may be shown, or
    /// if [`Kept::answer`] has to decide anew.
    pub(super) fn begin(&mut self, terms: &Terms, now_ms: i64) -> Option<Shown> {
        let Some(grant) = self.grant.clone().filter(|_| terms.needs_grant) else {
            return (!terms.needs_grant).then_some(Shown::Client);
        };
        if self.lost.is_some() || self.is_aside {
            return None;
        }
        // The note of an earlier request: the collector stopped before its result. Whoever has a good token asks for no other one now.
        if terms.rotates && self.in_use_ms.take().is_some() {
            self.is_doubtful = true;
            return None;
        }
        self.in_use_ms = Some(now_ms);
        Some(Shown::Refresh(grant))
    }

    /// Notes a token. The refresh token that it came with is stored with it, before anybody gets the token.
    ///
    /// # Errors
    /// The answer to a code had no refresh token, so nobody could renew this token.
    pub(super) fn take(
        &mut self,
        granted: Granted,
        shown: &Shown,
        stale: Option<&str>,
        now_ms: i64,
    ) -> Result<(), String> {
        let Granted { token, refresh, life_s } = granted;
        match shown {
            Shown::Code { .. } if refresh.is_none() => {
                return Err(
                    "the service gave no refresh token: the app at the service must ask for offline access"
                        .to_owned(),
                );
            }
            Shown::Code { .. } => {
                self.hold(refresh);
                self.is_aside = false;
            }
            Shown::Refresh(used) => {
                let used = refresh.is_some().then(|| sha256_hex(used.as_bytes()));
                self.spend(used.filter(|used| self.first.as_ref() == Some(used)));
                self.grant = refresh.or(self.grant.take());
            }
            Shown::Client => {}
        }
        let life_ms = i64::from(life_s) * 1_000;
        let refresh_ms = now_ms + life_ms * REFRESH_PERCENT / 100;
        let renews = stale.map(str::to_owned);
        self.token = Some(KeptToken { token, refresh_ms, expires_ms: now_ms + life_ms, renews });
        (self.in_use_ms, self.lost, self.failing) = (None, None, None);
        self.is_doubtful = false;
        self.since_ms.get_or_insert(now_ms);
        self.earlier.clear();
        Ok(())
    }

    /// Remembers that a refresh token of the deployer is used up.
    fn spend(&mut self, first: Option<String>) {
        self.spent.extend(first);
        if self.spent.len() > SPENT_MAX {
            self.spent.remove(0);
        }
    }

    /// Notes that a request brought no token.
    pub(super) fn refuse(&mut self, refusal: Refusal, terms: &Terms, now_ms: i64) {
        self.in_use_ms = None;
        match refusal {
            Refusal::Lost(reason) if self.is_doubtful => {
                let why = "an earlier request with this refresh token had no answer";
                self.lose(format!("{reason} ({why})"), now_ms);
            }
            Refusal::Lost(reason) => self.lose(reason, now_ms),
            Refusal::Unclear(reason) => {
                self.is_doubtful = terms.rotates;
                self.fail(0, reason, false, now_ms);
            }
            Refusal::Later { after_s, reason } => self.fail(after_s, reason, false, now_ms),
            Refusal::Wrong(reason) => self.fail(AGAIN_S_MAX, reason, true, now_ms),
        }
    }

    fn lose(&mut self, reason: String, now_ms: i64) {
        (self.grant, self.in_use_ms, self.is_doubtful) = (None, None, false);
        self.lost = Some(Failed { at_ms: now_ms, reason });
    }

    fn fail(&mut self, after_s: u32, reason: String, must_mend: bool, now_ms: i64) {
        let times = self.failing.as_ref().map_or(0, |failing| failing.times).saturating_add(1);
        let own_s = AGAIN_S.saturating_mul(1 << (times - 1).min(10)).min(AGAIN_S_MAX);
        let again_ms = now_ms + i64::from(after_s.max(own_s)) * 1_000;
        self.failing = Some(Failing { times, at_ms: now_ms, again_ms, reason, must_mend });
    }

    /// Notes that a person begins to connect. An earlier beginning ends.
    pub(super) fn connect(
        &mut self,
        (nonce, verifier): (String, String),
        redirect_uri: String,
        now_ms: i64,
    ) {
        let until_ms = now_ms + CONNECT_MS;
        self.begun = Some(Begun { nonce, verifier, redirect_uri, until_ms });
    }

    /// Ends the beginning with this nonce, and returns what the request for its code shows. A nonce is good once, whatever comes of it.
    pub(super) fn end_connect(&mut self, nonce: &str, code: String, now_ms: i64) -> Option<Shown> {
        let begun = self.begun.take_if(|begun| equal(&begun.nonce, nonce))?;
        let Begun { verifier, redirect_uri, until_ms, .. } = begun;
        (now_ms < until_ms).then_some(Shown::Code { code, verifier, redirect_uri })
    }

    /// How things stand, for people.
    pub(super) fn standing(&self, terms: &Terms) -> TokensStanding {
        let wants_person = self.wants_person(terms);
        let failed = self.lost.clone().or_else(|| {
            let Failing { at_ms, reason, .. } = self.failing.as_ref()?;
            Some(Failed { at_ms: *at_ms, reason: reason.clone() })
        });
        let must_mend = self.failing.as_ref().is_some_and(|failing| failing.must_mend);
        TokensStanding {
            is_connected: wants_person.is_none(),
            since_ms: self.since_ms,
            refresh_ms: self.token.as_ref().map(|kept| kept.refresh_ms),
            expires_ms: self.token.as_ref().map(|kept| kept.expires_ms),
            failed,
            must_mend: must_mend || wants_person.is_some(),
        }
    }
}
