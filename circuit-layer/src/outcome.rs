//! What a call was worth as evidence.

use std::time::Duration;

/// The verdict on one admitted call.
///
/// Exhaustive: a fourth kind of evidence would change every policy, so it would be a new major
/// version in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Outcome {
    /// The dependency did its part.
    Success,
    /// The dependency failed.
    Failure {
        /// A short name for events and metrics, such as `timeout`.
        kind: &'static str,
        /// How long the dependency asked to be left alone. If this failure trips the breaker, it
        /// replaces the configured wait, within the cap.
        retry_after: Option<Duration>,
    },
    /// The call says nothing about the dependency: a caller's mistake, a cancellation, another
    /// breaker's rejection. It enters no count and no denominator.
    Ignored,
}

impl Outcome {
    /// A failure without advice on when to come back.
    #[must_use]
    pub const fn failure(kind: &'static str) -> Self {
        Self::Failure { kind, retry_after: None }
    }

    pub(crate) const PANICKED: Self = Self::failure("panic");
    pub(crate) const ABANDONED: Self = Self::failure("abandoned");
}

/// What became of an outcome that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// It was taken as evidence. A success is told so without the lock where it could change nothing,
    /// also while the breaker is disabled.
    Counted,
    /// It was neutral, or a failure while the breaker is disabled: nothing was counted.
    Ignored,
    /// The generation that admitted the call is over. The outcome was counted as stale and
    /// changed nothing else.
    Stale,
}
