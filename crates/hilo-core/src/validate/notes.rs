//! Remarks on one item and its shortened fields, collected by the stages.
//! In: remarks. Out: bounded lists.

use crate::outcome::{Code, Rejection};

/// Remarks kept per item. Later remarks mostly repeat the first.
pub const NOTICES_MAX: usize = 16;

/// Remarks on one item, and the paths of its shortened fields.
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

    /// Notes that the field was shortened to its limit.
    pub(super) fn note_cut(&mut self, field: &str) {
        if self.truncated.len() < NOTICES_MAX {
            self.truncated.push(field.to_owned());
        }
        self.remark(Code::Truncated, field, "longer than its limit; the rest was cut off");
    }
}
