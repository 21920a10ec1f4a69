//! What callers get when a call fails.
//!
//! | where it failed | type | seen by the breaker |
//! | --- | --- | --- |
//! | the breaker did not let it through | [`Error::Rejected`] | never |
//! | Redis, or the way there | [`Error::Redis`] | as [`RedisError::counts`] says |
//! | the reply is of another type than asked for | [`Error::Decode`] | never |
//! | the caller's loader | [`Error::Load`] | never |

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Rejected;
use redis::{ParsingError, Value};
use thiserror::Error as ThisError;

use crate::Operation;
use crate::classify::{Class, ErrorKind, Stage, classify};

/// A call through the facade failed.
#[derive(Clone, Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The breaker is open, or its probes are busy; Redis was not asked.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Redis, or the connection to it, failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// Redis answered, with something that is not of the type asked for.
    #[error("the answer to {operation} is of another type than asked for")]
    Decode {
        /// The operation that was answered.
        operation: Operation,
        /// What did not fit.
        source: ParsingError,
    },
    /// The loader of [`get_or_load`](crate::Redis::get_or_load) failed, and nothing was remembered.
    #[error("the value could not be loaded")]
    Load(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the breaker answered instead of Redis.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// The kind of a failure; `None` for a rejection and for a loader's error, which are none of Redis.
    /// A decode error is the client's.
    #[must_use]
    pub const fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Rejected(_) | Self::Load(_) => None,
            Self::Redis(error) => Some(error.kind()),
            Self::Decode { .. } => Some(ErrorKind::Client),
        }
    }
}

impl From<circuit_layer::Error<RedisError>> for Error {
    fn from(error: circuit_layer::Error<RedisError>) -> Self {
        match error {
            circuit_layer::Error::Rejected(rejected) => Self::Rejected(rejected),
            circuit_layer::Error::Inner(error) => Self::Redis(error),
        }
    }
}

/// Redis, or the connection to it, failed. The error of [`RedisService`](crate::RedisService).
#[derive(Clone, Debug, ThisError)]
#[non_exhaustive]
pub enum RedisError {
    /// No answer within the deadline of the call.
    #[error("no answer from redis within {after:?}")]
    Timeout {
        /// Whether the command was handed to a connection: then Redis may have executed it, or may
        /// yet do so. False means that it never left this process.
        maybe_applied: bool,
        /// The deadline.
        after: Duration,
    },
    /// The call needs a connection to itself, and all were in use for as long as it could wait. That
    /// is no failure of Redis.
    #[error("no connection was free within {after:?}")]
    Busy {
        /// The deadline of the call.
        after: Duration,
    },
    /// No connection could be made; the command was not sent.
    #[error("can not connect to redis at {}", .0.address)]
    Dial(#[source] DialError),
    /// The command was sent and failed: the connection broke, or Redis answered with an error.
    #[error("{operation} failed")]
    Call {
        /// The operation.
        operation: Operation,
        /// What happened.
        source: CallError,
    },
    /// [`close`](crate::Redis::close) was called.
    #[error("the redis service is closed")]
    Closed,
}

impl RedisError {
    /// The kind, which is the `error_type` label of the metrics.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Dial(error) => error.class.kind,
            Self::Call { source, .. } => source.class.kind,
            Self::Busy { .. } => ErrorKind::Other,
            Self::Closed => ErrorKind::Connection,
        }
    }

    /// Whether it is a failure of Redis. The caller's own mistakes never are.
    #[must_use]
    pub const fn counts(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Dial(error) => error.class.counts,
            Self::Call { source, .. } => source.class.counts,
            Self::Busy { .. } | Self::Closed => false,
        }
    }

    /// Whether the command may have been executed, or may yet be. Only a repeatable request may be
    /// sent again then.
    #[must_use]
    pub const fn maybe_applied(&self) -> bool {
        match self {
            Self::Timeout { maybe_applied, .. } => *maybe_applied,
            Self::Busy { .. } | Self::Dial(_) | Self::Closed => false,
            Self::Call { source, .. } => source.maybe_applied,
        }
    }

    /// The server's error code, such as `WRONGTYPE`, if Redis answered with one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call { source, .. } => source.error.code(),
            Self::Dial(error) => error.error.code(),
            Self::Timeout { .. } | Self::Busy { .. } | Self::Closed => None,
        }
    }
}

/// Why no connection could be made. Clones share it: one dial answers all who wait for it.
#[derive(Clone, Debug, ThisError)]
#[error("{error}")]
pub struct DialError {
    address: Arc<str>,
    error: redis::RedisError,
    class: Class,
}

impl DialError {
    pub(crate) fn new(address: &Arc<str>, error: redis::RedisError) -> Self {
        let class = classify(&error, Stage::Dial);
        Self { address: Arc::clone(address), error, class }
    }

    /// Where the connection was to go, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The error as redis-rs reports it.
    #[must_use]
    pub const fn redis(&self) -> &redis::RedisError {
        &self.error
    }

    /// The kind of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.class.kind
    }
}

/// Why a command that was sent failed.
#[derive(Clone, Debug, ThisError)]
#[error("{error}")]
pub struct CallError {
    error: redis::RedisError,
    class: Class,
    maybe_applied: bool,
}

impl CallError {
    pub(crate) fn new(error: redis::RedisError) -> Self {
        let class = classify(&error, Stage::Call);
        let maybe_applied = !is_over(&error);
        Self { error, class, maybe_applied }
    }

    /// One request of a pipeline failed; others of it may have been executed.
    pub(crate) fn in_pipeline(error: redis::RedisError) -> Self {
        Self { maybe_applied: true, ..Self::new(error) }
    }

    /// It happened before anything was asked to change.
    pub(crate) fn while_reading(self) -> Self {
        Self { maybe_applied: false, ..self }
    }

    /// It was sent again after the answer to the first time was lost.
    pub(crate) fn after(self, lost: &Self) -> Self {
        Self { maybe_applied: self.maybe_applied || lost.maybe_applied, ..self }
    }

    /// Whether the answer was lost with its connection.
    pub(crate) fn is_lost(&self) -> bool {
        self.class.kind == ErrorKind::Connection
    }

    /// Whether nothing is on its way any more: Redis has answered, or was not asked.
    pub(crate) fn is_over(&self) -> bool {
        is_over(&self.error)
    }

    pub(crate) const fn class(&self) -> Class {
        self.class
    }

    /// The error as redis-rs reports it.
    #[must_use]
    pub const fn redis(&self) -> &redis::RedisError {
        &self.error
    }
}

fn is_over(error: &redis::RedisError) -> bool {
    matches!(
        error.kind(),
        redis::ErrorKind::Server(_) | redis::ErrorKind::Extension | redis::ErrorKind::Client
    )
}

/// The reply, or the error that it holds anywhere inside.
pub(crate) fn answer(value: Value) -> Result<Value, redis::RedisError> {
    // Most replies have no inside to look into.
    if matches!(
        value,
        Value::Nil | Value::Int(_) | Value::BulkString(_) | Value::SimpleString(_) | Value::Okay
    ) {
        return Ok(value);
    }
    value.extract_error()
}
