//! What outlives the page: the replica as one text, read again whole or not at all.
//!
//! In and out: `hilo_core::cart::flat`. The writer itself is not kept: what it wrote is, under its name, and the next page
//! writes under a new one, for a stored writer could be an old copy of itself.

use hilo_core::cart::flat;
use hilo_core::cart::replica::Kept;

use super::{Mint, Replica, Touch, put_in_group};

impl Replica {
    /// Everything to be kept, now: after every act, and before a message is sent. With it go [`Replica::drafts`].
    pub fn kept(&self) -> String {
        let mut waiting = self.groups.clone();
        if let Some(me) = &self.me {
            for op in &self.ops {
                put_in_group(&mut waiting, me, op.n, op.delta.clone());
            }
        }
        let (cart, known) = (self.label.clone(), self.known.clone());
        flat::write_kept(&Kept { cart, rev: self.rev, known, waiting })
    }

    /// The touchpoints of what may still change. Whoever opens what was kept reports them: there it is final.
    pub fn drafts(&self) -> Vec<Touch> {
        let touch = |op| self.me.as_ref().and_then(|me| self.touch(me, op));
        self.ops.iter().filter_map(touch).collect()
    }

    /// What [`Replica::kept`] wrote. Its beginning, in whole lines, can be opened as well.
    pub fn open(text: &str, mint: Mint) -> Option<Replica> {
        let Kept { cart, rev, known, waiting } = flat::read_kept(text)?;
        let mut replica = Replica::new(mint);
        (replica.label, replica.rev, replica.known) = (cart, rev, known);
        replica.groups = waiting;
        replica.rebuild();
        Some(replica)
    }
}
