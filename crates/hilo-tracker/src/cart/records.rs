//! The records that JavaScript reads: lines as they look, and touchpoints.
//!
//! In and out: lines of cells separated by tabs, as `hilo_core::cart::flat` has them. Whether a touchpoint may be reported is
//! the gate's question.

use alloc::string::String;

use hilo_core::cart::flat::write_line;
use hilo_core::cart::{Dot, LineInfo, LineKey};
use hilo_core::digits::push;

use super::Replica;

/// A line's quantity that changed, once the change is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touchpoint {
    /// The operation. Page and hub derive the same message id from it.
    pub dot: Dot,
    /// The line.
    pub line: LineKey,
    /// Units gained (`Product Added`) or lost (`Product Removed`); never 0.
    pub change: i64,
    /// How the line looks.
    pub look: LineInfo,
}

/// Writes touchpoints, a record each.
pub fn write_touchpoints(touchpoints: &[Touchpoint], out: &mut String) {
    touchpoints.iter().for_each(|touchpoint| touchpoint.write(out));
}

impl Touchpoint {
    /// Writes `change`, the message id, which derives from the operation, and the line's cells.
    pub fn write(&self, out: &mut String) {
        push(out, self.change < 0, self.change.unsigned_abs());
        out.push('\t');
        out.push_str(&self.dot.id());
        write_line(out, &self.line, &self.look);
        out.push('\n');
    }
}

/// Writes the lines as the visitor sees them: `units` and the line's cells, a record each.
pub fn write_shown(replica: &Replica, out: &mut String) {
    let unknown = LineInfo::default();
    for (key, units) in replica.shown().shown() {
        push(out, false, u64::from(units));
        write_line(out, key, replica.look(key).unwrap_or(&unknown));
        out.push('\n');
    }
}
