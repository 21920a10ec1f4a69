//! The pool as a tower service, with one deadline for waiting, connecting and working.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use circuit_layer::Clock;
use sqlx::{Database, Pool};
use tower_service::Service;

use super::classify::{is_answer, leads_astray, was_ended};
use super::error::DatabaseError;
use super::lease::Lease;
use super::session::{is_at_limit, limit};
use super::work::{BoxFuture, Work};

/// Runs [`Work`] on a connection of a pool.
///
/// It is always ready: put a `ConcurrencyLimit` of the pool's size around it, as
/// [`Database`](super::Database) does. Clones share the pool.
///
/// # Cancellation
///
/// A call that is dropped, or takes longer than the timeout, closes its connection. So does one whose
/// connection does not answer sqlx's PING within half of the timeout afterwards.
pub struct DatabaseService<DB: Database> {
    pool: Pool<DB>,
    timeout: Duration,
    /// Calls that the server has answered, a "no" included: whoever finds no connection meanwhile has
    /// found a busy server, not a dead one.
    answered: Arc<AtomicU64>,
    clock: Clock,
}

impl<DB: Database> DatabaseService<DB> {
    /// Calls may take `timeout` in all. Set the pool's `acquire_timeout` no shorter, and the server's
    /// `statement_timeout` to half of it: a statement that is ended sooner counts as nothing.
    #[must_use]
    pub fn new(pool: Pool<DB>, timeout: Duration) -> Self {
        Self { pool, timeout, answered: Arc::default(), clock: Clock::default() }
    }

    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    async fn run<W: Work<DB>>(self, work: W) -> Result<W::Answer, DatabaseError> {
        let before = self.answered.load(Ordering::Relaxed);
        let mut lease = None;
        let done = tokio::time::timeout(self.timeout, async {
            let lease = lease.insert(Lease::new(self.pool.acquire().await?));
            let connection = lease.connection().ok_or(sqlx::Error::PoolClosed)?;
            let since = self.clock.now();
            let done = work.run(connection).await;
            done.map_err(|error| self.judge(error, self.clock.now() - since))
        });
        match done.await {
            Ok(Ok(answer)) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                self.give_back(lease);
                Ok(answer)
            }
            Ok(Err(DatabaseError::Sqlx(sqlx::Error::PoolTimedOut))) => {
                Err(self.no_connection(before))
            }
            Ok(Err(error)) => {
                if is_answer(&error) {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                if !leads_astray(&error) {
                    self.give_back(lease);
                }
                Err(error)
            }
            Err(_) if lease.is_none() => Err(self.no_connection(before)),
            Err(_) => Err(DatabaseError::Timeout),
        }
    }

    /// Half of the time of a call: the next one, which may wait for this place, has the other half.
    fn give_back(&self, lease: Option<Lease<DB>>) {
        lease.into_iter().for_each(|lease| lease.give_back(limit(self.timeout)));
    }

    /// A server that ends a statement does not say whose limit it was. After so long it was ours.
    fn judge(&self, error: sqlx::Error, took: Duration) -> DatabaseError {
        let ours = was_ended(&error) && is_at_limit(took, self.timeout);
        if ours { DatabaseError::TooSlow(error) } else { error.into() }
    }

    /// While others are answered, the pool is too small for what is asked of it.
    fn no_connection(&self, before: u64) -> DatabaseError {
        let answered = self.answered.load(Ordering::Relaxed);
        if answered == before { DatabaseError::Unreachable } else { DatabaseError::Busy }
    }
}

impl<DB: Database, W: Work<DB>> Service<W> for DatabaseService<DB> {
    type Response = W::Answer;
    type Error = DatabaseError;
    type Future = BoxFuture<'static, Result<W::Answer, DatabaseError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), DatabaseError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, work: W) -> Self::Future {
        Box::pin(self.clone().run(work))
    }
}

impl<DB: Database> Clone for DatabaseService<DB> {
    fn clone(&self) -> Self {
        let answered = Arc::clone(&self.answered);
        Self { pool: self.pool.clone(), timeout: self.timeout, answered, clock: self.clock.clone() }
    }
}

impl<DB: Database> fmt::Debug for DatabaseService<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseService")
            .field("connections", &self.pool.size())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
