//! Remarks and cuts, collected on the way through one item.
//! In: what a stage has to say. Out: bounded lists.

use crate::outcome::{Code, Rejection};

/// Remarks kept per item; the ones after it say nothing that the first did not.
pub const NOTICES_MAX: usize = 16;

/// Remarks and cuts collected on the way through an item.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) notices: Vec<Rejection>,
    pub(super) truncated: Vec<String>,
}

impl Notes {
    pub(super) fn remark(&mut self, code: Code, field: &str, message: &str) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(Rejection::at(code, field, message));
        }
    }

    /// Notes that the field was cut to its limit.
    pub(super) fn note_cut(&mut self, field: &str) {
        if self.truncated.len() < NOTICES_MAX {
            self.truncated.push(field.to_owned());
        }
        self.remark(Code::Truncated, field, "longer than its limit; the rest was cut off");
    }
}
