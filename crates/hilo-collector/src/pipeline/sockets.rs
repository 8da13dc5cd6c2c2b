//! The beginning and the end of a cart's sockets: a ticket opens one, and a logout closes those of its login.
//!
//! The cart's object keeps the sockets. A socket without a valid ticket reaches no object.

use hilo_core::outcome::{Code, Rejection};

use crate::call::{Call, Trouble, secret};
use crate::calls::cart::{CartAsk, CartCall, Owner, Speaker, ask_cart};
use crate::ingest::user::{self, Vouched};
use crate::ingest::{self, cart};
use crate::keyring::Keyring;
use crate::platform::{Body, Failure, Platform, Reply};
use crate::signature::{CartOwner, cart_label};
use crate::ticket;

/// Passes a socket on to its cart.
pub(super) fn open<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let Call { incoming, loaded, platform } = *call;
    ingest::check_socket(incoming, &loaded.config, platform.is_dev())?;
    let cart = cart::socket_label(incoming)?;
    let (secret, now_s) = (secret(platform)?, platform.now().as_second());
    let ticket = cart::socket_ticket(incoming).unwrap_or_default().to_owned();
    if ticket::read(&ticket, &cart, &secret, now_s).is_none() {
        let message = "fetch the cart for a ticket, and offer the protocols hilo and ticket.<it>";
        return Err(Rejection::new(Code::Unauthorized, message).into());
    }
    Ok(Reply { body: Body::Socket { cart, ticket }, ..Reply::empty(101) })
}

/// Closes the sockets of the login that ends. `speak` makes the sender of a call for the owner of a cart. A bad token closes none and
/// is no reason to refuse: the visitor leaves in any case.
pub(super) async fn log_out<P: Platform>(
    speak: impl FnOnce(Owner) -> Speaker,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<(), Failure> {
    let Ok(Vouched { user: Some(user), .. }) = user::verified_user(call).await else {
        return Ok(());
    };
    let label = cart_label(secret.naming(), &CartOwner::Customer(&user.id));
    let speaker = speak(Owner::Customer(user.id));
    let question = CartCall { speaker, ask: CartAsk::Logout { login: user.login } };
    ask_cart(call.platform, &label, &question).await
}
