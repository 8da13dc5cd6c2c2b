//! `/v1/me`: what is kept about the person, a copy of all of it, and its erasure.
//!
//! A verified user's token opens the user's profile, and the proof of an anonymous id opens the device's. Whoever knows an id gets
//! nothing by it.

use hilo_core::identity::ProfileKey;
use hilo_core::identity::token::Scope;
use hilo_core::outcome::{Code, Rejection};

use super::claim::Claimant;
use super::limits;
use super::progress;
use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{CartAsk, CartCall, CartSummary, Speaker, ask_cart};
use crate::calls::erasing;
use crate::calls::erasure::ErasureStanding;
use crate::calls::{OwnPart, Page, ProfileCall, Summary, ask_profile};
use crate::erasure_link;
use crate::forward;
use crate::ingest::capability::{self, Capability};
use crate::ingest::me::{self, Destinations, Shown as Kept};
use crate::ingest::proof::Shown;
use crate::ingest::{self, MeAct, cookie};
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::{CartOwner, cart_label, object_name};

/// Answers a person.
pub(super) async fn take<P: Platform>(act: MeAct, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let source = ingest::admit(call, None)?;
    let secret = secret(call.platform)?;
    let shown = Shown::of(Some(source), &secret, call);
    let scope = if act == MeAct::Erase { Scope::Erase } else { Scope::Profile };
    if act != MeAct::Erase {
        // Like a withdrawal, an erasure does not wait because others send much.
        limits::check_key(source, call).await?;
    }
    let user = verified_user(call).await?;
    user.iter().try_for_each(|user| user.require(scope))?;
    let claimant = Claimant::by_proof(&shown, &secret, call);
    let person = Person {
        user: user.map(|user| user.id),
        device: claimant.proved().await?,
        guest: Capability::of(&secret, call).id,
        secret: &secret,
        call,
    };
    match act {
        MeAct::Show => person.show().await,
        MeAct::Export => person.export().await,
        MeAct::Erase => {
            let mut reply = person.erase().await?;
            shown.take_back(call, &mut reply);
            capability::clear(call, &mut reply);
            Ok(cookie::keep_from_apps(reply, source))
        }
    }
}

/// A person, as the request proves it.
struct Person<'c, P> {
    user: Option<String>,
    device: Option<String>,
    /// The id of the guest's cart whose capability came along.
    guest: Option<String>,
    secret: &'c Keyring,
    call: &'c Call<'c, P>,
}

impl<P: Platform> Person<'_, P> {
    /// The profile that a reader gets: the user's, or else the device's.
    fn read(&self) -> Result<(&'static str, ProfileKey), Rejection> {
        let user = self.user.clone().map(|id| ("user", ProfileKey::User(id)));
        let device = self.device.clone().map(|id| ("device", ProfileKey::Anonymous(id)));
        user.or(device).ok_or_else(stranger)
    }

    /// The labels of the carts that the request proves to be the person's.
    fn carts(&self) -> Vec<String> {
        let user = self.user.as_deref().map(CartOwner::Customer);
        let guest = self.guest.as_deref().map(CartOwner::Guest);
        let owners = user.into_iter().chain(guest);
        owners.map(|owner| cart_label(self.secret.naming(), &owner)).collect()
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &self,
        key: &ProfileKey,
        part: OwnPart,
        cursor: Option<String>,
    ) -> Result<A, Failure> {
        let name = object_name(self.secret.naming(), key);
        ask_profile(self.call.platform, name, &ProfileCall::Own { part, cursor }).await
    }

    async fn kept(&self) -> Result<Kept, Trouble> {
        let (about, key) = self.read()?;
        let summary: Summary = self.ask(&key, OwnPart::Profile, None).await?;
        let mut carts = Vec::new();
        for label in self.carts() {
            let question = CartCall { speaker: Speaker::hilo(), ask: CartAsk::Summary };
            let cart: CartSummary = ask_cart(self.call.platform, &label, &question).await?;
            carts.push(cart);
        }
        carts.retain(|cart| cart.known);
        Ok(Kept { about, summary, carts, destinations: self.destinations() })
    }

    /// The destinations by whether an erasure reaches them.
    fn destinations(&self) -> Destinations {
        let config = &self.call.loaded.config;
        Destinations { delete: forward::deleting(config), cannot_delete: forward::keeping(config) }
    }

    async fn show(&self) -> Result<Reply, Trouble> {
        Ok(me::short(&self.kept().await?))
    }

    /// Answers one page of all that is kept.
    async fn export(&self) -> Result<Reply, Trouble> {
        let cursor = self.call.incoming.query_value("cursor");
        let (part, cursor) = me::read_cursor(cursor.as_deref())?;
        if part == OwnPart::Profile {
            return Ok(me::first_page(&self.kept().await?, self.call.platform.now()));
        }
        let (_, key) = self.read()?;
        let page: Page = self.ask(&key, part, cursor).await?;
        Ok(me::page(part, &page))
    }

    /// Begins the erasure of the user, of the device, or of both.
    async fn erase(&self) -> Result<Reply, Trouble> {
        if self.user.is_none() && self.device.is_none() {
            return Err(stranger().into());
        }
        let platform = self.call.platform;
        let destinations = self.destinations();
        let user = self.user.clone().map(|id| ("user", ProfileKey::User(id)));
        let device = self.device.clone().map(|id| ("device", ProfileKey::Anonymous(id)));
        let (mut begun, mut erases) = (Vec::new(), Vec::new());
        for (about, key) in user.into_iter().chain(device) {
            let carts = self.carts();
            begun.push(
                erasing::begin(&key, carts, &destinations.delete, self.secret, platform).await?,
            );
            erases.push(about);
        }
        progress::forget();
        let names: Vec<String> = begun.iter().map(|one| one.name.clone()).collect();
        let mut users = begun.iter().filter_map(|one| one.linked_to.as_ref());
        let is_user_kept = users.any(|user| !names.contains(user));
        let reference = erasure_link::write(&names, self.secret);
        Ok(me::erasing(&erases, &destinations, &reference, is_user_kept))
    }
}

/// Answers how far an erasure is, to whoever has its reference.
pub(super) async fn standing<P: Platform>(
    reference: &str,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let unknown = || Rejection::new(Code::NotFound, "nothing is known of such an erasure");
    let names = erasure_link::read(reference, &secret(call.platform)?).ok_or_else(unknown)?;
    let mut standings: Vec<ErasureStanding> = Vec::new();
    for name in names {
        let standing: Option<ErasureStanding> =
            ask_profile(call.platform, name, &ProfileCall::Erasure).await?;
        standings.extend(standing);
    }
    // The one that is least far.
    let least = standings.into_iter().min_by_key(|one| (one.status, one.step));
    Ok(me::standing(&least.ok_or_else(unknown)?))
}

fn stranger() -> Rejection {
    let message = "send the cookie or the token that proves an anonymous id, or a user token in X-Hilo-User-Token";
    Rejection::new(Code::Unauthorized, message)
}
