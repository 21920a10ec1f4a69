//! Read, decide, write, and nobody in between.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use redis::{FromRedisValue, Value, from_redis_value};

use super::Pipeline;
use crate::Arg;

/// Reads under watched keys, decides what to write, and writes it only if none of the keys has
/// changed meanwhile: `WATCH`, the reads, `MULTI` … `EXEC`, on a connection of its own.
///
/// ```no_run
/// # async fn f(redis: redis_service::Redis) -> Result<(), Box<dyn std::error::Error>> {
/// use redis_service::{Pipeline, Transaction};
///
/// // Takes one from the stock, unless there is none left.
/// let take = Transaction::watch(["stock"])
///     .read(Pipeline::new().get("stock"))
///     .write(|(stock,): (Option<i64>,)| match stock {
///         Some(left) if left > 0 => Some(Pipeline::new().set("stock", left - 1)),
///         _ => None,
///     });
/// let taken: Option<(String,)> = redis.transaction(take).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Deadline
///
/// All attempts have the one deadline of the call.
///
/// # Redis Cluster
///
/// Refused unsent: a failover between `WATCH` and `EXEC` would go unnoticed there.
#[derive(Clone)]
pub struct Transaction {
    pub(crate) watched: Vec<Bytes>,
    pub(crate) reads: Pipeline,
    decide: Arc<Decide>,
    pub(crate) attempts: u32,
}

type Decide = dyn Fn(Value) -> Decision + Send + Sync;

/// What is to be done about the replies to the reads.
pub(crate) enum Decision {
    /// These writes, as one transaction.
    Write(Pipeline),
    /// Nothing.
    Leave,
    /// The replies are of another type than the closure takes.
    Mistyped,
}

/// A transaction that loses so often has a rival that is always faster.
const ATTEMPTS: u32 = 10;

impl Transaction {
    /// Watches these keys. Until it is told what to write, it writes nothing.
    #[must_use]
    pub fn watch(keys: impl IntoIterator<Item = impl Arg>) -> Self {
        Self {
            watched: keys.into_iter().map(Arg::into_bytes).collect(),
            reads: Pipeline::new(),
            decide: Arc::new(|_replies| Decision::Leave),
            attempts: ATTEMPTS,
        }
    }

    /// What to read while they are watched; never as a transaction of its own, whose `EXEC` would end
    /// the watch.
    #[must_use]
    pub fn read(mut self, reads: Pipeline) -> Self {
        self.reads = reads.loose();
        self
    }

    /// What to write, given the replies to the reads, as a tuple or a list; `None` leaves everything
    /// as it is. It may run several times, once for each attempt.
    #[must_use]
    pub fn write<T: FromRedisValue>(
        mut self,
        decide: impl Fn(T) -> Option<Pipeline> + Send + Sync + 'static,
    ) -> Self {
        self.decide = Arc::new(move |replies| match from_redis_value(replies) {
            Ok(replies) => decide(replies).map_or(Decision::Leave, Decision::Write),
            Err(_) => Decision::Mistyped,
        });
        self
    }

    /// How often it begins anew because a watched key was changed in between; at least once.
    /// Default 10.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    pub(crate) fn decide(&self, replies: Value) -> Decision {
        (self.decide)(replies)
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("watched", &self.watched)
            .field("reads", &self.reads)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl From<Transaction> for super::Request {
    fn from(transaction: Transaction) -> Self {
        Self::Transaction(transaction)
    }
}
