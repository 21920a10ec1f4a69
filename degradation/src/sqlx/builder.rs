//! How a [`Database`] is put together.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{Backoff, CircuitBreaker, CircuitBreakerBuilder};
use sqlx::Executor;
use sqlx::pool::PoolOptions;

use super::active_probe::Asked;
use super::database::Database;
use super::service::DatabaseService;
use super::session::prepare;

type Measure = dyn Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync;

/// Puts a [`Database`] together.
#[derive(Clone)]
#[must_use = "a builder does nothing until built"]
pub struct DatabaseBuilder<DB: sqlx::Database> {
    url: String,
    connections: u32,
    timeout: Duration,
    breaker: Option<CircuitBreaker>,
    measure: Option<Arc<Measure>>,
    pub(super) asked_every: Option<Duration>,
    #[cfg(feature = "otel")]
    metrics: Option<circuit_layer::metrics::Metrics>,
    kind: PhantomData<fn() -> DB>,
}

impl<DB: sqlx::Database> DatabaseBuilder<DB> {
    pub(super) fn new(url: impl Into<String>) -> Self {
        let (connections, timeout) = (10, Duration::from_secs(2));
        Self {
            url: url.into(),
            connections,
            timeout,
            breaker: None,
            measure: None,
            asked_every: None,
            #[cfg(feature = "otel")]
            metrics: None,
            kind: PhantomData,
        }
    }

    /// Connections, and calls at a time (10).
    pub const fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// How long a call may take, with waiting and connecting (2 s). The server gives up on a statement
    /// after half of it, if it has a limit for that; of one that has none a warning is logged.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The breaker. By default one named `database` with the defaults of `circuit-layer`, waits that
    /// double with each failed recovery, and `abandoned_after` half the timeout.
    pub fn breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// What the default breaker is to differ in. A [finished one](Self::breaker) stays as it is.
    pub fn measure(
        mut self,
        measure: impl Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.measure = Some(Arc::new(measure));
        self
    }

    /// Records the `database_*` metrics ([`DATABASE`](super::DATABASE)) on a `&Meter`, or on the
    /// [`Metrics`](circuit_layer::metrics::Metrics) of everything else on that meter. They are shown by
    /// default nowhere. One database can have them.
    ///
    /// Like the breaker, they know calls and not what a call asks for: one operation, `call`.
    #[cfg(feature = "otel")]
    pub fn metrics(mut self, metrics: impl Into<circuit_layer::metrics::Metrics>) -> Self {
        self.metrics = Some(metrics.into());
        self
    }

    /// The database, which connects when it is first used: a service that protects itself from an
    /// outage has to be able to start in one. [`Database::ping`] asks whether it is there.
    ///
    /// # Errors
    ///
    /// `sqlx::Error::Configuration` if the URL is of no use, there are no connections, a breaker
    /// can not be built for the timeout, or another database has the metrics.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn build(self) -> Result<Database<DB>, sqlx::Error>
    where
        DB::Connection: 'static,
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        #[cfg(feature = "otel")]
        let metrics = self.metrics;
        let Self { url, connections, timeout, breaker, measure, asked_every, .. } = self;
        if connections == 0 || timeout.is_zero() {
            let why = "a database needs at least one connection and a timeout above zero";
            return Err(sqlx::Error::Configuration(why.into()));
        }
        let pool = PoolOptions::<DB>::new()
            .max_connections(connections)
            .acquire_timeout(timeout)
            .after_connect(move |connection, _| Box::pin(prepare::<DB>(connection, timeout)))
            .connect_lazy(&url)?;
        let asked = asked_every.filter(|_| breaker.is_none()).map(|pause| {
            let asked = Asked::new(DatabaseService::new(pool.clone(), timeout));
            (asked.probe(timeout, pause), asked)
        });
        let (probe, asked) = asked.unzip();
        let breaker = match breaker {
            Some(breaker) => breaker,
            None => {
                let breaker = CircuitBreaker::builder("database")
                    .backoff(Backoff::exponential(2.0))
                    .abandoned_after(timeout / 2);
                let breaker = measure.iter().fold(breaker, |breaker, measure| measure(breaker));
                let breaker = probe.into_iter().fold(breaker, CircuitBreakerBuilder::active_probe);
                breaker.build().map_err(|error| sqlx::Error::Configuration(error.into()))?
            }
        };
        let database = Database::over(pool, timeout, breaker).asked(asked);
        #[cfg(feature = "otel")]
        let database = match metrics {
            Some(metrics) => database.exporting(&metrics)?,
            None => database,
        };
        Ok(database)
    }
}

impl<DB: sqlx::Database> fmt::Debug for DatabaseBuilder<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("DatabaseBuilder")
            .field("connections", &self.connections)
            .field("timeout", &self.timeout)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
