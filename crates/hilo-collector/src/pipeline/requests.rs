//! Answers every request: route → the file of its call → reply.
//!
//! This file reads no body and stores nothing. The file of each call does.

use std::rc::Rc;

use hilo_core::outcome::{Code, Rejection};

use super::nature::Nature;
use super::{
    cart, connect, consent, events, handoff, health, hello, import, inbound, journal, limits, me,
    optin, replay, reports,
};
use crate::admin::{self, Served};
use crate::call::{Call, Trouble};
use crate::forward;
use crate::ingest::{self, Door, Route, feeds, files, reply, settings, status};
use crate::keyring::Keyring;
use crate::platform::{Failure, Incoming, Platform, REQUEST_ID, Reply, Scope, log_line};

/// Answers one request, and measures it. The answer and every log line have the request's id.
pub async fn serve<P: Platform>(incoming: Incoming, platform: &P) -> Reply {
    let ray = incoming.headers.get("cf-ray");
    let scope = Rc::new(Scope::of(ray, || platform.fresh_request_id()));
    let platform = &platform.scoped(Rc::clone(&scope));
    let route = ingest::route(&incoming, &platform.mount());
    let call = route.as_ref().map_or("none", Nature::name);
    // Files and the questions before a request are most of all requests. Cloudflare counts them, and they have no outcome.
    let is_measured = !matches!(route, Ok(Route::File(_) | Route::Preflight));
    let mut reply = answer(route, &incoming, platform).await;
    if is_measured {
        platform.measure(&scope.point(call, &incoming.method, reply.status));
    }
    reply.headers.push(REQUEST_ID, scope.id.as_str());
    reply
}

/// Few calls can be answered without a configuration. All others are refused until there is one, because another configuration
/// would refuse them for good.
async fn answer<P: Platform>(
    route: Result<Route, Rejection>,
    incoming: &Incoming,
    platform: &P,
) -> Reply {
    match route {
        Ok(Route::Version) => return status::version(platform.now()),
        Ok(Route::File(name)) => return file(&name, incoming, platform).await,
        Ok(_) | Err(_) => {}
    }
    match (route, platform.config().await) {
        (Ok(Route::Health), standing) => health::answer(&standing, incoming, platform).await,
        (Ok(Route::Ready), standing) => health::ready(&standing, platform),
        (route, Ok(loaded)) => {
            serve_with(route, &Call { incoming, loaded: &loaded, platform }).await
        }
        (_, Err(fault)) => {
            let why = fault.rejection();
            count(why.code, platform);
            reply::refused(&why)
        }
    }
}

/// Counts the refusal of a request as a whole.
fn count<P: Platform>(code: Code, platform: &P) {
    if let Some(scope) = platform.scope() {
        scope.count(|tally| *tally.codes.entry(code.name()).or_default() += 1);
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
            count(why.code, platform);
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
            count(Code::RateLimited, platform);
            limits::note(call);
            reply::busy(after_s)
        }
        Err(Trouble::Failed(failure)) => {
            count(Code::Unavailable, platform);
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
        Route::Reports => reports::receive(call).await,
        Route::Webhook(source) => match feed(&source, call) {
            Some(feed) => super::feeds::called(feed, call.loaded, call).await,
            None => inbound::take(&source, call).await,
        },
        Route::WebhookProbe(source) => inbound::probe(&source, call),
        Route::Metrics => Ok(reply::passed_over()),
        Route::Settings(key) => Ok(settings::segment(&key, call)?),
        Route::SourceConfig => Ok(settings::rudderstack(call)?),
        Route::Preflight => Ok(ingest::preflight(door, call.incoming)?),
        Route::Admin(path) => {
            let config = &call.loaded.config;
            let (deleting, mut described) = (forward::deleting(config), forward::described(config));
            described.extend(feeds::described(config));
            let known = admin::Known { deleting: &deleting, described: &described };
            match admin::serve(&path, &known, call).await {
                Served::Reply(reply) => Ok(reply),
                Served::Import => import::take(call).await,
                Served::ReplayRejects => {
                    Ok(replay::take(call).await.unwrap_or_else(admin::refusal))
                }
                Served::ReadFeeds(reply) => {
                    let platform = call.platform.clone();
                    call.platform.defer(async move { super::read_feeds(&platform).await });
                    Ok(reply)
                }
            }
        }
        // `serve` has answered these.
        Route::Health | Route::Ready | Route::Version | Route::File(_) => {
            Err(Rejection::new(Code::NotFound, "there is nothing at this path").into())
        }
    }
}

/// The source with this name, if its service is a feed.
fn feed<'l, P: Platform>(name: &str, call: &Call<'l, P>) -> Option<&'l hilo_core::config::Source> {
    call.loaded.config.sources.iter().find(|one| one.name == name && one.feed.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::keyring::SECRET;
    use crate::platform::REQUEST_ID;
    use crate::shell::memory::{Memory, SHOP, request, run};

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    fn batch(person: &str) -> Value {
        let view = |id: &str, consent: Value| {
            json!({
                "type": "page", "messageId": id, "anonymousId": person, "properties": {},
                "timestamp": "2026-11-24T09:59:59Z", "context": {"consent": consent},
            })
        };
        let granted = json!({"categoryPreferences": {"analytics": true}, "revision": 1});
        let events = [
            view("m1", granted.clone()),
            view("m1", granted.clone()),
            view("m2", Value::Null),
            view("m3", Value::Null),
        ];
        json!({"writeKey": "wk_shop", "batch": events})
    }

    #[test]
    fn every_answer_has_the_id_of_its_request_and_so_have_the_lines_of_the_log() {
        let memory = memory();
        memory.set_secret(SECRET, "");
        let id = |path: &str, fields: &[(&str, &str)]| {
            let fields = [&[("origin", SHOP)], fields].concat();
            let reply = memory.serve(request("POST", path, &batch("a1"), &fields)).unwrap();
            reply.headers.get(REQUEST_ID).unwrap().to_owned()
        };
        assert_eq!(id("/v1/batch", &[("cf-ray", "8f1c2a3b4d5e6f70-MAD")]), "8f1c2a3b4d5e6f70-MAD");
        let own = id("/v1/batch", &[]);
        assert_ne!(id("/nothing", &[]), own);
        let lines: Vec<Value> =
            memory.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let named = |id: &str| lines.iter().filter(|line| line["request"] == id).count();
        assert_eq!((named("8f1c2a3b4d5e6f70-MAD"), named(&own)), (1, 1), "{lines:?}");
    }

    #[test]
    fn work_that_continues_after_the_answer_writes_the_id_of_its_request() {
        let memory = memory();
        let fields = [("origin", SHOP), ("cf-ray", "ray-1")];
        memory.serve(request("POST", "/v1/batch", &batch("a1"), &fields)).unwrap();
        // The isolate sends what it has gathered for the journal, and the journal does not answer.
        memory.cut_call(0, false);
        run(memory.settle()).unwrap().unwrap();
        for line in memory.lines() {
            assert!(line.starts_with("{\"request\":\"ray-1\","), "{line}");
        }
        assert!(memory.has_failed());
    }

    #[test]
    fn a_request_is_one_point_with_its_source_and_its_outcomes_and_nobodys_id() {
        let memory = memory();
        let fields = [("origin", SHOP)];
        memory.serve(request("POST", "/v1/batch", &batch("person-1"), &fields)).unwrap();
        let stranger = json!({"writeKey": "wk_nobody", "batch": []});
        memory.serve(request("POST", "/v1/batch", &stranger, &fields)).unwrap();
        memory.serve(request("GET", "/hilo.js", &Value::Null, &[])).unwrap();
        let points = memory.points();
        let [first, second] = points.as_slice() else { panic!("{points:?}") };
        assert_eq!((first.source.as_str(), first.call, first.status), ("shop", "batch", 200));
        let codes = [("no_consent", 2), ("duplicate_id", 1)];
        assert_eq!((first.outcomes, first.codes.as_slice()), ([1, 1, 2, 0], &codes[..]));
        assert_eq!((second.source.as_str(), second.status), ("", 401));
        assert_eq!(second.codes, [("unknown_key", 1)]);
        assert!(!format!("{points:?}").contains("person-1"));
    }
}
