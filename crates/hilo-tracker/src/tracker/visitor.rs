//! Whose page it is: the visitor's id, how the page asks for it, and the logout that ends it.

use hilo_core::identity::uuid_v4;

use super::{CLAIM_KEY, HELLO_MS_MAX, ID_KEY, SESSION_KEY, TOKEN_KEY, Tracker, Visitor};
use crate::platform::Platform;

impl<P: Platform> Tracker<P> {
    /// The anonymous id, once consent allows one and it is certain.
    pub fn anonymous_id(&self) -> Option<&str> {
        match &self.visitor {
            Visitor::Known(id) => Some(id),
            Visitor::Unknown | Visitor::Asking(_) => None,
        }
    }

    /// Logout: the next visitor on this device is a new one.
    pub fn reset(&mut self) {
        self.settle();
        if let Visitor::Asking(_) = self.visitor {
            // What waits happened before the logout, and the answer would be about the visitor who leaves.
            self.take_id(String::new());
        }
        for key in [ID_KEY, SESSION_KEY, CLAIM_KEY, TOKEN_KEY] {
            self.platform.remove(key);
        }
        self.look_again();
        if let Visitor::Known(_) = self.visitor {
            let id = uuid_v4(self.platform.random16());
            self.platform.save(ID_KEY, &id);
            self.visitor = Visitor::Known(id);
            // The collector's cookie must change too, or the next page would restore the old id.
            self.greet();
        }
        self.set_timer();
    }

    /// Asks for another id, or what is recorded for this one. Returns `false` where the page has no id.
    pub(super) fn ask(&mut self) -> bool {
        let Visitor::Known(id) = &self.visitor else { return false };
        let spare = id.clone();
        // The hello names the page's own id: the cookie may still be that of a visitor who has logged out.
        self.greet();
        self.wait_for_id(spare);
        true
    }

    /// Waits for an id. `spare` counts if the collector has none, or does not answer soon.
    pub(super) fn wait_for_id(&mut self, spare: String) {
        self.spare = spare;
        self.visitor = Visitor::Asking(self.platform.monotonic_ms() + HELLO_MS_MAX);
    }
}
