//! A record of flat text: cells with tabs between them, the first of which names the record.
//!
//! In and out: text, numbers, dots. What a record means is `flat`'s question.

use alloc::string::String;
use core::ops::RangeInclusive;

use super::escape::{read_text, write_text};
use crate::cart::context::{Dot, ReplicaId};
use crate::cart::limits::WINDOW;
use crate::digits;
use crate::text::cut;

/// The rest of a record.
pub struct Cells<'a> {
    pub(in crate::cart) rest: Option<&'a str>,
}

impl<'a> Cells<'a> {
    /// All cells of a record, the tag included.
    pub fn new(record: &'a str) -> Cells<'a> {
        Cells { rest: Some(record) }
    }

    /// The cells after the first, if that is `tag`.
    pub(super) fn of(line: &'a str, tag: &str) -> Option<Cells<'a>> {
        let mut cells = Cells::new(line);
        (cells.next() == Some(tag)).then_some(cells)
    }

    /// The next cell as it stands there.
    #[expect(clippy::should_implement_trait, reason = "an iterator would bring its adapters")]
    #[inline(never)]
    pub fn next(&mut self) -> Option<&'a str> {
        let (cell, rest) = cut(self.rest?, b'\t');
        self.rest = rest;
        Some(cell)
    }

    /// Whether the record ends here.
    pub(super) fn end(&mut self) -> Option<()> {
        if self.rest.is_some() { None } else { Some(()) }
    }

    /// The next cell as a number.
    pub fn number(&mut self) -> Option<u64> {
        digits::read(self.next()?)
    }

    /// The next cell as a smaller number.
    pub fn count(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// The next cells as the numbers of operations that one message may bring.
    pub(super) fn span(&mut self) -> Option<RangeInclusive<u32>> {
        let (from, to) = (self.count()?, self.count()?);
        let fits = from > 0 && to.checked_sub(from).is_some_and(|more| more < WINDOW);
        fits.then_some(from..=to)
    }

    /// The next cells as a dot.
    pub(super) fn dot(&mut self) -> Option<Dot> {
        let dot = Dot { r: ReplicaId(self.number()?), n: self.count()? };
        (dot.n > 0).then_some(dot)
    }

    /// The next cell as text.
    pub(in crate::cart) fn text(&mut self) -> Option<String> {
        read_text(self.next()?)
    }
}

/// Text that grows record by record.
#[derive(Default)]
pub(in crate::cart) struct Writer(pub(in crate::cart) String);

impl Writer {
    /// Begins a record.
    pub(super) fn record(&mut self, tag: &str) -> &mut Writer {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(tag);
        self
    }

    /// Adds a cell of text.
    pub(in crate::cart) fn text(&mut self, text: &str) -> &mut Writer {
        self.0.push('\t');
        write_text(text, &mut self.0);
        self
    }

    /// Adds a cell with a number.
    pub(in crate::cart) fn number(&mut self, number: u64) -> &mut Writer {
        self.0.push('\t');
        digits::push(&mut self.0, false, number);
        self
    }

    /// Adds a dot's cells.
    pub(super) fn dot(&mut self, dot: Dot) -> &mut Writer {
        self.number(dot.r.0).number(u64::from(dot.n))
    }
}
