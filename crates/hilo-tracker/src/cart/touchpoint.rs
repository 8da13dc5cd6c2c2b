//! A touchpoint of the cart, and its record for JavaScript.
//!
//! In: the replica's final changes. Out: lines of cells separated by tabs, as `hilo_core::cart::flat` has them. The gate decides
//! whether a touchpoint may be reported.

use alloc::string::String;

use hilo_core::cart::flat::write_line;
use hilo_core::cart::{Dot, LineInfo, LineKey};
use hilo_core::digits::push;

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
