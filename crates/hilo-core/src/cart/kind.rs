//! What a dot counts: units more, or units in all. In and out: the name on the wire.

/// What a dot says about its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// So many units more.
    Add,
    /// So many units in all, instead of what was seen.
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
