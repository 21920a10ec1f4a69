//! The database behind its breaker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, CircuitBreakerService, Error, HealthMetrics, if_abandoned,
};
use sqlx::Pool;
use tower::limit::ConcurrencyLimit;
use tower::{Service, ServiceExt};
use tower_layer::Layer;

use super::active_probe::{Asked, Ping};
use super::builder::DatabaseBuilder;
use super::classify::SqlOutcomes;
use super::error::DatabaseError;
use super::service::DatabaseService;
use super::work::{BoxFuture, Work};
use crate::ledger::Ledger;

/// What a call goes through: breaker, limit, pool with a timeout.
pub type Stack<DB> = CircuitBreakerService<ConcurrencyLimit<DatabaseService<DB>>, SqlOutcomes>;

/// The average latency up to which the health score loses nothing.
const TARGET: Duration = Duration::from_millis(100);

/// A SQL database behind a breaker.
///
/// # Clone
///
/// Clones share pool, limit, breaker and health.
pub struct Database<DB: sqlx::Database> {
    stack: Stack<DB>,
    timeout: Duration,
    ledger: Ledger,
    /// Kept for the breaker's active probe, which ends with the database.
    asked: Option<Asked<DB>>,
}

impl<DB: sqlx::Database> Database<DB> {
    /// Options first. The URL is one that the driver understands; for `sqlx::Any`, whose drivers must
    /// be installed before (`sqlx::any::install_default_drivers`), its scheme chooses the driver.
    pub fn builder(url: impl Into<String>) -> DatabaseBuilder<DB> {
        DatabaseBuilder::new(url)
    }

    /// A database over a pool of your own, which others may use too. Its `acquire_timeout` should be no
    /// shorter than `timeout`, and its connections need a `statement_timeout` of half of it: with a longer
    /// one queries outlive their callers, and statements that a shorter one ends count as nothing.
    #[must_use]
    pub fn over(pool: Pool<DB>, timeout: Duration, breaker: CircuitBreaker) -> Self {
        let ledger = Ledger::new(HealthMetrics::new(TARGET, breaker.clock().clone()));
        let limit = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        let pool = ConcurrencyLimit::new(DatabaseService::new(pool, timeout), limit);
        let stack = CircuitBreakerLayer::new(breaker).classify(SqlOutcomes).layer(pool);
        Self { stack, timeout, ledger, asked: None }
    }

    pub(super) fn asked(self, asked: Option<Asked<DB>>) -> Self {
        Self { asked, ..self }
    }

    #[cfg(feature = "otel")]
    pub(super) fn exporting(
        self,
        metrics: &circuit_layer::metrics::Metrics,
    ) -> Result<Self, sqlx::Error> {
        let ledger = self.ledger.exporting(metrics, &super::DATABASE, self.stack.breaker());
        let ledger = ledger.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { ledger, ..self })
    }

    /// Does some work on a connection: a query, or a few that belong together.
    ///
    /// ```no_run
    /// # use degradation::sqlx::Database;
    /// # async fn example(database: Database<sqlx::Any>) -> Result<(), Box<dyn std::error::Error>> {
    /// let sold = database
    ///     .call(|connection| {
    ///         Box::pin(async move {
    ///             let sold = sqlx::query("UPDATE stock SET units = units - 1 WHERE units > 0");
    ///             Ok(sold.execute(connection).await?.rows_affected())
    ///         })
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The breaker's rejection, or [`DatabaseError`]. Waiting for the limit takes at most the timeout
    /// too, and ends as [`DatabaseError::Busy`].
    ///
    /// # Cancellation
    ///
    /// Dropping it closes the connection that it uses, and says nothing about the database unless it
    /// had been waiting for the breaker's `abandoned_after`: then breaker, health and metrics count a
    /// failure, of `timeout` in the metrics.
    pub async fn call<T, F>(&self, work: F) -> Result<T, Error<DatabaseError>>
    where
        F: for<'c> FnOnce(&'c mut DB::Connection) -> BoxFuture<'c, Result<T, sqlx::Error>>
            + Send
            + 'static,
        T: Send + 'static,
    {
        self.run(work).await
    }

    /// The same for [`Work`] that has a type of its own.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    pub async fn run<W: Work<DB>>(&self, work: W) -> Result<W::Answer, Error<DatabaseError>> {
        let since = self.breaker().now();
        let mut stack = self.stack.clone();
        let ready = ServiceExt::<W>::ready(&mut stack);
        let abandoned = || self.ledger.note_abandoned_call(self.breaker().now() - since);
        let result = match tokio::time::timeout(self.timeout, ready).await {
            Ok(Ok(ready)) => if_abandoned(ready.call(work), abandoned).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Inner(DatabaseError::Busy)),
        };
        self.ledger.note_call(self.breaker().now() - since, &result);
        result
    }

    /// Whether the database answers, as a call through the breaker.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    pub async fn ping(&self) -> Result<(), Error<DatabaseError>> {
        self.run(Ping).await
    }

    /// The stack, for layers of your own around it. A clone has to be readied first.
    #[must_use]
    pub fn stack(&self) -> Stack<DB> {
        self.stack.clone()
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &CircuitBreaker {
        self.stack.breaker()
    }

    /// What callers experienced, for a health source: `(breaker, health)`.
    #[must_use]
    pub const fn health(&self) -> &Arc<HealthMetrics> {
        &self.ledger.health
    }

    /// The pool. What is done with it directly goes past the breaker.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        self.stack.get_ref().get_ref().pool()
    }

    /// Closes the pool once its connections are free, in which time new calls are refused.
    pub async fn close(&self) {
        self.pool().close().await;
    }
}

impl<DB: sqlx::Database> Clone for Database<DB> {
    fn clone(&self) -> Self {
        let (stack, ledger) = (self.stack.clone(), self.ledger.clone());
        Self { stack, timeout: self.timeout, ledger, asked: self.asked.clone() }
    }
}

impl<DB: sqlx::Database> fmt::Debug for Database<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("breaker", self.breaker()).finish_non_exhaustive()
    }
}
