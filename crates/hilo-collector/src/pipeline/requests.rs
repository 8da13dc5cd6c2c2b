//! Answers every request: route → the file of its call → reply.
//!
//! This file reads no body and stores nothing. The file of each call does.

use hilo_core::outcome::{Code, Rejection};

use super::{cart, consent, events, hello, journal, optin, orders};
use crate::admin;
use crate::call::{Call, Trouble};
use crate::ingest::{self, CartAct, Door, Route, files, reply, settings, status};
use crate::platform::{Incoming, Platform, Reply, log_line};

/// Answers one request.
pub async fn serve<P: Platform>(incoming: Incoming, platform: &P) -> Reply {
    let loaded = platform.config().await;
    let call = Call { incoming: &incoming, loaded: &loaded, platform };
    let door = Door::of(&incoming, &loaded.config, platform.is_dev());
    let route = ingest::route(&incoming, &platform.mount());
    let is_file = matches!(route, Ok(Route::File(_)));
    let is_open = matches!(route, Ok(Route::Settings(_) | Route::SourceConfig));
    let is_noted = route.as_ref().is_ok_and(|route| is_noted(route, &incoming));
    let taken = match route {
        Ok(route) => take(route, &door, &call).await,
        Err(why) => Err(why.into()),
    };
    let mut reply = match taken {
        Ok(reply) => reply,
        Err(Trouble::Refused(why)) => {
            if is_noted {
                journal::note_refusal(&why, &call);
            }
            let mut reply = reply::refused(&why);
            if why.code == Code::KeyRevoked && ingest::is_tracker(&incoming) {
                reply.status = 410;
            }
            reply
        }
        Err(Trouble::Failed(failure)) => {
            platform.log(&log_line("error", "unavailable", &[("why", failure.message())]));
            reply::unavailable()
        }
    };
    // Files are the same for every visitor, and shared caches may store them.
    if is_open {
        ingest::open_to_all(&mut reply);
    } else if !is_file {
        door.mark(&mut reply);
    }
    reply
}

/// Whether the refusal of this whole call goes into the reject log. It does if the sender has brought data that is now
/// lost. A sender who only reads learns enough from the answer.
fn is_noted(route: &Route, incoming: &Incoming) -> bool {
    match route {
        Route::Batch
        | Route::Beacon
        | Route::Single(_)
        | Route::Jitsu(_)
        | Route::Hello
        | Route::ConsentChange
        | Route::OptIn
        | Route::Webhook(_) => true,
        // A page that may not send asks once, and then sends nothing.
        Route::Preflight => incoming.headers.get("origin").is_some(),
        Route::Cart(_, act) => !matches!(act, CartAct::Live),
        Route::ConsentCopy
        | Route::Health
        | Route::Version
        | Route::Metrics
        | Route::Settings(_)
        | Route::SourceConfig
        | Route::Admin(_)
        | Route::File(_) => false,
    }
}

/// Passes the request to the file of its call.
async fn take<P: Platform>(
    route: Route,
    door: &Door,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    match route {
        Route::Batch => events::take(None, call).await,
        Route::Beacon => events::take_beacon(call).await,
        Route::Single(kind) => events::take(Some(kind), call).await,
        Route::Jitsu(kind) => events::take(Some(kind), call).await.map(reply::in_jitsus_words),
        Route::Hello => hello::take(call).await,
        Route::ConsentChange => consent::change(call).await,
        Route::ConsentCopy => consent::copy(call).await,
        Route::OptIn => optin::take(call).await,
        Route::Cart(user, act) => cart::take(user, act, call).await,
        Route::Webhook(source) => orders::take(&source, call).await,
        Route::Health => Ok(status::health(call.loaded, call.platform)),
        Route::Version => Ok(status::version()),
        Route::Metrics => Ok(reply::passed_over()),
        Route::Settings(key) => Ok(settings::segment(&key, call)?),
        Route::SourceConfig => Ok(settings::rudderstack(call)?),
        Route::Preflight => Ok(ingest::preflight(door, call.incoming)?),
        Route::Admin(path) => Ok(admin::serve(&path, call).await),
        Route::File(name) => files::serve(&name, call).await?.ok_or_else(|| {
            Trouble::Refused(Rejection::new(Code::NotFound, "there is no such file"))
        }),
    }
}
