//! What outlives the page: the replica as one text, and as much of it as can be read again.
//!
//! In and out: `hilo_core::cart::flat`, behind the touchpoints that were not reported yet. The writer itself is not kept: what
//! it wrote is, under its name, and the next page writes under a new one, for a stored writer could be an old copy of itself.

use hilo_core::cart::flat;
use hilo_core::cart::replica::Kept;

use super::{Mint, Replica, Touch, put_in_group};

/// Bytes that are kept. A cart with more forgets how its lines look, which the hub still knows.
const KEPT_BYTES_MAX: usize = 512 * 1024;

/// The last line. Where it is missing, something before it is too.
const END: &str = "\n.";

impl Replica {
    /// Everything to be kept, now: after every act, and before a message is sent.
    pub fn kept(&self) -> String {
        let mut waiting = self.groups.clone();
        let mut touches = self.touches.clone();
        if let Some(me) = &self.me {
            for op in &self.ops {
                touches.extend(self.touch(me, op));
                put_in_group(&mut waiting, me, op.n, op.delta.clone());
            }
        }
        let known = self.known.clone();
        let mut kept = Kept { cart: self.label.clone(), rev: self.rev, known, waiting };
        let text = written(&touches, &kept);
        if text.len() <= KEPT_BYTES_MAX {
            return text;
        }
        kept.known.info.clear();
        kept.rev = 0; // asked with it, the hub tells everything
        written(&touches, &kept)
    }

    /// What [`Replica::kept`] wrote, and whether something of it could not be read: then as much as stands before that, and
    /// the hub is asked for the whole cart.
    pub fn open(text: &str, mint: Mint) -> (Replica, bool) {
        let mut replica = Replica::new(mint);
        let mut rest = text;
        while let Some((line, behind)) = rest.split_once('\n') {
            let Some(touch) = Touch::read(line) else { break };
            replica.touches.push(touch);
            rest = behind;
        }
        let (kept, is_whole) = readable(rest);
        let Kept { cart, rev, known, waiting } = kept;
        (replica.label, replica.rev, replica.known) = (cart, rev, known);
        replica.groups = waiting;
        replica.is_stale = !is_whole;
        replica.rebuild();
        (replica, !is_whole)
    }
}

fn written(touches: &[Touch], kept: &Kept) -> String {
    let mut text = String::new();
    for touch in touches {
        touch.write(&mut text);
        text.push('\n');
    }
    text.push_str(&flat::write_kept(kept));
    text.push_str(END);
    text
}

/// The longest beginning, in whole lines, that can be read, and whether that is all of it.
fn readable(text: &str) -> (Kept, bool) {
    if text.len() > 2 * KEPT_BYTES_MAX {
        return (Kept::default(), false);
    }
    if let Some(kept) = text.strip_suffix(END).and_then(flat::read_kept) {
        return (kept, true);
    }
    // A beginning of a readable beginning is readable, so halving finds the longest.
    let ends: Vec<usize> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'\n')
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let (mut best, mut low, mut high) = (Kept::default(), 0, ends.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let end = ends.get(middle).copied().unwrap_or_default();
        match text.get(..end).and_then(flat::read_kept) {
            Some(kept) => (best, low) = (kept, middle + 1),
            None => high = middle,
        }
    }
    (best, false)
}
