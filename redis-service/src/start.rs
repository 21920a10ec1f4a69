//! Starting, and what can be wrong with it.

use circuit_layer::ConfigError;
use thiserror::Error as ThisError;

use crate::error::RedisError;

/// Whether a service starts while Redis is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it does, or it does not")]
pub enum Start {
    /// It does not: the first `PING` must be answered.
    #[default]
    Strict,
    /// It does, and connects when the first call wants it.
    Lazy,
}

/// A client could not be started, or the process-wide one is not there.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum StartError {
    /// The URL, or the connection it describes, can not be used.
    #[error("the redis address can not be used")]
    Address(#[source] redis::RedisError),
    /// The breaker's configuration breaks a rule.
    #[error("the breaker's configuration is not valid")]
    Breaker(#[from] ConfigError),
    /// A deadline of zero would fail every call.
    #[error("the deadline must be longer than zero")]
    ZeroDeadline,
    /// [`Start::Strict`], and Redis does not answer.
    #[error("redis did not answer the first ping")]
    Unreachable(#[source] RedisError),
    /// There is a process-wide client already.
    #[error("redis is initialized already")]
    AlreadyInitialized,
    /// There is no process-wide client, or it was closed.
    #[error("redis is not initialized")]
    NotInitialized,
    /// The metrics could not be set up.
    #[cfg(feature = "otel")]
    #[error("the metrics can not be recorded")]
    Metrics(#[from] circuit_layer::metrics::RecorderError),
}
