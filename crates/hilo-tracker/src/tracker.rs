//! The page's stages in order, as one state machine: capture → gate → identity → queue → transport.
//!
//! In: the site's calls and [`Happened`]. Out: requests and stored keys, through the platform. This file alone fixes the order
//! of the stages. It never panics and never waits.

mod consent;
mod envelope;
mod flight;
mod sending;
mod session;
mod stored;
mod tabs;
#[cfg(test)]
mod tests;
mod view;
mod views;
mod visitor;

use std::rc::Rc;

use hilo_core::identity::is_reserved;
use hilo_core::redact;
use hilo_core::text::concat;

use crate::capture::pages::Pages;
use crate::draft::{Draft, Kind, Scene};
use crate::gate::{Gate, Kept, Passage, notice};
use crate::identity::Session;
use crate::json::number;
use crate::platform::{Change, Happened, Place, Platform};
use crate::queue::Queue;
use crate::transport::Transport;
use flight::{ConsentRecord, Flight};
use stored::id_of;
use view::View;

/// Storage keys. The consent holds no identifier, and a denial that is still to be sent none but one that the page alone can prove; the
/// other keys exist after a grant only.
const CONSENT_KEY: &str = "hilo.c";
const ID_KEY: &str = "hilo.id";
const SESSION_KEY: &str = "hilo.s";
const CLAIM_KEY: &str = "hilo.u";
/// The proof of the id, which `js/sdk/src/page.ts` stores and sends where no cookie keeps it. It outlives the id until the denial
/// that needs it is sent.
const TOKEN_KEY: &str = "hilo.p";
/// The visitor's answers that the stub stored before a tracker was there, for `js/sdk/src/snippet.ts`.
const ANSWERS_KEY: &str = "hilo.a";
/// How often a page asks the collector to mend its id, from one denial or logout to the next: for an id that the cookie proves and, where the
/// cookie does not stay, for one with a token.
const ASKED_AGAIN_MAX: u8 = 2;

/// The site's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// Write key.
    pub key: String,
    /// Capture page views.
    pub pages: bool,
    /// Another query is another page.
    pub query: bool,
    /// A fragment may be a route.
    pub hash: bool,
    /// Keep no draft while the visitor has not answered, not even in memory.
    pub is_strict: bool,
    /// Let nothing pass before the page's consent tools were heard.
    pub is_awaiting: bool,
    /// Version of the notice that the site shows, for the receipts; empty for none.
    pub notice: String,
    /// This page's own number among the pages that share its storage.
    pub tab: u32,
}

/// The tracker of one page.
#[derive(Debug)]
pub struct Tracker<P> {
    options: Options,
    platform: P,
    gate: Gate,
    /// The present notice, as [`notice`] writes it: the site's, else the collector's.
    notice: i64,
    pages: Pages,
    /// The view that is not captured yet.
    view: Option<View>,
    queue: Queue,
    transport: Transport,
    /// The visitor as stored: the anonymous id; behind a blank the proof that this page made for it, until the collector knows another
    /// one. Where the collector has answered another id, the id that this page made follows with its proof. Empty without consent.
    visitor: String,
    /// Whether the collector has answered that the id is this page's, or an earlier page stored it so.
    is_certain: bool,
    /// Answers to requests up to this one tell nothing about the present visitor.
    heard: u32,
    /// The document's first place, before any navigation inside it.
    first: Place,
    /// The document's last place, without secrets and personal data.
    place: Place,
    /// The scene at `place`; `None` until a draft needs it.
    scene: Option<Rc<Scene>>,
    /// The stored session and claim, where this tab has read them: reading them for every event is too slow.
    session: Option<Session>,
    claim: Option<String>,
    /// This page's part of the storage keys: other tabs store events as well.
    tab: String,
    /// Whether this tab takes up by itself what other tabs left.
    is_alone: bool,
    flights: Vec<Flight>,
    records: Vec<ConsentRecord>,
    ticket: u32,
    flush_at_ms: Option<i64>,
    /// The moment at which the timer runs out.
    wakes_at_ms: Option<i64>,
    /// Whether a batch has left this page.
    has_sent: bool,
    /// Whether nobody sees the page.
    is_hidden: bool,
    is_over: bool,
    /// Whether the choices changed since [`Tracker::take_consent_change`].
    is_consent_new: bool,
    /// How often the collector was asked to mend the id: it missed the proof, or an id came after a denial or logout.
    asked_again: u8,
}

impl<P: Platform> Tracker<P> {
    /// A tracker that has not looked at the page yet.
    pub fn new(options: Options, platform: P) -> Tracker<P> {
        // The site stored the choices after an explicit answer, and they hold no identifier: reading them needs no consent.
        let denies = platform.denies();
        let kept = Kept::from_stored(&platform.load(CONSENT_KEY).unwrap_or_default(), denies);
        let gate = Gate::new(kept, denies, options.is_strict, options.is_awaiting);
        let tab = concat(&[&number(i64::from(options.tab)), "."]);
        platform.moved();
        let first = clean(platform.place());
        Tracker {
            place: first.clone(),
            scene: None,
            session: None,
            claim: None,
            pages: Pages::new(options.query, options.hash),
            notice: notice(&options.notice),
            view: None,
            options,
            gate,
            first,
            tab,
            is_alone: false,
            platform,
            queue: Queue::default(),
            transport: Transport::default(),
            visitor: String::new(),
            is_certain: false,
            heard: 0,
            flights: Vec::new(),
            records: Vec::new(),
            ticket: 0,
            flush_at_ms: None,
            wakes_at_ms: None,
            has_sent: false,
            is_hidden: false,
            is_over: false,
            is_consent_new: false,
            asked_again: 0,
        }
    }

    /// Comes to life if consent was given earlier, and captures the first view.
    pub fn begin(&mut self) {
        self.expire();
        if self.gate.allows_id() {
            self.awaken();
        } else {
            // A denial that no collector has heard of.
            self.recover_records();
        }
        self.look_first();
        self.set_timer();
    }

    /// Something happened outside.
    pub fn happened(&mut self, what: Happened) {
        if self.is_over {
            return;
        }
        self.expire();
        if !matches!(what, Happened::TaskEnded) {
            // What is sent, and what an answer stores, must undo no choice that another tab made a moment ago.
            self.catch_up();
        }
        match what {
            Happened::Navigated(change) => self.look(change),
            Happened::Ready => self.settle_first(),
            Happened::Shown => self.is_hidden = false,
            Happened::Restored => {
                self.is_hidden = false;
                self.pages.forget();
                // A frozen page receives no event about what other tabs and later pages store, a withdrawal among it.
                self.follow();
                self.look(Change::Went);
            }
            Happened::Hidden => {
                self.is_hidden = true;
                self.settle();
                self.send_all();
            }
            Happened::Online => {
                self.transport.hurry();
                self.send();
            }
            Happened::Woke => self.wake(),
            Happened::TaskEnded => {
                self.queue.write_group(&self.platform);
                if !self.is_hidden {
                    // The end of a task changes no timer.
                    return;
                }
                // A browser slows the timers of a hidden page down.
                self.hasten();
            }
            Happened::StoredElsewhere => self.follow(),
            Happened::Answered(answer) => self.answered(answer),
        }
        self.set_timer();
    }

    /// A named act.
    pub fn track(&mut self, event: &str, properties: &str, at_ms: i64) {
        self.track_as("", event, properties, at_ms);
    }

    /// A named act with a message id that the collector may use for the same act, such as an operation on a cart; empty to mint one.
    pub fn track_as(&mut self, id: &str, event: &str, properties: &str, at_ms: i64) {
        if event.is_empty() {
            self.platform.say("unnamed_event");
            return;
        }
        self.tell(Kind::Track, id, event, properties, at_ms);
    }

    /// A claim of a user id. A claim of another user than before means a new visitor on this device.
    pub fn identify(&mut self, user: &str, traits: &str, at_ms: i64) {
        if self.is_nobody(user) {
            return;
        }
        if self.platform.load(CLAIM_KEY).is_some_and(|known| known != user) {
            self.reset();
        }
        if self.gate.allows_id() {
            self.platform.save(CLAIM_KEY, user);
            self.claim = None;
        }
        self.tell(Kind::Identify, "", user, traits, at_ms);
    }

    /// The visitor belongs to a group.
    pub fn group(&mut self, id: &str, traits: &str, at_ms: i64) {
        if !self.is_nobody(id) {
            self.tell(Kind::Group, "", id, traits, at_ms);
        }
    }

    /// Whether an id must not be used. The developer gets a sentence about it.
    fn is_nobody(&self, id: &str) -> bool {
        let is_nobody = is_reserved(id);
        if is_nobody {
            self.platform.say(&concat(&["reserved_id ", id]));
        }
        is_nobody
    }

    fn tell(&mut self, kind: Kind, id: &str, name: &str, details: &str, at_ms: i64) {
        let (id, name, details) = (id.to_owned(), name.to_owned(), details.to_owned());
        let scene = self.here();
        self.capture(Draft { kind, name, details, id, at_ms, scene });
    }

    /// The session's id, if one is open.
    pub fn session_id(&self) -> Option<String> {
        Some(Session::from_stored(&self.platform.load(SESSION_KEY)?)?.id())
    }

    /// A time by the page's clock, without the clock's jumps.
    pub fn steady_ms(&self, at_ms: i64) -> i64 {
        self.platform.steady_ms(at_ms)
    }

    /// Sends the queue now.
    pub fn flush(&mut self) {
        self.expire();
        self.settle();
        self.transport.insist();
        self.hasten();
        self.set_timer();
    }

    /// Stops for good: nothing is captured or sent any more. Queued events stay for the next page.
    pub fn destroy(&mut self) {
        self.settle();
        self.queue.write_group(&self.platform);
        self.is_over = true;
    }

    /// Whether what happens now may be remembered until the second module can read it.
    pub fn admits(&self) -> bool {
        self.gate.admits()
    }

    /// Counts what the page lost before it became an event, by reason.
    pub fn lose(&mut self, reason: &'static str, count: u32) {
        self.queue.count(reason, count);
    }

    /// Forgets the session and claim that this tab read: another tab may have stored others.
    fn look_again(&mut self) {
        (self.session, self.claim) = (None, None);
    }

    fn capture(&mut self, draft: Draft) {
        if self.is_over {
            return;
        }
        if let Some(draft) = self.queue_behind_view(draft) {
            self.offer(draft);
        }
        self.set_timer();
    }

    /// Gives a draft to the gate.
    fn offer(&mut self, draft: Draft) {
        let what = match self.gate.is_open() {
            true => String::new(),
            false => concat(&[" ", draft.kind.name(), " ", &draft.name]),
        };
        match self.gate.offer(draft) {
            Passage::Passed(draft) => self.finish(draft),
            Passage::Held => self.platform.say(&concat(&["held", &what])),
            Passage::Dropped(reason) => {
                self.queue.count(reason, 1);
                self.platform.say(&concat(&[reason, &what]));
            }
        }
    }

    /// Takes a draft that passed the gate, gives it its identifiers and queues it.
    pub(super) fn finish(&mut self, draft: Draft) {
        let (session, landing) = self.session(&draft);
        let (landing, platform) = (landing.as_ref(), &self.platform);
        let claim = self.claim.get_or_insert_with(|| platform.load(CLAIM_KEY).unwrap_or_default());
        let id = id_of(&self.visitor);
        let json = envelope::event(&draft, id, claim, &session, landing, platform);
        if json.is_empty() && landing.is_some() {
            // The next event begins the session, and tells how it began.
            platform.remove(SESSION_KEY);
            self.look_again();
        }
        let is_essential = draft.kind == Kind::Track && draft.name == "Order Completed";
        if self.queue.push(draft.at_ms, json, is_essential, &self.tab, &self.platform) {
            self.platform.notice_task_end();
        }
        self.plan_flush(is_essential);
    }
}

/// A place without secrets and personal data in its addresses.
fn clean(place: Place) -> Place {
    Place { url: redact::url(&place.url), referrer: redact::url(&place.referrer), ..place }
}
