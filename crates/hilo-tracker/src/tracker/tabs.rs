//! Several tabs of one origin: which of them sends the events that are in storage.
//!
//! In: what `js/sdk/src/more/tabs.ts` settles between the tabs. Out: events that change hands. A tab sends its own events until it hands
//! them over; consent records stay with the tab where the visitor chose.

use super::Tracker;
use super::sending::TOGETHER_MS;
use crate::platform::Platform;

impl<P: Platform> Tracker<P> {
    /// Takes up the stored events of the tab `of`, which is closed or has handed them over, and keeps its own. Empty for those of every other
    /// tab, now and at each grant: nobody settles which tab sends.
    pub fn take_up(&mut self, of: &str) {
        self.is_alone |= of.is_empty();
        self.queue.is_handing_over = false;
        if self.gate.allows_id() && !self.is_over {
            self.recover_events(of);
            self.set_timer();
        }
    }

    /// Takes up stored events. They leave with this page's own.
    pub(super) fn recover_events(&mut self, of: &str) {
        self.queue.recover(of, &self.tab, &self.platform);
        if !self.queue.is_empty() {
            self.send_within(TOGETHER_MS);
        }
    }

    /// Leaves what is stored, now and from now on, to the tab that sends for all. Returns `false` where this tab cannot yet: a request is on
    /// its way, or the collector has not answered whose the id is.
    pub fn hand_over(&mut self) -> bool {
        let is_ready = self.is_certain && !self.is_busy();
        if is_ready {
            self.queue.is_handing_over = true;
            self.queue.write_group(&self.platform);
        }
        is_ready
    }
}
