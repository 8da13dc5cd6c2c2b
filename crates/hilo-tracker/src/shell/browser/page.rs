//! The page as browsers have it. The twin of `shell/memory.rs`.
//!
//! Every function here returns at once; `js/sdk/src/page.ts` holds what calls back, and `storage.ts` what is stored. One function
//! gives every text: each way of its own to pass text would be code in both languages. Nothing here throws into the page.

use std::cell::Cell;

use hilo_core::consent::PurposeSet;
use hilo_core::text::cut;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::platform::{Place, Platform, Request, codes};

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since the epoch.
    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;
    /// Milliseconds since the page began.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn elapsed() -> f64;
}

#[wasm_bindgen(raw_module = "hilo-page")]
extern "C" {
    /// The text that one of the `ASK_` codes asks for, about `key` or about the time `ms`.
    fn ask(what: u8, key: &str, ms: f64) -> String;
    fn moved() -> bool;
    fn post(ticket: u32, path: &str, body: &str);
    #[wasm_bindgen(js_name = wakeIn)]
    fn wake_in(ms: f64);
    fn say(code: &str);
    #[wasm_bindgen(js_name = noticeTaskEnd)]
    fn notice_task_end();
}

#[wasm_bindgen(raw_module = "hilo-storage")]
extern "C" {
    /// Writes a key. Returns the `PERSISTENCE_` code of its place.
    fn save(key: &str, value: &str) -> u8;
    fn remove(key: &str);
    /// The `PERSISTENCE_` code of the place of the last key.
    fn persistence() -> u8;
    /// 32 random bits.
    fn random() -> u32;
}

/// A clock that tells an earlier time than this, or none, was never set. The collector reads no time before 1971.
const CLOCK_MS_MIN: i64 = 1_000_000_000_000;
/// A clock that goes ahead by less was right while the device slept, when `performance.now` stands still in some browsers. One that
/// goes ahead by more, or back, has jumped: events before and after the jump keep their distance.
const SLEEP_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// A clock that seems to go back by less has not jumped: two clocks are read one after the other, and a slow machine may pause in between.
const PAUSE_MS_MAX: i64 = 1_000;

/// When the page began, by the page's clock as it is now.
#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds of a date fit by definition; NaN becomes 0"
)]
pub(super) fn began_ms() -> i64 {
    (now() as i64).max(CLOCK_MS_MIN) - elapsed() as i64
}

/// The page of this window.
pub(super) struct Browser {
    /// When the page began, by the clock as it was before any jump.
    pub(super) began_ms: Cell<i64>,
    /// The first address of the tab's history, which `page.ts` read at the start.
    pub(super) first_in_history: Option<String>,
    pub(super) denies: PurposeSet,
}

impl Platform for Browser {
    #[expect(clippy::cast_possible_truncation, reason = "as in `began_ms`")]
    fn now_ms(&self) -> i64 {
        self.steady_ms(now() as i64)
    }

    fn steady_ms(&self, at_ms: i64) -> i64 {
        let jumped = began_ms() - self.began_ms.get();
        // A clock that was never set stands still.
        if at_ms < CLOCK_MS_MIN || !(-PAUSE_MS_MAX..SLEEP_MS_MAX).contains(&jumped) {
            return at_ms.max(CLOCK_MS_MIN) - jumped;
        }
        self.began_ms.set(self.began_ms.get() + jumped.max(0));
        // Exactly the page's time: events of one moment keep their order.
        at_ms
    }

    #[expect(clippy::cast_precision_loss, reason = "`page.ts` bounds it to what a Date can hold")]
    fn iso(&self, ms: i64) -> String {
        ask(codes::ASK_ISO, "", ms as f64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a page does not live for centuries")]
    fn monotonic_ms(&self) -> i64 {
        elapsed() as i64
    }

    fn random16(&self) -> [u8; 16] {
        let word = || (u64::from(random()) << 32) | u64::from(random());
        ((u128::from(word()) << 64) | u128::from(word())).to_le_bytes()
    }

    fn denies(&self) -> PurposeSet {
        self.denies
    }

    fn moved(&self) -> bool {
        moved()
    }

    fn place(&self) -> Place {
        let lines = ask(codes::ASK_PLACE, "", 0.0);
        let (url, rest) = cut(&lines, b'\n');
        let (referrer, title) = cut(rest.unwrap_or_default(), b'\n');
        let title = title.unwrap_or_default();
        Place { url: url.to_owned(), referrer: referrer.to_owned(), title: title.to_owned() }
    }

    fn first_in_history(&self) -> Option<String> {
        self.first_in_history.clone()
    }

    fn surroundings(&self, readable: &str) -> String {
        ask(codes::ASK_SURROUNDINGS, readable, 0.0)
    }

    fn load(&self, key: &str) -> Option<String> {
        // The tracker stores no empty text.
        Some(ask(codes::ASK_STORED, key, 0.0)).filter(|value| !value.is_empty())
    }

    fn save(&self, key: &str, value: &str) -> bool {
        save(key, value) != codes::PERSISTENCE_MEMORY
    }

    fn persistence(&self) -> u8 {
        persistence()
    }

    fn remove(&self, key: &str) {
        remove(key);
    }

    fn keys(&self, prefix: &str) -> String {
        ask(codes::ASK_KEYS, prefix, 0.0)
    }

    fn post(&self, request: Request) {
        post(request.ticket, request.call.path(), &request.body);
    }

    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    fn wake_in(&self, ms: i64) {
        wake_in(ms as f64);
    }

    fn notice_task_end(&self) {
        notice_task_end();
    }

    fn changed(&self, json: String) -> String {
        ask(codes::ASK_CHANGED, &json, 0.0)
    }

    fn say(&self, code: &str) {
        say(code);
    }
}
