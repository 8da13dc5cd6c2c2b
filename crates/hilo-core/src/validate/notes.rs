//! Remarks on one item and its shortened fields, collected by the stages.
//! In: remarks. Out: bounded lists.

use crate::outcome::{Code, Rejection};

/// Remarks kept per item. Later remarks mostly repeat the first.
pub const NOTICES_MAX: usize = 16;

/// The remark on `NaN`, `Infinity` and numbers that no reader holds.
pub(super) const NOT_A_NUMBER: &str = "this is no number; it became null";

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

    /// Notes that an id was taken away. This remark stands first, so that no bound hides it.
    pub(super) fn taken_away(&mut self, why: Rejection) {
        self.notices.insert(0, why);
        self.notices.truncate(NOTICES_MAX);
    }

    /// Takes back the remark on a field, for a refusal in its place.
    pub(super) fn take(&mut self, field: &str) -> Option<Rejection> {
        let at = self.notices.iter().position(|notice| notice.field.as_deref() == Some(field))?;
        Some(self.notices.remove(at))
    }

    /// Notes that the field was shortened to its limit.
    pub(super) fn note_cut(&mut self, field: &str) {
        if self.truncated.len() < NOTICES_MAX {
            self.truncated.push(field.to_owned());
        }
        self.remark(Code::Truncated, field, "longer than its limit; the rest was cut off");
    }
}
