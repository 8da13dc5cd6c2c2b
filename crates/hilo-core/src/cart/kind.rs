//! The two kinds of dot: units more, and units in all. In and out: the name on the wire.

/// What a dot means for its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The dot's units come on top.
    Add,
    /// The dot's units replace all units that its replica had seen.
    Set,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Add => "add",
            Kind::Set => "set",
        }
    }

    /// Reads the name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Kind> {
        match name {
            "add" => Some(Kind::Add),
            "set" => Some(Kind::Set),
            _ => None,
        }
    }
}
