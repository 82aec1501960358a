//! The four states that a person can be in.

/// What an interval is to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Active, and the person was created in it.
    New,
    /// Active, as in the interval before.
    Returning,
    /// Active, but not in the interval before.
    Resurrecting,
    /// Not active, other than in the interval before.
    Dormant,
}

impl Status {
    /// All four, in the order of results.
    pub const ALL: [Self; 4] = [
        Self::New,
        Self::Returning,
        Self::Resurrecting,
        Self::Dormant,
    ];

    /// Its wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returning => "returning",
            Self::Resurrecting => "resurrecting",
            Self::Dormant => "dormant",
        }
    }
}
