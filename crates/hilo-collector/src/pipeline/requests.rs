//! Answers every request: route → the file of its call → reply.
//!
//! This file reads no body and stores nothing. The file of each call does.

use hilo_core::outcome::{Code, Rejection};

use super::nature::Nature;
use super::{
    cart, connect, consent, events, handoff, health, hello, journal, limits, me, optin, orders,
    replay,
};
use crate::admin;
use crate::call::{Call, Trouble};
use crate::forward;
use crate::ingest::{self, Door, Route, files, reply, settings, status};
use crate::keyring::Keyring;
use crate::platform::{Failure, Incoming, Platform, Reply, log_line};

/// Answers one request. Few calls can be answered without a configuration. All others are refused until there is one,
/// because another configuration would refuse them for good.
pub async fn serve<P: Platform>(incoming: Incoming, platform: &P) -> Reply {
    let route = ingest::route(&incoming, &platform.mount());
    match route {
        Ok(Route::Version) => return status::version(),
        Ok(Route::File(name)) => return file(&name, &incoming, platform).await,
        Ok(_) | Err(_) => {}
    }
    match (route, platform.config().await) {
        (Ok(Route::Health), standing) => health::answer(&standing, &incoming, platform).await,
        (Ok(Route::Ready), standing) => health::ready(&standing, platform),
        (route, Ok(loaded)) => {
            serve_with(route, &Call { incoming: &incoming, loaded: &loaded, platform }).await
        }
        (_, Err(fault)) => reply::refused(&fault.rejection()),
    }
}

/// Answers a request that needs the configuration.
async fn serve_with<P: Platform>(route: Result<Route, Rejection>, call: &Call<'_, P>) -> Reply {
    let Call { incoming, loaded, platform } = *call;
    let door = Door::of(incoming, &loaded.config, platform.is_dev());
    let nature = route.as_ref().map_or(Nature::Aside, Nature::of);
    let taken = match route {
        Ok(route) => match admit(nature, call).await {
            Ok(()) => take(route, &door, call).await,
            Err(trouble) => Err(trouble),
        },
        Err(why) => Err(why.into()),
    };
    let mut reply = match taken {
        Ok(reply) => reply,
        Err(Trouble::Refused(why)) => {
            if why.code == Code::SchemaNewer {
                loaded.schema_newer_at.set(Some(platform.now()));
            }
            if why.code.is_ours() {
                platform.log(&log_line("error", why.code.name(), &[("why", &why.message)]));
            } else if nature.is_noted() {
                journal::note_refusal(&why, call);
            }
            let mut reply = reply::refused(&why);
            if why.code == Code::KeyRevoked && ingest::is_tracker(incoming) {
                reply.status = 410;
            }
            reply
        }
        Err(Trouble::Failed(Failure::Busy { after_s })) => {
            limits::note(call);
            reply::busy(after_s)
        }
        Err(Trouble::Failed(failure)) => {
            platform.log(&log_line("error", "unavailable", &[("why", failure.message())]));
            reply::unavailable()
        }
    };
    if nature == Nature::Public {
        ingest::open_to_all(&mut reply);
    } else {
        door.mark(&mut reply);
    }
    reply
}

/// Serves a file of the tracker. Files are the same for every visitor, and shared caches may store them. A page of another host
/// imports a module, and reads its wasm, only where the answer allows every origin.
async fn file<P: Platform>(name: &str, incoming: &Incoming, platform: &P) -> Reply {
    let mut reply = match files::serve(name, incoming, platform).await {
        Ok(Some(reply)) => reply,
        Ok(None) => reply::refused(&Rejection::new(Code::NotFound, "there is no such file")),
        Err(failure) => {
            platform.log(&log_line("error", "file", &[("why", failure.message())]));
            reply::unavailable()
        }
    };
    ingest::open_to_all(&mut reply);
    reply
}

/// Refuses a call that names objects where its network sent too much, or where the collector has no secret: it could name no
/// object, and anybody could make its signatures.
async fn admit<P: Platform>(nature: Nature, call: &Call<'_, P>) -> Result<(), Trouble> {
    if nature.names_objects() {
        limits::check_peer(call).await?;
        Keyring::of(call.platform)?;
    }
    Ok(())
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
        Route::Handoff => handoff::make(call).await,
        Route::Adopt => handoff::adopt(call).await,
        Route::ConsentChange => consent::change(call).await,
        Route::ConsentCopy => consent::copy(call).await,
        Route::OptIn => optin::take(call).await,
        Route::OptInLink(act, acts) => Ok(optin::follow(act, acts, call).await),
        Route::OAuthCallback => Ok(connect::callback(call).await),
        Route::Me(act) => me::take(act, call).await,
        Route::Erasure(reference) => me::standing(&reference, call).await,
        Route::Cart(user, act) => cart::take(user, act, call).await,
        Route::Webhook(source) => orders::take(&source, call).await,
        Route::Metrics => Ok(reply::passed_over()),
        Route::Settings(key) => Ok(settings::segment(&key, call)?),
        Route::SourceConfig => Ok(settings::rudderstack(call)?),
        Route::Preflight => Ok(ingest::preflight(door, call.incoming)?),
        Route::Admin(path) if admin::is_replay_of_rejects(&path) => {
            Ok(replay::take(&path, call).await.unwrap_or_else(admin::refusal))
        }
        Route::Admin(path) => {
            let config = &call.loaded.config;
            let (deleting, described) = (forward::deleting(config), forward::described(config));
            let known = admin::Known { deleting: &deleting, described: &described };
            Ok(admin::serve(&path, &known, call).await)
        }
        // `serve` has answered these.
        Route::Health | Route::Ready | Route::Version | Route::File(_) => {
            Err(Rejection::new(Code::NotFound, "there is nothing at this path").into())
        }
    }
}
