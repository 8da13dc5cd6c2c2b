//! The cart's calls in order: who speaks → a merge, if a guest signs in → the object → the answer; and what a cart's alarm
//! needs of the pipeline: touchpoints handed on, merges finished, orders from outside.

use hilo_core::cart::merge::Policy;
use hilo_core::config::Source;
use hilo_core::event::{Facts, Trust};
use hilo_core::identity::is_reserved;
use hilo_core::identity::token::Scope;
use hilo_core::outcome::{Code, Rejection};
use hilo_core::validate::Envelope;
use serde_json::Value;

use super::{Trouble, secret};
use crate::calls::cart::{
    CartAnswer, CartAsk, CartCall, CartSummary, Destination, Leave, Leaving, Order, Owner, Refused,
    Speaker, Terms, Touchpoint, ask_cart,
};
use crate::ingest::capability::{self, Capability};
use crate::ingest::cart::Unread;
use crate::ingest::user::verified_user;
use crate::ingest::{self, CartAct, cart};
use crate::loaded::Loaded;
use crate::platform::{Body, Failure, Incoming, Platform, Reply, log_line};
use crate::signature::{CartOwner, cart_label};
use crate::{journal, ticket};

/// How often an order follows carts that have moved: a guest's into a customer's, and no further.
const MOVES_MAX: usize = 2;

/// Answers a call about a cart; `user` is whom a server names in the path.
pub(super) async fn serve<P: Platform>(
    user: Option<String>,
    act: CartAct,
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    if act == CartAct::Live {
        ingest::check_socket(incoming, &loaded.config, platform.is_dev())?;
        let cart = cart::socket_label(incoming)?;
        return Ok(Reply { body: Body::Socket { cart }, ..Reply::empty(101) });
    }
    let answer = admitted(user, act, incoming, loaded, platform).await;
    if let Err(Trouble::Refused(why)) = &answer
        && !why.code.name().starts_with("token_")
    {
        // Tokens are told where they are judged.
        journal::refused(why, loaded, platform).await;
    }
    answer
}

async fn admitted<P: Platform>(
    user: Option<String>,
    act: CartAct,
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    ingest::require_header(incoming)?;
    let source = ingest::admit(incoming, &loaded.config, None, platform.is_dev())?;
    let secret = secret(platform)?;
    if act == CartAct::Leave {
        let mut reply = Reply::empty(204);
        capability::clear(incoming, platform, &mut reply);
        return Ok(reply);
    }
    let mut caller = match user {
        Some(user) => Caller::server(&user, source, loaded, &secret)?,
        None => Caller::page(incoming, source, loaded, &secret, platform).await?,
    };
    if act == CartAct::Ops && caller.label.is_none() {
        let id = caller.guest.mint(platform);
        caller.label = Some(cart_label(&secret, &CartOwner::Guest(id)));
    }
    let ask = match read(act, incoming, source.is_server()) {
        Ok(ask) => ask,
        Err(Unread::Rejected(why)) => return Err(why.into()),
        Err(Unread::Refused(why)) => {
            journal::cart_refused(why.code, why.message, source, loaded, platform).await;
            return Ok(cart::refused(&why)?);
        }
    };
    let Some(label) = caller.label.clone() else {
        if act == CartAct::View {
            return Ok(cart::nobody());
        }
        return Err(Rejection::new(Code::NotFound, "there is no cart yet").into());
    };
    let call = CartCall { speaker: caller.speaker.clone(), ask };
    let answer: CartAnswer = ask_cart(platform, &label, &call).await?;
    note_refusal(&answer, source, loaded, platform).await;
    Ok(caller.reply(&answer, act, &label, incoming, &secret, platform))
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

/// Who calls, and which cart that is.
struct Caller {
    /// The cart; `None` for a guest who has none yet.
    label: Option<String>,
    speaker: Speaker,
    guest: Capability,
    /// Whether the guest's capability has done its duty: its cart has moved into the customer's.
    is_merged: bool,
}

impl Caller {
    /// A server, for the customer it names.
    fn server(
        user: &str,
        source: &Source,
        loaded: &Loaded,
        secret: &str,
    ) -> Result<Caller, Rejection> {
        if !source.is_server() {
            let message = "only a server key may name whose cart it is";
            return Err(Rejection::new(Code::Unauthorized, message));
        }
        if is_reserved(user) || user.len() > hilo_core::identity::ID_BYTES_MAX {
            let message = "this id stands for nobody in particular";
            return Err(Rejection::at(Code::ReservedId, "userId", message));
        }
        Ok(Caller {
            label: Some(cart_label(secret, &CartOwner::Customer(user))),
            speaker: speaker(Owner::Customer(user.to_owned()), source, loaded),
            guest: Capability::none(),
            is_merged: false,
        })
    }

    /// A page or an app: the customer that a token vouches for, or else a guest. Who is both brings the guest's cart along.
    async fn page<P: Platform>(
        incoming: &Incoming,
        source: &Source,
        loaded: &Loaded,
        secret: &str,
        platform: &P,
    ) -> Result<Caller, Trouble> {
        let user = verified_user(incoming, loaded, platform).await?;
        let guest = Capability::of(incoming, secret, platform);
        let guest_label = guest.id.as_ref().map(|id| cart_label(secret, &CartOwner::Guest(id)));
        let Some(user) = user else {
            let speaker = speaker(Owner::Guest, source, loaded);
            return Ok(Caller { label: guest_label, speaker, guest, is_merged: false });
        };
        user.require(Scope::Cart)?;
        let label = cart_label(secret, &CartOwner::Customer(&user.id));
        let speaker = speaker(Owner::Customer(user.id), source, loaded);
        let policy = loaded.config.cart.merge;
        let mut is_merged = false;
        if let (Some(guest_label), true) = (guest_label, policy != Policy::KeepBoth) {
            let to = Destination {
                cart: label.clone(),
                speaker: speaker.clone(),
                policy: policy.name().to_owned(),
            };
            merge(&guest_label, to, platform).await?;
            is_merged = true;
        }
        Ok(Caller { label: Some(label), speaker, guest, is_merged })
    }

    /// The object's answer with what is the caller's own: a ticket, and what becomes of the capability.
    fn reply<P: Platform>(
        &self,
        answer: &CartAnswer,
        act: CartAct,
        label: &str,
        incoming: &Incoming,
        secret: &str,
        platform: &P,
    ) -> Reply {
        let mut extras: Vec<(&str, Value)> = Vec::new();
        if act != CartAct::Checkout && !self.speaker.is_server {
            let now_s = platform.now().as_second();
            let ticket = ticket::make(label, &self.speaker, secret, now_s);
            extras.extend(ticket.map(|ticket| ("live", Value::from(ticket))));
        }
        let is_guest = self.speaker.owner == Owner::Guest;
        if is_guest && let Some(text) = self.guest.in_body(secret, platform) {
            extras.push(("capability", text.into()));
        }
        if self.is_merged && self.guest.is_by_header {
            extras.push(("merged", true.into()));
        }
        let mut reply = cart::reply(answer, &extras);
        if self.is_merged {
            capability::clear(incoming, platform, &mut reply);
        } else if is_guest && answer.status == 200 {
            self.guest.keep(incoming, secret, platform, &mut reply);
        }
        reply
    }
}

fn speaker(owner: Owner, source: &Source, loaded: &Loaded) -> Speaker {
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

/// Counts what was refused for good. What a client mends by itself, a conflict or a cart that moves, is no refusal.
async fn note_refusal<P: Platform>(
    answer: &CartAnswer,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) {
    if answer.status < 400 || matches!(answer.status, 409 | 410 | 503) {
        return;
    }
    let body: Value = serde_json::from_str(answer.body.get()).unwrap_or_default();
    let field = |name| body.get("error").and_then(|e| e.get(name)).and_then(Value::as_str);
    let (code, message) = (field("code").unwrap_or_default(), field("message").unwrap_or_default());
    journal::cart_refused(code, message, source, loaded, platform).await;
}

/// Moves a guest's cart into a customer's, once, from wherever an earlier attempt has ended.
async fn merge<P: Platform>(guest: &str, to: Destination, platform: &P) -> Result<(), Failure> {
    let ask = CartAsk::Leave(to.clone());
    let call = CartCall { speaker: to.speaker, ask };
    match ask_cart(platform, guest, &call).await? {
        Leave::Nothing | Leave::Left => Ok(()),
        Leave::Leaving(leaving) => finish_merge(guest, &leaving, platform).await,
    }
}

/// The steps after a guest's cart stands still: the customer's takes it in, then the guest's lets go.
///
/// # Errors
/// An object that could not be asked. Calling it again does what is left to do.
pub async fn finish_merge<P: Platform>(
    guest: &str,
    leaving: &Leaving,
    platform: &P,
) -> Result<(), Failure> {
    take_in(leaving, platform).await?;
    ask_cart(platform, guest, &left(leaving)).await
}

/// Lets the customer's cart take the guest's in.
///
/// # Errors
/// Likewise.
pub async fn take_in<P: Platform>(leaving: &Leaving, platform: &P) -> Result<(), Failure> {
    let ask = CartAsk::Join(Box::new(leaving.clone()));
    let call = CartCall { speaker: leaving.to.speaker.clone(), ask };
    ask_cart(platform, &leaving.to.cart, &call).await
}

/// What the guest's cart is told after it was taken in.
pub fn left(leaving: &Leaving) -> CartCall {
    let ask = CartAsk::Left { merge_id: leaving.merge_id.clone() };
    CartCall { speaker: leaving.to.speaker.clone(), ask }
}

/// Whose order it is, as far as its sender knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buyer {
    /// A person, by the id that the server vouches for.
    Customer(String),
    /// Whoever has the cart that the order's checkout belongs to.
    Checkout,
}

/// An order that a server knows of: from a webhook or a backend. The same order twice is once.
///
/// # Errors
/// An object that could not be asked. The order may be told again.
pub async fn ordered<P: Platform>(
    order: Order,
    buyer: &Buyer,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<CartAnswer, Failure> {
    let secret = secret(platform)?;
    let named = order.checkout_id.as_deref().and_then(cart::label_of_checkout);
    let mut label = match (named, buyer) {
        (Some(label), _) => label.to_owned(),
        (None, Buyer::Customer(id)) => cart_label(&secret, &CartOwner::Customer(id)),
        (None, Buyer::Checkout) => return unknown_cart().answer(),
    };
    for _ in 0..MOVES_MAX {
        // The cart itself knows whose it is; an id that somebody made up must not create one.
        let looking = speaker(Owner::Guest, source, loaded);
        let call = CartCall { speaker: looking, ask: CartAsk::Summary };
        let summary: CartSummary = ask_cart(platform, &label, &call).await?;
        let owner = match (summary.known, buyer) {
            (true, _) => summary.owner,
            (false, Buyer::Customer(id)) => {
                label = cart_label(&secret, &CartOwner::Customer(id));
                Owner::Customer(id.clone())
            }
            (false, Buyer::Checkout) => return unknown_cart().answer(),
        };
        let speaker = Speaker { is_server: true, ..speaker(owner, source, loaded) };
        let call = CartCall { speaker, ask: CartAsk::Ordered(order.clone()) };
        let answer: CartAnswer = ask_cart(platform, &label, &call).await?;
        match moved_into(&answer) {
            Some(into) => label = into,
            None => return Ok(answer),
        }
    }
    unknown_cart().answer()
}

fn unknown_cart() -> Refused {
    Refused::new(404, "not_found", "no cart of this order is known")
}

fn moved_into(answer: &CartAnswer) -> Option<String> {
    if answer.status != 410 {
        return None;
    }
    let body: Value = serde_json::from_str(answer.body.get()).ok()?;
    body.get("error")?.get("into")?.as_str().map(str::to_owned)
}

/// Hands a cart's touchpoints on to their profiles, through the same stages as everybody's events. Answers those that are
/// at their end; the others are to be handed on again.
///
/// # Errors
/// The configuration is missing its secret.
pub async fn hand_on<P: Platform>(
    touchpoints: &[Touchpoint],
    platform: &P,
) -> Result<Vec<i64>, Failure> {
    let loaded = platform.config().await;
    let mut told = Vec::new();
    for group in touchpoints.chunk_by(|a, b| a.source == b.source) {
        let Some(name) = group.first().map(|touchpoint| touchpoint.source.as_str()) else {
            continue;
        };
        let seqs = group.iter().map(|touchpoint| touchpoint.seq);
        let Some(source) = loaded.config.sources.iter().find(|source| source.name == name) else {
            // A source that was taken away speaks for nobody any more.
            platform.log(&log_line(
                "warn",
                "touchpoints of a source that is gone",
                &[("source", name)],
            ));
            told.extend(seqs);
            continue;
        };
        let now = platform.now();
        let items = group.iter().map(|touchpoint| touchpoint.event.clone()).collect();
        let envelope = Envelope { sent_at: Some(now), items, ..Envelope::default() };
        // The hub vouches for whom it speaks of: a verified token or a server has said so.
        let trust = Trust::Server;
        let facts =
            Facts { received_at: now, random: platform.random16(), trust, ..Facts::default() };
        match super::run(&envelope, source, &facts, &loaded, platform).await {
            Ok(_) => told.extend(seqs),
            Err(failure) => {
                platform.log(&log_line("warn", "touchpoints", &[("why", failure.message())]));
                break;
            }
        }
    }
    Ok(told)
}
