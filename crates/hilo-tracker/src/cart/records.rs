//! The records that JavaScript reads: lines as they look, and touchpoints, which are also kept until they are reported.
//!
//! In and out: lines of cells separated by tabs, escaped as in `hilo_core::cart::flat`. Whether a touchpoint may be reported is
//! the gate's question.

use hilo_core::cart::digits::{digits, read, read_signed};
use hilo_core::cart::{Dot, LineInfo, LineKey, ReplicaId};
use hilo_core::money::Currency;

use super::Replica;

/// A quantity that changed, once final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The operation: the message id derives from it, so that page and hub mean the same one.
    pub dot: Dot,
    /// The line.
    pub line: LineKey,
    /// Units gained (`Product Added`) or lost (`Product Removed`); never 0.
    pub change: i64,
    /// How the line looks.
    pub look: LineInfo,
}

impl Touch {
    /// `t replica n change` and the line's cells; what is to be reported ends with the message id.
    pub fn write(&self, out: &mut String) {
        out.push('t');
        number(out, self.dot.r.0);
        number(out, u64::from(self.dot.n));
        signed(out, self.change);
        line(out, &self.line, &self.look);
    }

    /// Reads what [`Touch::write`] wrote.
    pub fn read(text: &str) -> Option<Touch> {
        let mut cells = text.split('\t');
        if cells.next()? != "t" {
            return None;
        }
        let r = ReplicaId(read(cells.next()?)?);
        let n = u32::try_from(read(cells.next()?)?).ok()?;
        let change = read_signed(cells.next()?)?;
        let variant = plain(cells.next()?)?;
        let options_hash = read(cells.next()?)?;
        let currency = Currency::parse(cells.next()?)?;
        let _exponent = cells.next()?;
        let price = cells.next()?;
        let unit_price = if price.is_empty() { None } else { Some(read_signed(price)?) };
        let mut text = || {
            let text = plain(cells.next()?)?;
            Some(if text.is_empty() { None } else { Some(text) })
        };
        let (name, url, image) = (text()?, text()?, text()?);
        let look = LineInfo { name, url, image, unit_price };
        Some(Touch {
            dot: Dot { r, n },
            line: LineKey { variant, options_hash, currency },
            change,
            look,
        })
    }
}

/// Writes the lines as the person sees them: `units` and the line's cells, a line each.
pub fn write_shown(replica: &Replica, out: &mut String) {
    let unknown = LineInfo::default();
    for (key, units) in replica.shown().shown() {
        digits(false, u64::from(units), |text| out.push_str(text));
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
    digits(false, value, |text| out.push_str(text));
}

fn signed(out: &mut String, value: i64) {
    out.push('\t');
    digits(value < 0, value.unsigned_abs(), |text| out.push_str(text));
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

fn plain(cell: &str) -> Option<String> {
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next()? {
                't' => '\t',
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(text)
}
