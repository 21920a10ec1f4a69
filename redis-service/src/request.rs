//! One value per call: what to do, to which key, and whether it may be done twice.
//!
//! A layer that sees only an encoded command can not tell a read from a write, name the operation
//! in a metric, find the key in a cache, or know whether a retry is safe. A typed client alone can
//! not be layered. So the calls of the facade become values of this enum, and the stack of layers
//! is a `Service<Request>`.

mod block;
mod encode;
mod pipeline;
mod raw;
mod refusal;
mod set;
mod size;
mod transaction;

use std::time::Duration;

use bytes::Bytes;

pub(crate) use encode::Wire;
pub use pipeline::Pipeline;
pub use raw::Raw;
pub(crate) use raw::{Manner, is_empty};
pub use set::SetOptions;
pub(crate) use transaction::Decision;
pub use transaction::Transaction;

use crate::Operation;

/// A call to Redis.
///
/// Cloning copies no key and no value: they are reference-counted [`Bytes`].
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the arguments of the Redis command of that name")]
pub enum Request {
    /// The value of a key; nil where there is none.
    Get { key: Bytes },
    /// Sets a key; nil where a condition of the options did not hold.
    Set { key: Bytes, value: Bytes, options: SetOptions },
    /// Removes keys; the number that existed.
    Delete { keys: Vec<Bytes> },
    /// Adds to the integer in a key; the new value.
    Incr { key: Bytes, by: i64 },
    /// Sets a time to live, sent in milliseconds; 0 where there is no such key.
    Expire { key: Bytes, ttl: Duration },
    /// Puts values at the head of a list; the new length.
    LPush { key: Bytes, values: Vec<Bytes> },
    /// Takes the value at the tail of a list; nil where it is empty.
    RPop { key: Bytes },
    /// The length of a list.
    LLen { key: Bytes },
    /// The values from `start` to `stop`, both included; negative counts from the tail.
    LRange { key: Bytes, start: i64, stop: i64 },
    /// Sets fields of a hash; the number of new ones.
    HSet { key: Bytes, fields: Vec<(Bytes, Bytes)> },
    /// One field of a hash.
    HGet { key: Bytes, field: Bytes },
    /// All fields and values of a hash.
    HGetAll { key: Bytes },
    /// Removes fields of a hash; the number that existed.
    HDel { key: Bytes, fields: Vec<Bytes> },
    /// Adds members to a set; the number of new ones.
    SAdd { key: Bytes, members: Vec<Bytes> },
    /// Removes members of a set; the number that existed.
    SRem { key: Bytes, members: Vec<Bytes> },
    /// All members of a set.
    SMembers { key: Bytes },
    /// The size of a set.
    SCard { key: Bytes },
    /// Adds members with scores to a sorted set, or changes their scores; the number of new ones.
    ZAdd { key: Bytes, members: Vec<(f64, Bytes)> },
    /// The members of a sorted set from rank `start` to `stop`, both included.
    ZRange { key: Bytes, start: i64, stop: i64, with_scores: bool },
    /// The size of a sorted set.
    ZCard { key: Bytes },
    /// Asks whether Redis answers.
    Ping,
    /// The same with the short deadline of a health check, and counted apart.
    HealthCheck,
    /// Several requests in one round trip.
    Pipeline(Pipeline),
    /// What is read and written under watched keys; nil where it was given up.
    Transaction(Transaction),
    /// Any other command.
    Raw(Raw),
}

impl Request {
    /// What it does, without its arguments.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Get { .. } => Operation::Get,
            Self::Set { .. } => Operation::Set,
            Self::Delete { .. } => Operation::Delete,
            Self::Incr { .. } => Operation::Incr,
            Self::Expire { .. } => Operation::Expire,
            Self::LPush { .. } => Operation::LPush,
            Self::RPop { .. } => Operation::RPop,
            Self::LLen { .. } => Operation::LLen,
            Self::LRange { .. } => Operation::LRange,
            Self::HSet { .. } => Operation::HSet,
            Self::HGet { .. } => Operation::HGet,
            Self::HGetAll { .. } => Operation::HGetAll,
            Self::HDel { .. } => Operation::HDel,
            Self::SAdd { .. } => Operation::SAdd,
            Self::SRem { .. } => Operation::SRem,
            Self::SMembers { .. } => Operation::SMembers,
            Self::SCard { .. } => Operation::SCard,
            Self::ZAdd { .. } => Operation::ZAdd,
            Self::ZRange { .. } => Operation::ZRange,
            Self::ZCard { .. } => Operation::ZCard,
            Self::Ping => Operation::Ping,
            Self::HealthCheck => Operation::HealthCheck,
            Self::Pipeline(_) | Self::Transaction(_) => Operation::Pipeline,
            Self::Raw(_) => Operation::Raw,
        }
    }

    /// The one key it is about. Several keys, a pipeline and a raw command have none.
    #[must_use]
    pub fn key(&self) -> Option<&Bytes> {
        match self {
            Self::Get { key }
            | Self::Set { key, .. }
            | Self::Incr { key, .. }
            | Self::Expire { key, .. }
            | Self::LPush { key, .. }
            | Self::RPop { key }
            | Self::LLen { key }
            | Self::LRange { key, .. }
            | Self::HSet { key, .. }
            | Self::HGet { key, .. }
            | Self::HGetAll { key }
            | Self::HDel { key, .. }
            | Self::SAdd { key, .. }
            | Self::SRem { key, .. }
            | Self::SMembers { key }
            | Self::SCard { key }
            | Self::ZAdd { key, .. }
            | Self::ZRange { key, .. }
            | Self::ZCard { key } => Some(key),
            Self::Delete { keys } => match keys.as_slice() {
                [key] => Some(key),
                _ => None,
            },
            Self::Ping
            | Self::HealthCheck
            | Self::Pipeline(_)
            | Self::Transaction(_)
            | Self::Raw(_) => None,
        }
    }

    /// Whether it can change anything in Redis. A raw command does unless it says otherwise.
    #[must_use]
    pub fn is_write(&self) -> bool {
        match self {
            Self::Set { .. }
            | Self::Delete { .. }
            | Self::Incr { .. }
            | Self::Expire { .. }
            | Self::LPush { .. }
            | Self::RPop { .. }
            | Self::HSet { .. }
            | Self::HDel { .. }
            | Self::SAdd { .. }
            | Self::SRem { .. }
            | Self::ZAdd { .. }
            | Self::Transaction(_) => true,
            Self::Get { .. }
            | Self::LLen { .. }
            | Self::LRange { .. }
            | Self::HGet { .. }
            | Self::HGetAll { .. }
            | Self::SMembers { .. }
            | Self::SCard { .. }
            | Self::ZRange { .. }
            | Self::ZCard { .. }
            | Self::Ping
            | Self::HealthCheck => false,
            Self::Pipeline(pipeline) => pipeline.requests().iter().any(Self::is_write),
            Self::Raw(raw) => raw.is_write(),
        }
    }

    /// Whether doing it twice in a row leaves the same data *and* gives the same answer.
    ///
    /// Every read is repeatable, and so are a plain `SET` and `EXPIRE`. `DEL` is not: its second
    /// answer is 0. Only repeatable requests are ever sent again by this crate.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        if let Self::Set { options, .. } = self {
            return !options.is_conditional();
        }
        if let Self::Pipeline(pipeline) = self {
            return pipeline.requests().iter().all(Self::is_repeatable);
        }
        if let Self::Raw(raw) = self {
            return raw.is_repeatable();
        }
        matches!(self, Self::Expire { .. }) || !self.is_write()
    }

    /// Whether it waits in Redis for something to come: then its latency tells nothing of Redis.
    pub(crate) fn waits(&self) -> bool {
        if let Self::Pipeline(pipeline) = self {
            return pipeline.waits();
        }
        if let Self::Raw(raw) = self { raw.waits() } else { false }
    }

    /// What it does to the connection it is sent on: for a pipeline, the worst of its requests.
    pub(crate) fn manner(&self) -> Manner {
        let own = if let Self::Pipeline(pipeline) = self {
            pipeline.manner()
        } else if let Self::Raw(raw) = self {
            raw.manner()
        } else if matches!(self, Self::Transaction(_)) {
            Manner::Alone
        } else {
            Manner::Shared
        };
        if self.is_big() { own.max(Manner::Alone) } else { own }
    }
}

#[cfg(test)]
mod tests;
