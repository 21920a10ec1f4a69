//! What became of one call, in the words of the metrics.

use std::fmt;

/// What the dependency did, whatever a fallback made of it afterwards.
///
/// Exhaustive: the label `status` has these three values, and dashboards add them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Status {
    /// It did its part.
    Success,
    /// It gave an error, or no answer in time.
    Failure,
    /// It was not asked: the breaker rejected the call.
    Rejected,
}

impl Status {
    /// All, in the order in which they are counted.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Rejected];

    /// The value of the label `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
