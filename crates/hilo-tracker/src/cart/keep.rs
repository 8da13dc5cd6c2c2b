//! What outlives the page: the replica as one text, read again whole or not at all.
//!
//! In and out: `hilo_core::cart::flat`. The writer itself is not kept: what it wrote is, under its name, and the next page
//! writes under a new one, for a stored writer could be an old copy of itself.

use alloc::string::String;
use alloc::vec::Vec;

use hilo_core::cart::flat;
use hilo_core::cart::replica::KeptReplica;

use super::{Mint, Replica, Touch, put_in_group};

impl Replica {
    /// Everything to be kept, now: after every act, and before a message is sent. With it go [`Replica::drafts`].
    pub fn kept(&self) -> String {
        let mut waiting = self.groups.clone();
        if let Some(me) = &self.me {
            for (at, op) in self.ops.iter().enumerate() {
                put_in_group(&mut waiting, me, self.dot(me.replica, at).n, &op.delta);
            }
        }
        flat::write_kept(&self.label, self.rev, &self.known, &waiting)
    }

    /// The touchpoints of what may still change. Whoever opens what was kept reports them: there it is final.
    pub fn drafts(&self) -> Vec<Touch> {
        let mut drafts = Vec::new();
        if let Some(me) = &self.me {
            for (at, op) in self.ops.iter().enumerate() {
                if let Some(touch) = self.touch(self.dot(me.replica, at), op) {
                    drafts.push(touch);
                }
            }
        }
        drafts
    }

    /// What [`Replica::kept`] wrote. Its beginning, in whole lines, can be opened as well.
    pub fn open(text: &str, mint: Mint) -> Option<Replica> {
        let mut replica = Replica::new(mint);
        replica.restore(text).map(|()| replica)
    }

    /// Becomes what [`Replica::kept`] wrote. What cannot be read changes nothing.
    pub fn restore(&mut self, text: &str) -> Option<()> {
        let kept = flat::read_kept(text)?;
        self.ops.clear();
        self.touches.clear();
        self.lost = 0;
        self.begin(kept);
        Some(())
    }

    /// Logout: nothing of this cart stays here.
    pub fn leave(&mut self) {
        self.seal();
        self.begin(KeptReplica::default());
    }

    fn begin(&mut self, KeptReplica { cart, rev, known, waiting }: KeptReplica) {
        (self.label, self.rev, self.known, self.groups) = (cart, rev, known, waiting);
        (self.me, self.is_stale, self.ended) = (None, false, None);
        self.rebuild();
    }
}
