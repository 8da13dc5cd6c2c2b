//! What outlives the page: the replica as one text, which is read whole or not at all.
//!
//! In and out: `hilo_core::cart::flat`. The text has the operations of a writer, under the writer's name, and not the writer. The
//! next page writes under a new name, because a stored writer could be an old copy of itself.

use alloc::string::String;
use alloc::vec::Vec;

use hilo_core::cart::flat;
use hilo_core::cart::replica::KeptReplica;

use super::{Mint, Replica, Touchpoint, put_in_group};

impl Replica {
    /// The text to store, after every act and before a message is sent. The page stores [`Replica::drafts`] with it.
    pub fn stored_text(&self) -> String {
        let mut waiting = self.groups.clone();
        if let Some(me) = &self.me {
            for (at, op) in self.ops.iter().enumerate() {
                put_in_group(&mut waiting, me, self.dot(me.replica, at).n, &op.delta);
            }
        }
        flat::write_kept(&self.label, self.rev, &self.known, &waiting)
    }

    /// The touchpoints of operations that may still change. They are final once the stored text is opened, so the page that
    /// opens it reports them.
    pub fn drafts(&self) -> Vec<Touchpoint> {
        let mut drafts = Vec::new();
        if let Some(me) = &self.me {
            for (at, op) in self.ops.iter().enumerate() {
                if let Some(touchpoint) = self.touchpoint(self.dot(me.replica, at), op) {
                    drafts.push(touchpoint);
                }
            }
        }
        drafts
    }

    /// Opens a text of [`Replica::stored_text`]. Its beginning, in whole lines, can be opened as well.
    pub fn open(text: &str, mint: Mint) -> Option<Replica> {
        let mut replica = Replica::new(mint);
        replica.restore(text).map(|()| replica)
    }

    /// Becomes the replica of a text of [`Replica::stored_text`]. A text that cannot be read changes nothing.
    pub fn restore(&mut self, text: &str) -> Option<()> {
        let kept = flat::read_kept(text)?;
        self.ops.clear();
        self.touchpoints.clear();
        self.lost = 0;
        self.begin(kept);
        Some(())
    }

    /// Logout: forgets the cart.
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
