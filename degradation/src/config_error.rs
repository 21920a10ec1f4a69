//! What can be wrong with how a manager is put together, one sentence for each rule.

use std::sync::Arc;

use thiserror::Error;

/// Why a manager could not be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing to watch.
    #[error("there is no dependency")]
    NoDependency,
    /// The score would not be 100 when all is well.
    #[error("the weights add up to {sum}, not to 100")]
    Weights {
        /// What they add up to.
        sum: u32,
    },
    /// Two dependencies, two queues or two caches have one name.
    #[error("two of a kind are named `{name}`")]
    DuplicateName {
        /// The name.
        name: Arc<str>,
    },
    /// A rule names what is not there, so it could never apply.
    #[error("a rule names `{name}`, and no dependency does")]
    UnknownName {
        /// The name.
        name: Arc<str>,
    },
    /// Critical must not begin above degraded, nor degraded above 100.
    #[error(
        "the threshold of critical ({critical}) is above that of degraded ({degraded}), or that above 100"
    )]
    Thresholds {
        /// Degraded begins below this.
        degraded: u8,
        /// Critical begins below this.
        critical: u8,
    },
    /// A level would be entered and never left.
    #[error(
        "a score of 100 would not leave the level: {threshold} and a margin of {margin} exceed it"
    )]
    Margin {
        /// The threshold of degraded.
        threshold: u8,
        /// The margin.
        margin: u8,
    },
    /// Sources would be asked without a pause, or given no time to answer.
    #[error("the pace and the timeout of checks must be longer than zero")]
    Pace,
    /// The manager's tasks need a tokio runtime.
    #[error("there is no tokio runtime to run in")]
    NoRuntime,
}
