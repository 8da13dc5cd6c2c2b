//! The records that JavaScript reads: lines as they look, and touchpoints.
//!
//! In and out: lines of cells separated by tabs, escaped as in `hilo_core::cart::flat`. Whether a touchpoint may be reported is
//! the gate's question.

use hilo_core::cart::digits::push;
use hilo_core::cart::touchpoint::operation_id;
use hilo_core::cart::{Dot, LineInfo, LineKey};

use super::Replica;

/// A quantity that changed, once final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The operation: page and hub mean the same one by it.
    pub dot: Dot,
    /// The line.
    pub line: LineKey,
    /// Units gained (`Product Added`) or lost (`Product Removed`); never 0.
    pub change: i64,
    /// How the line looks.
    pub look: LineInfo,
}

impl Touch {
    /// `change`, the line's cells, and the message id, which derives from the operation.
    pub fn write(&self, out: &mut String) {
        push(out, self.change < 0, self.change.unsigned_abs());
        line(out, &self.line, &self.look);
        out.push('\t');
        out.push_str(&operation_id(self.dot));
        out.push('\n');
    }
}

/// Writes the lines as the person sees them: `units` and the line's cells, a line each.
pub fn write_shown(replica: &Replica, out: &mut String) {
    let unknown = LineInfo::default();
    for (key, units) in replica.shown().shown() {
        push(out, false, u64::from(units));
        line(out, key, replica.look(key).unwrap_or(&unknown));
        out.push('\n');
    }
}

/// Writes the cells `variant options currency decimals price name url image`; what is unknown is empty.
fn line(out: &mut String, line: &LineKey, look: &LineInfo) {
    text(out, &line.variant);
    number(out, line.options_hash);
    text(out, line.currency.code());
    number(out, u64::from(line.currency.exponent()));
    match look.unit_price {
        Some(minor) => signed(out, minor),
        None => out.push('\t'),
    }
    for field in [&look.name, &look.url, &look.image] {
        text(out, field.as_deref().unwrap_or_default());
    }
}

/// Writes a cell with a number.
fn number(out: &mut String, value: u64) {
    out.push('\t');
    push(out, false, value);
}

fn signed(out: &mut String, value: i64) {
    out.push('\t');
    push(out, value < 0, value.unsigned_abs());
}

/// Writes a cell with text.
fn text(out: &mut String, value: &str) {
    out.push('\t');
    for char in value.chars() {
        let escaped = match char {
            '\t' => 't',
            '\n' => 'n',
            '\\' => '\\',
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.push('\\');
        out.push(escaped);
    }
}
