//! The decimal mark of a file, decided once for all of its amounts and numbers.
//!
//! Cells → `.` or `,`, or the reason why nobody can know. A cell such as `1.234` follows the others; a file of which no cell decides
//! is refused, because a thousandth of the money would be wrong.

use alloc::format;

use super::fault::{Fault, FaultCode};
use crate::printed::{Shown, shown};

/// What a file's numbers show.
#[derive(Clone, Debug, Default)]
pub struct Decimals {
    point: Option<u64>,
    comma: Option<u64>,
    two: Option<u64>,
}

impl Decimals {
    /// Looks at a number in the row of this line. `exponent` is that of its currency.
    pub fn look(&mut self, text: &str, exponent: u8, line: u64) {
        let slot = match shown(text, exponent) {
            Shown::Mark('.') => &mut self.point,
            Shown::Mark(_) => &mut self.comma,
            Shown::Two => &mut self.two,
            Shown::Nothing => return,
        };
        slot.get_or_insert(line);
    }

    /// Decides for the whole file. `given` is what the deployer said. `None` where no number has a mark.
    ///
    /// # Errors
    /// `mixed_decimals` where rows contradict each other, `ambiguous_decimals` where no row decides.
    pub fn decide(&self, given: Option<char>) -> Result<Option<char>, Fault> {
        let remedy = "say which one is right with --decimal comma or --decimal point";
        match (given, self.point, self.comma) {
            (Some(mark), ..) => Ok(Some(mark)),
            (None, Some(point), Some(comma)) => Err(Fault::new(
                FaultCode::MixedDecimals,
                format!(
                    "line {point} has a decimal point and line {comma} a decimal comma: {remedy}, or mend the file"
                ),
            )),
            (None, Some(_), None) => Ok(Some('.')),
            (None, None, Some(_)) => Ok(Some(',')),
            (None, None, None) => match self.two {
                None => Ok(None),
                Some(line) => Err(Fault::new(
                    FaultCode::AmbiguousDecimals,
                    format!(
                        "the number of line {line} is a thousand times larger in one reading than in the other, and no other row decides: {remedy}"
                    ),
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decides(texts: &[&str], expected: Result<Option<char>, &str>) {
        let mut decimals = Decimals::default();
        (2..).zip(texts).for_each(|(line, text)| decimals.look(text, 2, line));
        let found = decimals.decide(None);
        assert_eq!(found.map_err(|fault| fault.code.name()), expected, "{texts:?}");
    }

    #[test]
    fn one_clear_cell_decides_for_all() {
        decides(&["1.234", "44,90"], Ok(Some(',')));
        decides(&["1.234", "44.90", "10"], Ok(Some('.')));
        decides(&["10", "", "free"], Ok(None));
    }

    #[test]
    fn cells_that_contradict_each_other_name_both_lines() {
        decides(&["44,90", "44.90"], Err("mixed_decimals"));
        let mut decimals = Decimals::default();
        decimals.look("44,90", 2, 7);
        decimals.look("1,234.00", 2, 9);
        let message = decimals.decide(None).unwrap_err().message;
        assert!(message.contains("line 9") && message.contains("line 7"), "{message}");
        assert_eq!(decimals.decide(Some('.')), Ok(Some('.')));
    }

    #[test]
    fn a_file_that_no_cell_decides_is_refused() {
        decides(&["1.234", "2.500"], Err("ambiguous_decimals"));
    }
}
