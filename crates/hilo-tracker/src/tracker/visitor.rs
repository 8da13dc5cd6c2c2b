//! Whose page it is: the visitor's id, how the page makes one and takes another, and the logout that ends it.
//!
//! A page makes its id itself and sends at once. The collector answers the id that the browser's cookie proves, or this one. Until then
//! each request shows the proof that the page made with the id, so a lost answer changes nothing.

use hilo_core::identity::{is_reserved, uuid_v4};
use hilo_core::text::concat;

use super::stored::{id_of, offer_of};
use super::{CLAIM_KEY, CONSENT_KEY, ID_KEY, SESSION_KEY, TOKEN_KEY, Tracker};
use crate::platform::Platform;
use crate::queue::PREFIX;

impl<P: Platform> Tracker<P> {
    /// The anonymous id, once consent allows one and it is certain.
    pub fn anonymous_id(&self) -> Option<&str> {
        if self.is_certain { Some(id_of(&self.visitor)) } else { None }
    }

    /// Logout: the next visitor on this device is a new one.
    pub fn reset(&mut self) {
        self.settle();
        for key in [ID_KEY, SESSION_KEY, CLAIM_KEY, TOKEN_KEY] {
            self.platform.remove(key);
        }
        self.look_again();
        if !self.visitor.is_empty() {
            let id = self.new_id();
            self.platform.save(ID_KEY, &id);
            self.meet(id);
            self.asked_again = 0;
            // The collector's cookie must change too, or the next page would restore the old id. Where this hello is lost, the next
            // batch or page says it again.
            self.gate.forget_terms();
            self.platform.save(CONSENT_KEY, &self.gate.stored());
            self.greet();
        }
        self.set_timer();
    }

    /// Goes on with the stored visitor of this device, or with a new one. What this tab knows of its own id is enough where that is certain.
    pub(super) fn find_visitor(&mut self) {
        let mut stored = self.platform.load(ID_KEY).unwrap_or_default();
        if is_reserved(id_of(&stored)) {
            stored = concat(&[&self.new_id(), " ", &self.new_id()]);
            self.platform.save(ID_KEY, &stored);
        }
        if !(self.is_certain && id_of(&stored) == id_of(&self.visitor)) {
            self.meet(stored);
        }
    }

    /// Goes on with the stored visitor, where that is another one than the page's.
    pub(super) fn find_other(&mut self) {
        let stored = self.platform.load(ID_KEY).unwrap_or_default();
        if !self.visitor.is_empty() && id_of(&stored) != id_of(&self.visitor) {
            self.find_visitor();
        }
    }

    /// A random id.
    #[inline(never)]
    fn new_id(&self) -> String {
        uuid_v4(self.platform.random16())
    }

    /// Goes on with this visitor.
    pub(super) fn meet(&mut self, visitor: String) {
        self.is_certain = offer_of(&visitor).len() < visitor.len();
        self.visitor = visitor;
        self.heard = self.ticket;
    }

    /// Takes the visitor whom the collector answers. Events of the id that this page made may wait, in other tabs too: their hello still
    /// offers that id, and the collector answers the same.
    pub(super) fn take_visitor(&mut self, visitor: &str) {
        let (id, offer) = (id_of(visitor), offer_of(&self.visitor));
        // What waits is stored, also that of a tab which was closed.
        let has_sent_all = self.is_certain && self.queue.is_empty();
        let is_done = offer.is_empty()
            || id_of(offer) == id
            || has_sent_all && self.platform.keys(PREFIX).is_empty();
        let visitor = if is_done { visitor.to_owned() } else { concat(&[id, " ", offer]) };
        self.platform.save(ID_KEY, &visitor);
        self.visitor = visitor;
        self.is_certain = true;
    }

    /// Asks for another id, or what is recorded for this one. Returns `false` where the page has no id.
    pub(super) fn ask(&mut self) -> bool {
        let has_id = !self.visitor.is_empty();
        if has_id {
            // The hello names the page's own id: the cookie may still be that of a visitor who has logged out.
            self.greet();
        }
        has_id
    }
}
