//! `/v1/cart` and the paths below it: request → caller → a merge, if a guest signs in → the cart's object → reply.
//!
//! This file finds the cart's owner. The cart's object applies the call.

use hilo_core::cart::merge::Policy;
use hilo_core::config::Source;
use hilo_core::identity::token::Scope;
use hilo_core::outcome::{Code, Rejection};
use serde_json::Value;

use super::journal;
use super::limits;
use super::link;
use super::merge::merge;
use super::sockets;
use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{
    CartAnswer, CartAsk, CartCall, CustomerCart, Owner, Pass, Speaker, Terms, ask_cart,
};
use crate::ingest::capability::{self, Capability};
use crate::ingest::cart::Unread;
use crate::ingest::{self, CartAct, cart, cookie};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform, Reply};
use crate::signature::{CartOwner, cart_label};
use crate::ticket;

/// Answers a call about a cart; `user` is the customer that a server has put into the path.
pub(super) async fn take<P: Platform>(
    user: Option<String>,
    act: CartAct,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    if act == CartAct::Live {
        return sockets::open(call);
    }
    let Call { incoming, loaded, platform } = *call;
    ingest::require_header(incoming)?;
    let source = ingest::admit(call, None)?;
    limits::check_key(source, call).await?;
    let secret = secret(platform)?;
    if act == CartAct::Leave {
        sockets::log_out(|owner| speaker(owner, source, loaded), &secret, call).await?;
        let mut reply = Reply::empty(204);
        capability::clear(call, &mut reply);
        return Ok(cookie::keep_from_apps(reply, source));
    }
    let mut caller = match user {
        Some(user) => Caller::server(&user, source, loaded, &secret)?,
        None => Caller::page(source, &secret, call).await?,
    };
    if act == CartAct::Ops && caller.label.is_none() {
        let id = caller.guest.mint(platform);
        caller.label = Some(cart_label(secret.naming(), &CartOwner::Guest(id)));
    }
    let ask = match read(act, incoming, source.is_server()) {
        Ok(ask) => ask,
        Err(Unread::Rejected(why)) => return Err(why.into()),
        Err(Unread::Refused(why)) => {
            journal::note_cart_refusal(why.code, source, call.platform);
            return Ok(cart::refused(&why)?);
        }
    };
    let Some(label) = caller.label.clone() else {
        if act == CartAct::View {
            return Ok(cart::empty_view());
        }
        return Err(Rejection::new(Code::NotFound, "there is no cart yet").into());
    };
    let question = CartCall { speaker: caller.speaker.clone(), ask };
    let answer: CartAnswer = ask_cart(platform, &label, &question).await?;
    if let Some(code) = answer.refused.filter(|code| code.is_for_good()) {
        journal::note_cart_refusal(code, source, call.platform);
    }
    Ok(cookie::keep_from_apps(caller.reply(&answer, act, &label, &secret, call), source))
}

fn read(act: CartAct, incoming: &Incoming, is_server: bool) -> Result<CartAsk, Unread> {
    if act == CartAct::View {
        return Ok(cart::since(incoming, is_server));
    }
    let body = ingest::open(incoming)?;
    match act {
        CartAct::Ops => cart::ops(&body),
        CartAct::Checkout => cart::checkout(&body),
        CartAct::Ordered => cart::ordered(&body),
        CartAct::Commands => cart::commands(&body),
        CartAct::View | CartAct::Leave | CartAct::Live => Ok(cart::since(incoming, is_server)),
    }
}

/// The caller and the label of its cart.
struct Caller {
    /// The cart; `None` for a guest who has none yet.
    label: Option<String>,
    speaker: Speaker,
    /// The customer's login, and the time at which its token is over.
    login: Option<(String, i64)>,
    guest: Capability,
    /// Whether the guest's cart has moved into the customer's, so that the capability has become useless.
    is_merged: bool,
}

impl Caller {
    /// Makes the caller for a server, which puts its customer's id into the path.
    fn server(
        user: &str,
        source: &Source,
        loaded: &Loaded,
        secret: &Keyring,
    ) -> Result<Caller, Rejection> {
        if !source.is_server() {
            let message = "only a server key may name whose cart it is";
            return Err(Rejection::new(Code::Unauthorized, message));
        }
        if loaded.config.identity.is_reserved(user)
            || user.len() > hilo_core::identity::ID_BYTES_MAX
        {
            let message = "this id stands for nobody in particular";
            return Err(Rejection::at(Code::ReservedId, "userId", message));
        }
        Ok(Caller {
            label: Some(cart_label(secret.naming(), &CartOwner::Customer(user))),
            speaker: speaker(Owner::Customer(user.to_owned()), source, loaded),
            login: None,
            guest: Capability::none(),
            is_merged: false,
        })
    }

    /// Makes the caller for a page or an app: the customer that a token vouches for, or else a guest. If a customer
    /// still has a guest's capability, the guest's cart moves into the customer's.
    async fn page<P: Platform>(
        source: &Source,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> Result<Caller, Trouble> {
        let loaded = call.loaded;
        let user = verified_user(call).await?;
        let guest = Capability::of(secret, call);
        let guest_label =
            guest.id.as_ref().map(|id| cart_label(secret.naming(), &CartOwner::Guest(id)));
        let Some(user) = user else {
            let speaker = speaker(Owner::Guest, source, loaded);
            let login = None;
            return Ok(Caller { label: guest_label, speaker, login, guest, is_merged: false });
        };
        user.require(Scope::Cart)?;
        link::offer(&user, source, secret, call);
        let label = cart_label(secret.naming(), &CartOwner::Customer(&user.id));
        let login = Some((user.login, user.expires_at.as_second()));
        let speaker = speaker(Owner::Customer(user.id), source, loaded);
        let policy = loaded.config.cart.merge;
        let mut is_merged = false;
        if let (Some(guest_label), true) = (guest_label, policy != Policy::KeepBoth) {
            let to = CustomerCart {
                cart: label.clone(),
                speaker: speaker.clone(),
                policy: policy.name().to_owned(),
            };
            merge(&guest_label, to, call.platform).await?;
            is_merged = true;
        }
        Ok(Caller { label: Some(label), speaker, login, guest, is_merged })
    }

    /// What a ticket of this caller gives.
    fn pass(&self) -> Pass {
        let (login, ends_s) = self.login.clone().unwrap_or((String::new(), self.guest.ends_s));
        Pass { speaker: self.speaker.clone(), login, ends_s }
    }

    /// Makes a reply of the object's answer, with the caller's ticket and capability.
    fn reply<P: Platform>(
        &self,
        answer: &CartAnswer,
        act: CartAct,
        label: &str,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> Reply {
        let now = call.platform.now();
        let mut extras: Vec<(&str, Value)> = Vec::new();
        if act != CartAct::Checkout && !self.speaker.is_server {
            let ticket = ticket::make(label, &self.pass(), secret, now.as_second());
            extras.extend(ticket.map(|ticket| ("live", Value::from(ticket))));
        }
        let is_guest = self.speaker.owner == Owner::Guest;
        if is_guest && let Some(text) = self.guest.in_body(secret, now) {
            extras.push(("capability", text.into()));
        }
        if self.is_merged && self.guest.is_by_header {
            extras.push(("merged", true.into()));
        }
        let mut reply = cart::reply(answer, &extras);
        if self.is_merged {
            capability::clear(call, &mut reply);
        } else if is_guest && answer.refused.is_none() {
            self.guest.keep(secret, call, &mut reply);
        }
        reply
    }
}

/// Drops what the carts of the request report about a device whose person withdrew consent: the guest's cart, whose capability
/// the request shows, and the cart of the verified `user`.
pub(super) async fn withdraw<P: Platform>(
    device: Option<&str>,
    user: Option<&str>,
    source: &Source,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<(), Failure> {
    let guest = Capability::of(secret, call).id;
    let owners = [guest.as_deref().map(CartOwner::Guest), user.map(CartOwner::Customer)];
    for owner in owners.into_iter().flatten() {
        let device = device.map(str::to_owned);
        let named = match owner {
            CartOwner::Guest(_) => Owner::Guest,
            CartOwner::Customer(id) => Owner::Customer(id.to_owned()),
        };
        let speaker = speaker(named, source, call.loaded);
        let question = CartCall { speaker, ask: CartAsk::Withdraw { device } };
        let () = ask_cart(call.platform, &cart_label(secret.naming(), &owner), &question).await?;
    }
    Ok(())
}

/// Makes the sender of a call, with the terms that `hilo.toml` has for the cart's owner.
pub(super) fn speaker(owner: Owner, source: &Source, loaded: &Loaded) -> Speaker {
    let rules = &loaded.config.cart;
    let keep_days = match owner {
        Owner::Guest => rules.guest_days,
        Owner::Customer(_) => rules.customer_days,
    };
    Speaker {
        owner,
        source: source.name.clone(),
        is_server: source.is_server(),
        terms: Terms { abandoned_s: rules.abandoned_s, keep_days },
    }
}
