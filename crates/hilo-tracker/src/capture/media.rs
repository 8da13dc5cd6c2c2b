//! Media: what visitors do with the page's own videos and sounds, in the words of Segment's video spec.
//!
//! In: the state of a player at each event, in the names of the spec. Out: the playback's and the content's events. A quarter of the
//! content counts once so much was played, not once the position is behind it.

use hilo_core::plain::Plain;
use hilo_core::redact;

use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment, write};
use crate::platform::codes::{
    MEDIA_ENDED, MEDIA_FAILED, MEDIA_GONE, MEDIA_PAUSED, MEDIA_PLAYING, MEDIA_SEEKING,
    MEDIA_SOUGHT, MEDIA_TIME, MEDIA_WAITING,
};

/// Players of a page; the page's half follows as many.
const PLAYERS_MAX: usize = 20;
/// A jump over less is a correction of the player's own.
const JUMP_S_MIN: i64 = 1;

/// What each event tells as the page's half gives it.
const FIELDS: &str =
    "session_id total_length sound video_player full_screen livestream autoplay frame";

const STARTED: &str = "Video Playback Started";
const PLAYING: &str = "Video Content Playing";

/// A player and its present playback.
#[derive(Debug, Default)]
struct Player {
    /// What the page told last.
    state: Plain,
    /// Whether a playback goes on, and how it is doing.
    is_open: bool,
    is_paused: bool,
    is_waiting: bool,
    is_seeking: bool,
    /// Quarters of the content that were played.
    quarters: i64,
}

/// The players of the page, by their number.
#[derive(Debug, Default)]
pub struct Media {
    players: Vec<Player>,
}

impl CaptureKind for Media {
    fn read(&mut self, cells: &Plain, _moment: &Moment) -> Vec<Captured> {
        let count = |name| cells.number(name).and_then(|number| usize::try_from(number).ok());
        let (Some(id), Some(step)) = (count("id"), count("step")) else { return Vec::new() };
        while id < PLAYERS_MAX && self.players.len() <= id {
            self.players.push(Player::default());
        }
        let step = u8::try_from(step).unwrap_or(u8::MAX);
        self.players.get_mut(id).map(|player| player.read(cells, step)).unwrap_or_default()
    }

    /// Every playback ends with the page.
    fn leave(&mut self, _moment: &Moment) -> Vec<Captured> {
        let mut told = Vec::new();
        for player in &mut self.players {
            if core::mem::take(&mut player.is_open) {
                told.push(player.event("Video Playback Exited", None));
            }
        }
        told
    }
}

impl Player {
    fn read(&mut self, cells: &Plain, step: u8) -> Vec<Captured> {
        let is_gone = step == MEDIA_GONE;
        let before = position(&self.state);
        if !is_gone {
            // A player that is gone may have other content already.
            self.state = cells.clone();
        }
        let is_jump = (position(cells) - before).abs() > JUMP_S_MIN;
        let mut told = Vec::new();
        // A busy page tells the time seldom, so several quarters may have passed, the third one before the end.
        while matches!(step, MEDIA_TIME | MEDIA_ENDED) && self.has_next_quarter() {
            told.push(self.event(PLAYING, None));
        }
        let names: &[&'static str] = match step {
            MEDIA_PLAYING if !self.is_open => {
                *self = Player { state: cells.clone(), is_open: true, ..Player::default() };
                &[STARTED, "Video Content Started"]
            }
            _ if !self.is_open => &[],
            MEDIA_PLAYING if self.is_paused => &["Video Playback Resumed"],
            MEDIA_PLAYING if self.is_waiting => &["Video Playback Buffer Completed"],
            MEDIA_PAUSED if !self.is_paused => &["Video Playback Paused"],
            MEDIA_WAITING if !self.is_waiting => &["Video Playback Buffer Started"],
            MEDIA_SEEKING if !self.is_seeking && is_jump => &["Video Playback Seek Started"],
            MEDIA_SOUGHT if self.is_seeking => &["Video Playback Seek Completed"],
            MEDIA_ENDED => &["Video Content Completed", "Video Playback Completed"],
            MEDIA_GONE => &["Video Playback Exited"],
            MEDIA_FAILED => &["Video Playback Interrupted"],
            _ => &[],
        };
        match step {
            MEDIA_PLAYING => (self.is_paused, self.is_waiting) = (false, false),
            MEDIA_PAUSED => self.is_paused = true,
            MEDIA_WAITING => self.is_waiting = true,
            MEDIA_SEEKING => self.is_seeking |= is_jump,
            MEDIA_SOUGHT => self.is_seeking = false,
            MEDIA_ENDED | MEDIA_GONE | MEDIA_FAILED => self.is_open = false,
            _ => {}
        }
        let from = (step == MEDIA_SEEKING).then_some(before);
        told.extend(names.iter().map(|name| self.event(name, from)));
        told
    }

    /// Counts the next quarter if it was played. The last one ends with the content.
    fn has_next_quarter(&mut self) -> bool {
        let count = |name| self.state.number(name).unwrap_or_default();
        let (played, length) = (count("played"), count("total_length"));
        let has_next = self.is_open
            && self.quarters < 3
            && length > 0
            && played * 4 >= length * (self.quarters + 1);
        self.quarters += i64::from(has_next);
        has_next
    }

    /// An event of the present state. A jump began at the position `from`.
    fn event(&self, name: &'static str, from: Option<i64>) -> Captured {
        let cells = &self.state;
        let asset = redact::url(cells.word("asset_id"));
        let mut json = Json::new();
        if name == STARTED && !asset.is_empty() {
            json.list("content_asset_ids").text("", &asset).end();
        } else if name.starts_with("Video C") {
            json.some("asset_id", &asset);
            write(&mut json, cells, "title");
        } else {
            json.some("content_asset_id", &asset);
        }
        if name == PLAYING {
            json.number("quartile", self.quarters * 25);
        }
        let position = position(cells);
        json.number("position", from.unwrap_or(position));
        if from.is_some() {
            json.number("seek_position", position);
        }
        write(&mut json, cells, FIELDS);
        Captured { name, properties: json.done() }
    }
}

fn position(cells: &Plain) -> i64 {
    cells.number("position").unwrap_or_default()
}
