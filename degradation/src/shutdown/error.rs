//! What did not end well.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Parts of a shutdown went wrong; the others were done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub struct ShutdownError {
    /// What went wrong, in order.
    pub failures: Vec<ShutdownFailure>,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self
            .failures
            .iter()
            .map(|failure| format!("{} {}", failure.step, failure.problem))
            .collect();
        f.write_str(&all.join("; "))
    }
}

/// One part of a shutdown that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownFailure {
    /// `drain`, or the name of a step.
    pub step: &'static str,
    /// What went wrong.
    pub problem: ShutdownProblem,
}

impl ShutdownFailure {
    pub(super) const fn new(step: &'static str, problem: ShutdownProblem) -> Self {
        Self { step, problem }
    }
}

/// What can go wrong with a part of a shutdown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShutdownProblem {
    /// It was cut off.
    #[error("was not done within {limit:?}")]
    TimedOut {
        /// How long it had.
        limit: Duration,
    },
    /// It ended with an error.
    #[error("failed: {what}")]
    Failed {
        /// Its words.
        what: String,
    },
    /// It panicked.
    #[error("panicked")]
    Panicked,
}
