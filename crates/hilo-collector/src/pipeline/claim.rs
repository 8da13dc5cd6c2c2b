//! Claims an anonymous id at the object that keeps the hash of its proof.
//!
//! What a request shows → the right to an id, with the proof to hand out. An unused id is bound where the caller allows it, and
//! only there does a claim make an object. A hello that rides on an envelope claims with the call that stores the events (`greeting.rs`).

use hilo_core::identity::{ProfileKey, uuid_v4};
use hilo_core::outcome::{Code, Rejection};

use super::entry::erased;
use super::link;
use crate::call::{Call, Trouble};
use crate::calls::{Claimed, ConsentStanding, ProfileCall, Proof, Whose, ask_profile};
use crate::ingest::proof::{IdProof, Shown};
use crate::ingest::spare::Spare;
use crate::ingest::user::VerifiedUser;
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::object_name;

/// The right to an id.
pub(super) struct Right {
    pub(super) id: String,
    /// The proof to hand out. A server needs none, and a batch that comes after a denial gets none.
    pub(super) proof: Option<IdProof>,
    /// What is recorded for it. Empty for an id whose profile has moved.
    pub(super) consent: ConsentStanding,
    /// The object that its profile has moved into.
    pub(super) moved: Option<String>,
}

impl Right {
    /// What is recorded for the id, also where its profile has moved.
    ///
    /// # Errors
    /// A failure to reach the object.
    pub(super) async fn recorded<P: Platform>(
        &self,
        platform: &P,
    ) -> Result<ConsentStanding, Failure> {
        match &self.moved {
            Some(name) => ask_profile(platform, name.clone(), &ProfileCall::ConsentStanding).await,
            None => Ok(self.consent.clone()),
        }
    }
}

/// An id to claim, and the new proof to bind it to.
pub(super) struct Candidate {
    pub(super) fresh: IdProof,
    /// Whether the page made the proof itself, so that the profile may be bound to it already.
    is_offered: bool,
}

impl Candidate {
    /// The object of the id.
    pub(super) fn object(&self, secret: &Keyring) -> String {
        object_name(secret.naming(), &ProfileKey::Anonymous(self.fresh.id.clone()))
    }
}

/// A request that claims an id.
pub(super) struct Claimant<'c, P> {
    /// Whether a server's key came along. A server is trusted with the ids that it names, as with its events.
    pub(super) is_server: bool,
    pub(super) shown: &'c Shown,
    /// The id that the page has just made.
    pub(super) spare: Option<Spare>,
    /// The verified user of the request, to whom an id with its proof is linked.
    pub(super) user: Option<&'c VerifiedUser>,
    pub(super) secret: &'c Keyring,
    pub(super) call: &'c Call<'c, P>,
}

impl<'c, P> Claimant<'c, P> {
    /// A page's request that shows a proof and nothing else.
    pub(super) const fn by_proof(
        shown: &'c Shown,
        secret: &'c Keyring,
        call: &'c Call<'c, P>,
    ) -> Claimant<'c, P> {
        Claimant { is_server: false, shown, spare: None, user: None, secret, call }
    }
}

impl<P: Platform> Claimant<'_, P> {
    /// Gives the right to `own`, the id that the page uses; else to the id of the shown proof, to the page's spare one, or to another.
    ///
    /// # Errors
    /// `erased` for a page's own id whose person had everything erased: another id needs another grant. A page that has just got one
    /// has no id of its own.
    pub(super) async fn any(&self, own: Option<&str>) -> Result<Right, Trouble> {
        let mut candidates = self.named_or_spare(own);
        if candidates.iter().all(|one| !one.is_offered) {
            candidates.push(self.fresh(&uuid_v4(self.call.platform.random16())));
        }
        for candidate in candidates {
            let (whose, right) = self.claim(candidate, true).await?;
            if let Some(right) = right {
                return Ok(right);
            }
            if whose == Whose::Erased && own.is_some() {
                return Err(erased().into());
            }
        }
        Err(Failure::Retriable("a new id was used already".to_owned()).into())
    }

    /// Gives the right to `own`, the id that the request names, or else to the id of its proof or to the page's spare one. `None` if
    /// there is nothing that the request could have a right to.
    ///
    /// # Errors
    /// `not_yours` for an id that is another's, `erased` for one that is nobody's for ever.
    pub(super) async fn named(
        &self,
        own: Option<&str>,
        may_bind: bool,
    ) -> Result<Option<Right>, Trouble> {
        if self.is_server {
            let id = own.or(self.kept()).map(str::to_owned);
            let consent = ConsentStanding::default();
            return Ok(id.map(|id| Right { id, proof: None, consent, moved: None }));
        }
        let mut candidates = self.named_or_spare(own);
        // Another id in place of the spare one is for a page that may have an id.
        candidates.truncate(if self.kept().is_some() { 2 } else { 1 });
        for candidate in candidates {
            let (whose, right) = self.claim(candidate, may_bind).await?;
            match whose {
                Whose::Anothers if own.is_some() => return Err(not_yours().into()),
                Whose::Erased if own.is_some() => return Err(erased().into()),
                Whose::Nobodys | Whose::Yours | Whose::New | Whose::Anothers | Whose::Erased => {}
            }
            if right.is_some() {
                return Ok(right);
            }
        }
        Ok(None)
    }

    /// Gives the right to `own`, the id that the request names, or else to the id of its proof, and makes nothing. A server's right has
    /// no proof.
    ///
    /// # Errors
    /// `not_yours` for an id whose proof is missed, `erased` for one that is nobody's for ever.
    pub(super) async fn held(&self, own: Option<&str>) -> Result<Right, Trouble> {
        let id = own.or(self.kept()).ok_or_else(not_yours)?;
        let candidate = self.fresh(id);
        let name = candidate.object(self.secret);
        let (whose, right) = self.claim(candidate, false).await?;
        if whose == Whose::Erased {
            return Err(erased().into());
        }
        if let Some(right) = right {
            return Ok(right);
        }
        let shown = self.shown.proof.clone().filter(|proof| proof.id == id);
        let (id, moved) = (id.to_owned(), None);
        if self.is_server {
            let consent = ask_profile(self.call.platform, name, &ProfileCall::ConsentStanding);
            return Ok(Right { id, proof: None, consent: consent.await?, moved });
        }
        // The collector signed the proof for this very id, so an object that has nothing is the sender's too.
        let proof = shown.filter(|_| whose == Whose::Nobodys).ok_or_else(not_yours)?;
        Ok(Right { id, proof: Some(proof), consent: ConsentStanding::default(), moved })
    }

    /// The id of the shown proof.
    fn kept(&self) -> Option<&str> {
        self.shown.proof.as_ref().map(|proof| proof.id.as_str())
    }

    /// The ids to try, one after another: the page's own alone, else that of the shown proof and then the spare one.
    pub(super) fn named_or_spare(&self, own: Option<&str>) -> Vec<Candidate> {
        let mut candidates: Vec<_> =
            own.or(self.kept()).map(|id| self.fresh(id)).into_iter().collect();
        if let Some(spare) = self.spare.as_ref().filter(|_| own.is_none()) {
            let offers = spare.offers(self.secret, self.call.platform.now());
            if offers.is_empty() {
                candidates.push(self.fresh(&spare.id));
            }
            candidates
                .extend(offers.into_iter().map(|fresh| Candidate { fresh, is_offered: true }));
        }
        candidates
    }

    fn fresh(&self, id: &str) -> Candidate {
        let platform = self.call.platform;
        let fresh = IdProof::fresh(id, platform.random16(), platform.now());
        Candidate { fresh, is_offered: false }
    }

    /// Returns the id that the request proves, also that of an erased device.
    pub(super) async fn proved(&self) -> Result<Option<String>, Failure> {
        let Some(id) = self.kept() else { return Ok(None) };
        let (whose, _) = self.claim(self.fresh(id), false).await?;
        // The collector signed the proof for this very id, so an object that has nothing is the sender's too.
        let is_own = matches!(whose, Whose::Yours | Whose::Nobodys | Whose::Erased);
        Ok(is_own.then(|| id.to_owned()))
    }

    async fn claim(
        &self,
        candidate: Candidate,
        may_bind: bool,
    ) -> Result<(Whose, Option<Right>), Failure> {
        let link = link::of_token(self.user, &candidate.fresh.id, self.secret, self.call.loaded);
        let question = ProfileCall::Claim(Proof { link, ..self.proof(&candidate, may_bind) });
        let name = candidate.object(self.secret);
        let claimed: Claimed = ask_profile(self.call.platform, name, &question).await?;
        Ok((claimed.whose, self.right(candidate, claimed)))
    }

    /// What the object of `candidate` has to compare.
    pub(super) fn proof(&self, candidate: &Candidate, may_bind: bool) -> Proof {
        let Candidate { fresh, is_offered } = candidate;
        let offered = is_offered.then(|| fresh.hash());
        Proof { offered, ..self.shown.of_id(&fresh.id, may_bind.then_some(fresh)) }
    }

    /// The right that an object's answer gives.
    pub(super) fn right(&self, candidate: Candidate, claimed: Claimed) -> Option<Right> {
        let Claimed { whose, consent, moved } = claimed;
        let id = candidate.fresh.id.clone();
        let proof = match whose {
            Whose::Yours => self.shown.proof.clone(),
            Whose::New => Some(candidate.fresh),
            Whose::Nobodys | Whose::Anothers | Whose::Erased => None,
        }?;
        Some(Right { id, proof: Some(proof), consent, moved })
    }

    /// Hands out the proof of `right` with `reply`. Returns the token for the body, and the page's own proof where it has to go on with
    /// that.
    pub(super) fn hand_out(
        &self,
        right: &Right,
        reply: &mut Reply,
    ) -> (Option<String>, Option<&str>) {
        let now = self.call.platform.now();
        let proof = right.proof.as_ref();
        let token = proof.and_then(|proof| self.shown.hand_out(proof, self.secret, now, reply));
        let spare = self.spare.as_ref().and_then(|spare| spare.proof.as_deref());
        let is_needed = self.shown.needs_spare(&right.id, token.as_deref());
        (token, spare.filter(|_| is_needed))
    }
}

/// The refusal of an id without its proof.
pub(super) fn not_yours() -> Rejection {
    let message = "this id is in use, and the request does not prove that it is its own: send the cookie or the token that a hello answered, or say hello for an id";
    Rejection::at(Code::NotYours, "anonymousId", message)
}
