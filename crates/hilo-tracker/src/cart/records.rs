//! The records of the cart's lines as JavaScript reads them: lines of cells separated by tabs, as `hilo_core::cart::flat` has
//! them.

use alloc::string::String;

use hilo_core::cart::LineInfo;
use hilo_core::cart::flat::write_line;
use hilo_core::digits::push;

use super::Replica;

/// Writes the lines as the visitor sees them: `units` and the line's cells, a record each.
pub fn write_shown(replica: &Replica, out: &mut String) {
    let unknown = LineInfo::default();
    for (key, units) in replica.shown().shown() {
        push(out, false, u64::from(units));
        write_line(out, key, replica.look(key).unwrap_or(&unknown));
        out.push('\n');
    }
}
