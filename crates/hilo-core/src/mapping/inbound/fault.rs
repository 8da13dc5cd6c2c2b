//! What rules could not make of a body. In: the place. Out: a stable code, and a sentence that repeats no value.

use core::fmt;

use crate::outcome::{Code, Rejection};

/// A fault of one body, at one place of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFault {
    /// `not_mapped`, `map_missing_required` or `map_bad_value`.
    pub code: Code,
    /// The number of the rule, from 1.
    pub rule: Option<usize>,
    /// The number of the element, from 0, where the rule is about elements.
    pub element: Option<usize>,
    /// The field that the rule wanted to fill, such as `properties.total`.
    pub field: Option<String>,
    /// What the value should have become.
    pub cast: Option<&'static str>,
    /// Whether nothing is told because of it. Else only the field is left out.
    pub is_report_lost: bool,
}

impl MapFault {
    /// The refusal as a log shows it.
    pub fn rejection(&self) -> Rejection {
        Rejection { code: self.code, field: self.field.clone(), message: self.to_string() }
    }
}

impl fmt::Display for MapFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_deref().unwrap_or_default();
        if self.code == Code::MapMissingRequired {
            write!(to, "the body has no value for `{field}`, which the rule requires")?;
        } else if let Some(cast) = self.cast {
            write!(to, "the value for `{field}` cannot become what as = \"{cast}\" says")?;
        } else if self.code == Code::MapBadValue {
            write!(to, "the value for `{field}` stands in no line of the table, or is too long")?;
        } else {
            to.write_str(
                "no rule matches: add a [[source.map]], or leave it out with drop = true",
            )?;
        }
        if let Some(rule) = self.rule {
            write!(to, ", rule {rule}")?;
        }
        if let Some(element) = self.element {
            write!(to, ", element {element}")?;
        }
        Ok(())
    }
}
