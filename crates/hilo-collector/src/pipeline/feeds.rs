//! The runs of feeds: what is due → requests of a service, page by page → reports, touchpoints, and the state behind each page.
//!
//! The feed's object counts calls and gives a lease, so two runs never move one state. A page's reports are durable before the state
//! behind it: a kill repeats a page, whose reports are known by their ids, and loses none. Deliveries of touchpoints follow a run.

mod deletions;
mod flags;

use hilo_core::config::Source;
use hilo_core::outcome::{Code, Outcome, Rejection};

use self::deletions::Deletions;
use super::{channels, reports};
use crate::access::{Access, MissingSecret};
use crate::call::{Call, Trouble};
use crate::calls::Delivery;
use crate::calls::feed::{Begun, DueTouch, FeedCall, PREFIX, RunEnd, Taken, Told, ask_feed};
use crate::calls::tokens::{NoToken, Token, ask_token};
use crate::forward;
use crate::forward::destinations::target;
use crate::ingest::feeds::shape::{Page, Refusal, Turn};
use crate::ingest::feeds::{self, Configured};
use crate::ingest::{self, reply};
use crate::loaded::Loaded;
use crate::platform::http::PAGE_BYTES_MAX;
use crate::platform::{Failure, Outgoing, Platform, Reply, log_line};
use crate::signature::hex;

/// The most pages of one run. The next run goes on, so one long list holds no other feed back.
const PAGES_MAX: u32 = 20;
/// The most deliveries of touchpoints behind one run.
const DELIVERIES_MAX: u32 = 100;
/// The longest text of a reason.
const REASON_CHARS_MAX: usize = 200;

/// Reads every feed that is due. The scheduled trigger calls this.
pub async fn due<P: Platform>(platform: &P) {
    let Ok(loaded) = platform.config().await else { return };
    for feed in feeds::all(&loaded.config) {
        match feed {
            Ok(feed) => {
                run(&feed, &loaded, platform).await;
            }
            Err(problem) => {
                platform.log(&log_line("warn", "feed", &[("why", &problem.to_string())]));
            }
        }
    }
}

/// Runs a feed, and brings its touchpoints to their destinations.
async fn run<P: Platform>(feed: &Configured<'_>, loaded: &Loaded, platform: &P) {
    let name = feed.source.name.as_str();
    let ended = match feed.every_s {
        Some(every_s) => {
            let run = Run { feed, loaded, platform, id: hex(&platform.random16()) };
            run.whole(every_s).await
        }
        None => Ok(()),
    };
    for failure in [ended, deliver(name, platform).await].into_iter().filter_map(Result::err) {
        platform.log(&log_line("warn", "feed", &[("feed", name), ("why", failure.message())]));
    }
}

/// Brings touchpoints that are due to their destinations.
async fn deliver<P: Platform>(name: &str, platform: &P) -> Result<(), Failure> {
    let due: Vec<DueTouch> =
        ask_feed(platform, name, &FeedCall::Due { limit: DELIVERIES_MAX }).await?;
    if !due.is_empty() {
        let of = |touch| delivery(touch, name);
        forward::deliver(due.into_iter().map(of).collect(), platform).await;
    }
    Ok(())
}

fn delivery(touch: DueTouch, name: &str) -> Delivery {
    let DueTouch { row, message_id, destination, attempt, since_ms, until_ms, steps, event } =
        touch;
    Delivery {
        profile: format!("{PREFIX}{name}"),
        row,
        message_id,
        destination,
        attempt,
        since_ms,
        until_ms,
        steps,
        denied: Vec::new(),
        source: Some(name.to_owned()),
        event,
        person: None,
    }
}

/// A run under way.
struct Run<'r, P> {
    feed: &'r Configured<'r>,
    loaded: &'r Loaded,
    platform: &'r P,
    id: String,
}

impl<P: Platform> Run<'_, P> {
    /// Begins, reads page after page, and ends.
    async fn whole(&self, every_s: u32) -> Result<(), Failure> {
        let (run, calls_max) = (self.id.clone(), self.feed.calls_max);
        let begun = self.ask(&FeedCall::Begin { run, calls_max }).await?;
        let Begun::Run { state, told, deleted } = begun else { return Ok(()) };
        // Where another run has begun, whatever this one knows is old.
        let Some(end) = self.all(state, deleted, told).await else { return Ok(()) };
        if let RunEnd::Failed { reason, .. } = &end {
            let name = self.feed.source.name.as_str();
            self.platform.log(&log_line("warn", "feed", &[("feed", name), ("why", reason)]));
        }
        self.ask(&FeedCall::End { run: self.id.clone(), end, every_s }).await
    }

    async fn ask<A: serde::de::DeserializeOwned>(&self, call: &FeedCall) -> Result<A, Failure> {
        ask_feed(self.platform, &self.feed.source.name, call).await
    }

    /// Erases what was deleted, reads pages, and erases what these have told of it again. `None` if another run has begun.
    ///
    /// Before the pages too: a service that does not answer holds no deletion back. A deletion that fails holds no page back.
    async fn all(
        &self,
        state: serde_json::Value,
        deleted: Vec<Told>,
        told: Vec<Told>,
    ) -> Option<RunEnd> {
        let began = self.platform.now();
        let mut deletions = Deletions::of(deleted, self.feed, self.loaded, self.platform);
        deletions.erase().await;
        let end = self.pages(state, told).await.unwrap_or_else(Some)?;
        if matches!(end, RunEnd::Failed { .. }) {
            return Some(end);
        }
        deletions.erase().await;
        if end == RunEnd::Done {
            deletions.forget(began).await;
        }
        match deletions.failure() {
            Some(failure) if end != RunEnd::Spent => Some(failed(failure)),
            Some(_) | None => Some(end),
        }
    }

    /// Reads pages. `None` if another run has begun.
    async fn pages(
        &self,
        mut state: serde_json::Value,
        told: Vec<Told>,
    ) -> Result<Option<RunEnd>, RunEnd> {
        let mut ids: Vec<String> = told.iter().map(|one| one.id.clone()).collect();
        let mut token = self.token(None).await?;
        for number in 1..=PAGES_MAX {
            let Some(page) = self.page(&state, &ids, &mut token).await? else {
                return Ok(Some(RunEnd::Done));
            };
            state.clone_from(&page.state);
            ids.retain(|id| !page.read.contains(id));
            let read = told.iter().filter(|one| page.read.contains(&one.id)).cloned().collect();
            let goes_on = !page.is_done && number < PAGES_MAX;
            let is_done = page.is_done;
            match self.keep(page, read, goes_on).await.map_err(|failure| failed(&failure))? {
                Taken::GoOn => {}
                Taken::Stop if is_done => return Ok(Some(RunEnd::Done)),
                Taken::Stop => return Ok(Some(RunEnd::More)),
                Taken::Spent => return Ok(Some(RunEnd::Spent)),
                Taken::Lost => return Ok(None),
            }
        }
        Ok(Some(RunEnd::More))
    }

    /// Gets a token, in place of one that the service refused.
    async fn token(&self, stale: Option<&Token>) -> Result<Option<Token>, RunEnd> {
        if self.feed.reader.oauth().is_none() {
            return Ok(None);
        }
        let name = format!("{PREFIX}{}", self.feed.source.name);
        let asked = ask_token(self.platform, &name, stale).await;
        asked.map(Some).map_err(|NoToken { after_s, reason }| RunEnd::Failed {
            after_s: Some(after_s),
            must_mend: reason.contains("cargo xtask connect"),
            reason,
        })
    }

    /// Asks the service for one page. A token that it refuses is renewed once. `None` if there is nothing to ask.
    async fn page(
        &self,
        state: &serde_json::Value,
        told: &[String],
        token: &mut Option<Token>,
    ) -> Result<Option<Page>, RunEnd> {
        let mut is_renewed = token.is_none();
        loop {
            let look_up = |name: &str| self.platform.secret(name).filter(|one| !one.is_empty());
            let access = Access { secrets: &look_up, token: token.as_ref() };
            let turn = Turn { state, told, access, now: self.platform.now() };
            let request = self.feed.reader.request(&turn).map_err(not_set)?;
            let Some(request) = request else { return Ok(None) };
            let response = self.send(&request).await?;
            match self.feed.reader.read(&turn, &response) {
                Ok(page) => return Ok(Some(page)),
                Err(Refusal::Unauthorized(_)) if !is_renewed => {
                    is_renewed = true;
                    *token = self.token(token.as_ref()).await?;
                }
                Err(refusal) => return Err(refused(refusal)),
            }
        }
    }

    async fn send(&self, request: &Outgoing) -> Result<crate::platform::Response, RunEnd> {
        if let Err(why) = target::check(&request.url, self.platform.is_dev()) {
            let reason = format!("the service's address may not be called: {why}");
            return Err(RunEnd::Failed { after_s: None, reason, must_mend: true });
        }
        let sent = self.platform.fetch(request, PAGE_BYTES_MAX).await;
        sent.map_err(|_| {
            let reason = "the service did not answer".to_owned();
            RunEnd::Failed { after_s: None, reason, must_mend: false }
        })
    }

    /// Makes a page durable: records first, so that a deletion reaches whatever is told of their people; then reports about people, then
    /// touchpoints and state together.
    async fn keep(&self, page: Page, read: Vec<Told>, goes_on: bool) -> Result<Taken, Failure> {
        let (feed, platform) = (self.feed, self.platform);
        let records = deletions::records(&page.records, feed.source, self.loaded, platform)?;
        if !records.is_empty() {
            let () = self.ask(&FeedCall::Records(records)).await?;
        }
        let (mut told, set) = (page.reports, flags::records(&page.flags, feed.source, platform)?);
        told.extend(flags::new(page.flags, &set, feed.source, platform).await?);
        let count = u32::try_from(told.len()).unwrap_or(u32::MAX);
        let outcomes = reports::take(told, feed.source, self.loaded, platform).await?;
        let refused =
            outcomes.iter().filter(|one| matches!(one.outcome, Outcome::Rejected(_))).count();
        let (touches, odd) = channels::records(&page.touches, feed.source, self.loaded, platform);
        let call = FeedCall::Page {
            run: self.id.clone(),
            state: page.state,
            touches,
            flags: set,
            read,
            reports: count,
            odd: page.odd + odd + u32::try_from(refused).unwrap_or(u32::MAX),
            goes_on,
            calls_max: feed.calls_max,
        };
        self.ask(&call).await
    }
}

fn not_set(MissingSecret(name): MissingSecret) -> RunEnd {
    let reason = format!("the secret {name} is not set: cargo xtask wrangler secret put {name}");
    RunEnd::Failed { after_s: None, reason, must_mend: true }
}

fn failed(failure: &Failure) -> RunEnd {
    let reason = format!("not stored: {}", failure.message());
    RunEnd::Failed { after_s: None, reason, must_mend: false }
}

fn refused(refusal: Refusal) -> RunEnd {
    let (after_s, reason, must_mend) = match refusal {
        Refusal::Later { after_s, reason } => (after_s, reason, false),
        Refusal::Unauthorized(reason) => (None, format!("unauthorized: {reason}"), true),
        Refusal::Wrong(reason) => (None, format!("refused: {reason}"), true),
    };
    let reason = reason.chars().take(REASON_CHARS_MAX).collect();
    RunEnd::Failed { after_s, reason, must_mend }
}

/// Answers a call of a service: `POST /v1/in/:source` of a feed. What it tells about people is durable before the answer; ids of what
/// has to be read are noted.
pub(super) async fn called<P: Platform>(
    source: &Source,
    loaded: &Loaded,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let no_calls = || Rejection::new(Code::NotFound, "this feed takes no calls");
    let feed = feeds::find(&source.name, &loaded.config).map_err(|_| no_calls())?;
    let proof = feed.reader.proof().ok_or_else(no_calls)?;
    let body = ingest::raw(call.incoming)?;
    feeds::check(&proof, call.incoming, body, call.platform)?;
    let told = serde_json::from_slice(body)
        .map_err(|_| Rejection::new(Code::MalformedBody, "the body is no JSON"))?;
    let called = feed.reader.called(&told);
    let outcomes = reports::take(called.reports, source, loaded, call.platform).await?;
    let mut ids = called.ids;
    ids.extend(called.deleted.iter().map(|record| deletions::told(record)));
    if !ids.is_empty() {
        let note = FeedCall::Told { ids };
        ask_feed::<_, ()>(call.platform, &source.name, &note).await?;
    }
    let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|one| of(&one.outcome)).count();
    let answer = serde_json::json!({
        "accepted": count(|one| matches!(one, Outcome::Accepted)),
        "duplicate": count(|one| matches!(one, Outcome::Duplicate)),
        "ignored": called.odd,
    });
    Ok(reply::json(200, &answer))
}
