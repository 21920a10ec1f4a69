//! The three states, as everybody outside sees them.

use std::fmt;

/// What a breaker is doing with calls.
///
/// Exhaustive: metrics, pages and levels are built on there being three. What an operator has
/// forced is told by [`Snapshot::control`](crate::Snapshot::control).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum State {
    /// Calls pass and are watched.
    Closed,
    /// Calls are rejected until the wait is over.
    Open,
    /// A few probes pass and decide.
    HalfOpen,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// Who decides: the machine, or an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Control {
    /// The machine.
    #[default]
    Automatic,
    /// Every call is rejected.
    ForcedOpen,
    /// Every call passes and is counted; nothing trips.
    ForcedClosed,
    /// Every call passes and nothing is recorded.
    Disabled,
    /// The machine runs in shadow: it records and reports, and rejects nothing.
    ObserveOnly,
}
