//! What a request carries: its events as JSON, and the pieces that all of them share.
//!
//! In: the events of a request. Out: text for the envelope. Takes no event out of the queue.

use hilo_core::text::{cut, put};

use super::Queue;

/// The events of one request. Line breaks, which JSON has nowhere else, part an event into pieces: a beginning, its ids, `"context":{"hilo":{`,
/// its session, `}`, its page, `}`, `}`. The pieces that all events share stand once in the envelope.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<'q> {
    /// The events as a JSON list without its brackets; empty when there is nothing to send.
    pub events: String,
    /// Each of them is empty where events differ. Ids and page begin with a comma.
    pub ids: &'q str,
    /// `"session":{…}`.
    pub session: &'q str,
    /// `,"page":{…}`.
    pub page: &'q str,
}

impl Queue {
    /// The events of the request `ticket` as JSON, and what all of them share.
    pub fn batch(&self, ticket: u32) -> Batch<'_> {
        let (ids, session, page) =
            (self.shared(ticket, 1), self.shared(ticket, 3), self.shared(ticket, 5));
        // A bit for each piece that stands in the events, the first piece lowest.
        let mut own = 0b1000_0001;
        if ids.is_empty() {
            own |= 0b10;
        }
        if session.is_empty() {
            own |= 0b101_1100;
        }
        if page.is_empty() {
            own |= 0b111_0100;
        }
        let mut events = String::new();
        for event in self.events.iter().filter(|event| event.ticket == ticket) {
            if !events.is_empty() {
                put(&mut events, ",");
            }
            for nth in 0..8 {
                if own >> nth & 1 == 1 {
                    events.push_str(piece(&event.json, nth));
                }
            }
        }
        Batch { events, ids, session, page }
    }

    /// The piece number `nth` of the events of the request `ticket`, if it is the same in all of them; else empty. An event without
    /// its own would get the envelope's. So all events share a piece, or none does.
    #[inline(never)]
    fn shared(&self, ticket: u32, nth: u8) -> &str {
        let mut shared = "";
        for event in self.events.iter().filter(|event| event.ticket == ticket) {
            let piece = piece(&event.json, nth);
            if shared.is_empty() {
                shared = piece;
            }
            if shared != piece {
                return "";
            }
        }
        shared
    }
}

/// The piece number `nth` of an event, as [`Batch`] says; empty for none.
#[inline(never)]
fn piece(json: &str, nth: u8) -> &str {
    let mut rest = json;
    for _ in 0..nth {
        rest = cut(rest, b'\n').1.unwrap_or_default();
    }
    cut(rest, b'\n').0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform as _;
    use crate::shell::memory::Memory;

    #[test]
    fn what_all_events_share_is_written_once_and_what_differs_with_each_event() {
        let event = |[id, session, page]: [u8; 3]| {
            format!(
                "{{\"t\":1\n,\"a\":{id}\n,\"c\":{{\"h\":{{\n\"s\":{session}\n}}\n,\"p\":{page}\n}}\n}}"
            )
        };
        let (a, s, p) = (",\"a\":1", "\"s\":1", ",\"p\":1");
        for (second, events, shared) in [
            ([1, 1, 1], r#"{"t":1},{"t":1}"#, [a, s, p]),
            ([2, 1, 1], r#"{"t":1,"a":1},{"t":1,"a":2}"#, ["", s, p]),
            ([1, 2, 1], r#"{"t":1,"c":{"h":{"s":1}}},{"t":1,"c":{"h":{"s":2}}}"#, [a, "", p]),
            ([1, 1, 2], r#"{"t":1,"c":{"h":{},"p":1}},{"t":1,"c":{"h":{},"p":2}}"#, [a, s, ""]),
            (
                [2, 2, 2],
                r#"{"t":1,"a":1,"c":{"h":{"s":1},"p":1}},{"t":1,"a":2,"c":{"h":{"s":2},"p":2}}"#,
                ["", "", ""],
            ),
        ] {
            let (platform, mut queue) = (Memory::new("https://a.example/"), Queue::default());
            for pieces in [[1, 1, 1], second] {
                queue.push(platform.now_ms(), event(pieces), false, "t", &platform);
            }
            queue.load(1, 9, 1_000, &platform);
            let batch = queue.batch(1);
            let found = (batch.events.as_str(), [batch.ids, batch.session, batch.page]);
            assert_eq!(found, (events, shared));
        }
    }
}
