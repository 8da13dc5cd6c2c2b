//! One visit, told by every stage: a page in memory, the tracker, the wire, the collector in memory, a destination.
//!
//! In: a script. Out: what each step led to, as text. The same code runs in browsers and on Cloudflare; only the two
//! platforms are memory here.

#![expect(
    clippy::indexing_slicing,
    reason = "a field that a JSON value lacks is null, not a panic"
)]

mod day;
mod senders;

pub use day::day;

use std::fmt::Write as _;

use hilo_collector::pipeline::serve;
use hilo_collector::platform::{Body, Incoming, Upload};
use hilo_collector::shell::memory::{Memory as Edge, run};
use hilo_tracker::platform::{Answer, Happened, Request};
use hilo_tracker::shell::memory::Memory as Page;
use hilo_tracker::{Choice, Options, Tracker};
use serde_json::Value;

/// Where the shop of the story is. The collector's built-in configuration lets this origin send.
const SHOP: &str = "http://127.0.0.1:8787";
/// When it happens.
const BEGAN: &str = "2026-11-18T11:06:40Z";

/// A page, its tracker, and the collector behind it.
struct Story {
    told: String,
    page: Page,
    tracker: Tracker<Page>,
    edge: Edge,
    /// The id cookie, as the browser keeps it.
    cookie: Option<String>,
}

/// Tells the visit.
///
/// # Errors
/// What kept the story from being told; a test fails then.
pub fn visit() -> Result<String, String> {
    let now = BEGAN.parse().map_err(|error: jiff::Error| error.to_string())?;
    let edge = Edge::new(now, None).map_err(|failure| failure.message().to_owned())?;
    edge.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    edge.set_secret("HILO_ADMIN_TOKEN", "token");

    let landing = format!("{SHOP}/?utm_source=news&utm_medium=email&utm_campaign=autumn");
    let first = Page::new(&landing);
    first.remember_first(&landing);
    let (told, tracker) = (String::new(), tracker(&first));
    let mut story = Story { told, tracker, page: first, edge, cookie: None };

    story.step("A visitor comes from the newsletter. Nobody has been asked yet.");
    story.exchange()?;
    story.step("They go on to the list, and then to a product: two new documents.");
    story.navigate("/list/");
    story.navigate("/product/?id=H-101");
    story.exchange()?;
    story.step("There they accept. The first touch comes from the tab's own history.");
    story.tracker.choose("functional analytics", Choice::Granted);
    story.exchange()?;
    story.step("They put the article into the cart.");
    let at = story.now();
    story.tracker.track(
        "Product Added",
        r#"{"product_id":"H-101","quantity":1,"price":8.9,"currency":"EUR"}"#,
        at,
    );
    story.exchange()?;
    story
        .step("The answer gets lost: the tracker sends again, and the collector knows the events.");
    story.tracker.track("Checkout Started", "{}", at + 1);
    story.lose_one_answer()?;
    story.exchange()?;
    story.step("What the profile says.");
    story.admin("")?;
    story.admin("/events")?;
    story.step("What the destination got.");
    story.deliveries()?;
    story.step("They withdraw. One record leaves; the device forgets who it was.");
    story.tracker.withdraw();
    story.exchange()?;
    let keys: Vec<String> = story.page.stored().into_keys().collect();
    story.line(&format!("still stored: {}", keys.join(", ")));
    Ok(story.told)
}

fn tracker(page: &Page) -> Tracker<Page> {
    let options = Options {
        key: "wk_shop".to_owned(),
        pages: true,
        query: false,
        hash: false,
        is_strict: false,
        is_awaiting: false,
        notice: "1".to_owned(),
        tab: 1,
    };
    let mut tracker = Tracker::new(options, page.clone());
    tracker.begin();
    tracker.happened(Happened::Ready);
    tracker
}

impl Story {
    fn step(&mut self, title: &str) {
        let _ = writeln!(self.told, "\n== {title}");
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.told, "   {text}");
    }

    fn now(&self) -> i64 {
        use hilo_tracker::platform::Platform as _;
        self.page.now_ms()
    }

    /// Five seconds and a half go by, on both sides: longer than events wait for others.
    fn wait(&mut self) {
        self.edge.advance(jiff::SignedDuration::from_millis(5_500));
        if self.page.pass(5_500) {
            self.tracker.happened(Happened::Woke);
        }
    }

    fn navigate(&mut self, path: &str) {
        use hilo_tracker::platform::Platform as _;
        let from = self.page.place().url;
        self.tracker.happened(Happened::Hidden);
        self.page = self.page.next_document(&format!("{SHOP}{path}"), &from);
        self.tracker = tracker(&self.page);
    }

    /// Carries requests and answers to and fro until both sides are quiet.
    fn exchange(&mut self) -> Result<(), String> {
        let mut is_silent = true;
        loop {
            self.wait();
            let sent = self.page.sent();
            if sent.is_empty() {
                break;
            }
            is_silent = false;
            for request in sent {
                let answer = self.carry(&request)?;
                self.tracker.happened(Happened::Answered(answer));
            }
        }
        if is_silent {
            self.line("nothing is sent");
        }
        Ok(())
    }

    /// The collector takes it, and its answer never arrives.
    fn lose_one_answer(&mut self) -> Result<(), String> {
        self.wait();
        for request in self.page.sent() {
            self.carry(&request)?;
            self.line("… and the network drops the answer");
            let nothing = Answer { ticket: request.ticket, ..Answer::default() };
            self.tracker.happened(Happened::Answered(nothing));
        }
        Ok(())
    }

    fn carry(&mut self, request: &Request) -> Result<Answer, String> {
        let path = format!("/_h{}", request.call.path());
        self.line(&format!("page → POST {path}"));
        let sent: Value = serde_json::from_str(&request.body).map_err(|error| error.to_string())?;
        for event in sent["batch"].as_array().into_iter().flatten() {
            let name = event["event"].as_str().unwrap_or_default();
            // What all events share is said once.
            let either = |path: &str| {
                let own = event.pointer(path).or_else(|| sent.pointer(path));
                own.cloned().unwrap_or_default()
            };
            let page = either("/context/page/path");
            let landing = either("/context/hilo/session").get("landing").cloned();
            let landing = landing.unwrap_or_default();
            self.line(&format!("       {} {name} {page} {landing}", event["type"]));
        }
        let (status, answer) = self.call("POST", &path, request.body.clone().into_bytes())?;
        self.line(&format!("edge → {status} {}", short(&answer)));
        if let (Some(revision), Some(denied)) =
            (answer["revision"].as_u64(), answer["denied"].as_array())
        {
            let denied: Vec<&str> = denied.iter().filter_map(Value::as_str).collect();
            let revision = u32::try_from(revision).unwrap_or_default();
            self.tracker.recorded(request.ticket, revision, &denied.join(" "));
        }
        let word = answer["error"]["code"].as_str().unwrap_or_default().to_owned();
        // As `js/sdk/src/page.ts` reads it: the id, the page's own proof where it has to keep that, and the terms.
        let told = [&answer["anonymousId"], &answer["spareProof"]];
        let told: Vec<&str> = told.into_iter().filter_map(Value::as_str).collect();
        let settings = &answer["settings"];
        let months = settings["askAgainMonths"].as_u64();
        let months = months.map_or_else(String::new, |months| months.to_string());
        let version = settings["noticeVersion"].as_str().unwrap_or_default();
        let hello = format!("{}|{months}|{version}", told.join(" "));
        Ok(Answer { ticket: request.ticket, status, word, hello, ..Answer::default() })
    }

    fn call(&mut self, method: &str, path: &str, body: Vec<u8>) -> Result<(u16, Value), String> {
        let mut incoming = Incoming {
            method: method.to_owned(),
            scheme: "http".to_owned(),
            host: "127.0.0.1:8787".to_owned(),
            path: path.to_owned(),
            body: Upload::Bytes(body),
            ..Incoming::default()
        };
        incoming.headers.push("origin", SHOP);
        incoming.headers.push("x-hilo", "1");
        self.cookie.iter().for_each(|cookie| incoming.headers.push("cookie", cookie.as_str()));
        if path.starts_with("/admin/") {
            incoming.headers.push("authorization", "Bearer token");
        }
        let reply =
            run(serve(incoming, &self.edge)).map_err(|failure| failure.message().to_owned())?;
        if let Some(set) = reply.headers.get("set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        let settled = run(self.edge.settle()).and_then(|settled| settled);
        settled.map_err(|failure| failure.message().to_owned())?;
        let Body::Text(text) = reply.body else { return Ok((reply.status, Value::Null)) };
        Ok((reply.status, serde_json::from_str(&text).map_err(|error| error.to_string())?))
    }

    fn admin(&mut self, part: &str) -> Result<(), String> {
        let id = self.tracker.anonymous_id().unwrap_or_default().to_owned();
        let (_, answer) =
            self.call("GET", &format!("/admin/v1/profiles/a:{id}{part}"), Vec::new())?;
        if let Some(events) = answer["events"].as_array() {
            for event in events {
                let hilo = &event["context"]["hilo"];
                let name = event["event"].as_str().unwrap_or_default();
                self.line(&format!(
                    "{} {name} channel {} at {}",
                    event["type"], hilo["channel"], event["timestamp"]
                ));
            }
            return Ok(());
        }
        self.line(&format!("first touch {}", answer["profile"]["firstTouch"]));
        self.line(&format!("consent {}", answer["consent"]));
        Ok(())
    }

    fn deliveries(&mut self) -> Result<(), String> {
        for request in self.edge.sent() {
            let body: Value =
                serde_json::from_str(&request.body).map_err(|error| error.to_string())?;
            let id = request.headers.get("webhook-id").unwrap_or_default();
            self.line(&format!(
                "{} {} {} webhook-id {id}",
                request.method, request.url, body["type"]
            ));
        }
        Ok(())
    }
}

/// An answer, a receipt shown by its size.
fn short(answer: &Value) -> String {
    let receipt = &answer["receipt"];
    if receipt.is_null() {
        return answer.to_string();
    }
    let changes = receipt["changes"].as_array().map_or(0, Vec::len);
    format!("receipt, revision {}, {changes} changes", receipt["revision"])
}
