//! Engagement: how long the visitor used a view, how long the view was visible, and how far down it was read.
//!
//! In: the page's state at each change. Out: "Page Engaged" when the view is left or hidden. A view that is shown again goes on, and
//! its next event has the time since then under the next number; the sums are the view's.
//!
//! Time counts as engaged while the page is visible and has the focus, and the visitor did something lately or media play.

use hilo_core::plain::Plain;

use super::pages::Pages;
use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment};

/// How long a visitor who does nothing counts as reading.
const READING_MS: i64 = 60_000;
/// A shorter time is not worth an event.
const ENGAGED_MS_MIN: i64 = 1_000;

/// The view that the visitor is at.
#[derive(Debug, Default)]
pub struct Engagement {
    url: String,
    /// The path of `url`, without secrets.
    path: String,
    /// Until when the times below are added up.
    since_ms: i64,
    /// Until when the visitor counts as reading.
    reads_until_ms: i64,
    is_visible: bool,
    is_focused: bool,
    is_playing: bool,
    /// Since the last event of this view.
    engaged_ms: i64,
    visible_ms: i64,
    interactions: i64,
    /// Events of this view.
    parts: i64,
    /// The lowest pixel that was visible, and the height of the page.
    seen_px: i64,
    height_px: i64,
}

impl CaptureKind for Engagement {
    fn read(&mut self, cells: &Plain, moment: &Moment) -> Vec<Captured> {
        self.pass(moment.elapsed_ms);
        let count = |name| cells.number(name).unwrap_or_default();
        self.interactions += count("acts");
        self.seen_px = self.seen_px.max(count("seen"));
        self.height_px = self.height_px.max(count("height"));
        let is_visible = cells.flag("isVisible");
        let is_next = self.is_next(cells);
        let mut told = None;
        if is_next || self.is_visible && !is_visible {
            told = self.part();
        }
        if is_next {
            let (url, path) = (cells.word("url").to_owned(), moment.path.clone());
            let since_ms = self.since_ms;
            *self = Engagement { url, path, since_ms, ..Engagement::default() };
        }
        let is_focused = cells.flag("isFocused");
        let is_back = is_visible && !self.is_visible || is_focused && !self.is_focused;
        // A visitor who has just come, or come back, reads.
        if is_back || cells.flag("isActive") {
            self.reads_until_ms = self.since_ms + READING_MS;
        }
        (self.is_visible, self.is_focused) = (is_visible, is_focused);
        self.is_playing = cells.flag("isPlaying");
        told.into_iter().collect()
    }
}

impl Engagement {
    /// Whether another view begins.
    fn is_next(&self, cells: &Plain) -> bool {
        let is_there = || {
            let pages = Pages::new(cells.flag("hasQuery"), cells.flag("hasHash"));
            pages.is_same(&self.url, cells.word("url"), !cells.flag("isReplaced"))
        };
        cells.flag("isRestored") || cells.flag("isView") && !is_there()
    }

    /// Adds the time until now, in which the state was the last one.
    fn pass(&mut self, now_ms: i64) {
        let passed = (now_ms - self.since_ms).max(0);
        if self.is_visible {
            self.visible_ms += passed;
            if self.is_focused {
                let read_ms = (self.reads_until_ms - self.since_ms).max(0).min(passed);
                self.engaged_ms += if self.is_playing { passed } else { read_ms };
            }
        }
        self.since_ms += passed;
    }

    /// What is new since the last event of the view, if it is worth one.
    fn part(&mut self) -> Option<Captured> {
        if self.engaged_ms < ENGAGED_MS_MIN {
            return None;
        }
        self.parts += 1;
        let mut json = Json::new();
        json.text("path", &self.path).number("engaged_ms", self.engaged_ms);
        json.number("visible_ms", self.visible_ms);
        if self.height_px > 0 {
            let seen_px = self.seen_px.min(self.height_px);
            json.number("scroll_max_pct", seen_px * 100 / self.height_px);
            json.number("scroll_max_px", seen_px).number("height_px", self.height_px);
        }
        json.number("interactions", self.interactions).number("part", self.parts);
        (self.engaged_ms, self.visible_ms, self.interactions) = (0, 0, 0);
        Some(Captured { name: "Page Engaged", properties: json.done() })
    }
}
