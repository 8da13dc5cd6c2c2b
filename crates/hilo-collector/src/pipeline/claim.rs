//! Claims an anonymous id at the object that keeps the hash of its proof.
//!
//! What a request shows → the right to an id, with the proof to hand out. An unused id is bound where the caller allows it, and
//! only there does a claim make an object.

use hilo_core::identity::{ProfileKey, uuid_v4};
use hilo_core::outcome::{Code, Rejection};

use super::entry::erased;
use super::link;
use crate::call::{Call, Trouble};
use crate::calls::{Claimed, ConsentStanding, ProfileCall, Proof, Whose, ask_profile};
use crate::ingest::proof::{IdProof, Shown};
use crate::ingest::user::VerifiedUser;
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::signature::object_name;

/// The right to an id.
pub(super) struct Right {
    pub(super) id: String,
    /// The proof of it. A server needs none.
    pub(super) proof: Option<IdProof>,
    /// What is recorded for it. Empty for an id whose profile has moved.
    pub(super) consent: ConsentStanding,
    /// The object that its profile has moved into.
    pub(super) moved: Option<String>,
}

/// A request that claims an id.
pub(super) struct Claimant<'c, P> {
    /// Whether a server's key came along. A server is trusted with the ids that it names, as with its events.
    pub(super) is_server: bool,
    pub(super) shown: &'c Shown,
    /// The verified user of the request, to whom an id with its proof is linked.
    pub(super) user: Option<&'c VerifiedUser>,
    pub(super) secret: &'c Keyring,
    pub(super) call: &'c Call<'c, P>,
}

impl<P: Platform> Claimant<'_, P> {
    /// Gives the right to `wanted` or, if that is another's or there is none, to a new id. `is_own` says that the page itself uses it.
    ///
    /// # Errors
    /// `erased` for a page's own id whose person had everything erased: another id needs another grant. A page that has just got one
    /// has no id of its own.
    pub(super) async fn any(&self, wanted: Option<&str>, is_own: bool) -> Result<Right, Trouble> {
        if let Some(id) = wanted {
            let (whose, right) = self.claim(id, true).await?;
            if whose == Whose::Erased && is_own {
                return Err(erased().into());
            }
            if let Some(right) = right {
                return Ok(right);
            }
        }
        let id = uuid_v4(self.call.platform.random16());
        let (_, right) = self.claim(&id, true).await?;
        let used = || Failure::Retriable("a new id was used already".to_owned());
        Ok(right.ok_or_else(used)?)
    }

    /// Gives the right to `own`, the id that the request names, or else to the id of its proof. `None` if there is nothing that
    /// the request could have a right to.
    ///
    /// # Errors
    /// `not_yours` for an id that is another's, `erased` for one that is nobody's for ever.
    pub(super) async fn named(
        &self,
        own: Option<&str>,
        may_bind: bool,
    ) -> Result<Option<Right>, Trouble> {
        let kept = self.shown.proof.as_ref().map(|proof| proof.id.as_str());
        let Some(id) = own.or(kept) else { return Ok(None) };
        if self.is_server {
            let consent = ConsentStanding::default();
            return Ok(Some(Right { id: id.to_owned(), proof: None, consent, moved: None }));
        }
        let (whose, right) = self.claim(id, may_bind).await?;
        match whose {
            Whose::Anothers if own.is_some() => Err(not_yours().into()),
            Whose::Erased if own.is_some() => Err(erased().into()),
            Whose::Nobodys | Whose::Yours | Whose::New | Whose::Anothers | Whose::Erased => {
                Ok(right)
            }
        }
    }

    /// Returns the id that the request proves, also that of an erased device.
    pub(super) async fn proved(&self) -> Result<Option<String>, Failure> {
        let Some(proof) = &self.shown.proof else { return Ok(None) };
        let (whose, _) = self.claim(&proof.id, false).await?;
        // The collector signed the proof for this very id, so an object that has nothing is the sender's too.
        let is_own = matches!(whose, Whose::Yours | Whose::Nobodys | Whose::Erased);
        Ok(is_own.then(|| proof.id.clone()))
    }

    async fn claim(&self, id: &str, may_bind: bool) -> Result<(Whose, Option<Right>), Failure> {
        let Claimant { shown, secret, call, .. } = *self;
        let link = link::of_token(self.user, id, secret, call.loaded);
        let platform = call.platform;
        let fresh = may_bind.then(|| IdProof::fresh(id, platform.random16(), platform.now()));
        let name = object_name(secret.naming(), &ProfileKey::Anonymous(id.to_owned()));
        let question = ProfileCall::Claim(Proof { link, ..shown.of_id(id, fresh.as_ref()) });
        let Claimed { whose, consent, moved } = ask_profile(platform, name, &question).await?;
        let proof = match whose {
            Whose::Yours => shown.proof.clone(),
            Whose::New => fresh,
            Whose::Nobodys | Whose::Anothers | Whose::Erased => None,
        };
        let right = |proof| Right { id: id.to_owned(), proof: Some(proof), consent, moved };
        Ok((whose, proof.map(right)))
    }
}

/// The refusal of an id without its proof.
pub(super) fn not_yours() -> Rejection {
    let message = "this id is in use, and the request does not prove that it is its own: send the cookie or the token that a hello answered, or say hello for an id";
    Rejection::at(Code::NotYours, "anonymousId", message)
}
