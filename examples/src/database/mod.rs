//! Products and stock, over [`degradation::sqlx`]: breaker, limit, one deadline, a pool.
//!
//! The tables are made by the first call that reaches the database, at the start or later: a service
//! that protects itself from an outage has to be able to start in one.

mod query;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::metrics::Metrics;
use circuit_layer::{CircuitBreaker, Error, HealthMetrics};
use degradation::sqlx::{Database as Guarded, DatabaseBuilder, DatabaseError, Work};
use sqlx::Any;
use tokio::sync::OnceCell;

use self::query::{OneProduct, Products, Restock};
pub use self::query::{Product, Restocked};
use self::schema::OnTables;

/// Connections, and calls at a time.
const CONNECTIONS: u32 = 8;

/// How long connections in use have, once the service closes.
const CLOSING: Duration = Duration::from_secs(2);

/// Why there is no answer: the breaker rejected, or the database failed.
pub type QueryError = Error<DatabaseError>;

/// Products and stock. Clones share pool, limit and breaker.
#[derive(Clone, Debug)]
pub struct Database {
    guarded: Guarded<Any>,
    created: Arc<OnceCell<()>>,
    seed: bool,
}

impl Database {
    /// The database that `builder` describes, at `postgres://…` or `sqlite:…`. It is connected to when it is
    /// first asked.
    ///
    /// # Errors
    ///
    /// The URL is of no use, a breaker can not be built, or another database has the metrics.
    pub fn new(builder: DatabaseBuilder<Any>, metrics: &Metrics) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let guarded = builder.connections(CONNECTIONS).metrics(metrics).build()?;
        Ok(Self { guarded, created: Arc::default(), seed: true })
    }

    /// The same, but a database without products stays without them.
    #[must_use]
    pub fn unseeded(self) -> Self {
        Self { seed: false, ..self }
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &CircuitBreaker {
        self.guarded.breaker()
    }

    /// What callers experienced.
    #[must_use]
    pub const fn health(&self) -> &Arc<HealthMetrics> {
        self.guarded.health()
    }

    /// Whether the database answers: the call of least cost, through the breaker like any other.
    ///
    /// # Errors
    ///
    /// See [`products`](Self::products).
    pub async fn ping(&self) -> Result<(), QueryError> {
        self.guarded.ping().await
    }

    /// Makes the tables if the database is there, so that the first callers need not wait for it. If it
    /// is not, the first call that reaches it makes them.
    pub async fn prepare(&self) {
        if let Err(error) = self.products().await {
            tracing::warn!(%error, "the database is not there yet");
        }
    }

    /// All products, by their number.
    ///
    /// # Errors
    ///
    /// As for all methods: the breaker's rejection, a timeout, or the database's error.
    pub async fn products(&self) -> Result<Vec<Product>, QueryError> {
        self.run(Products).await
    }

    /// One product.
    ///
    /// # Errors
    ///
    /// See [`products`](Self::products).
    pub async fn product(&self, id: i64) -> Result<Option<Product>, QueryError> {
        self.run(OneProduct { id }).await
    }

    /// Adds to a product's stock; a negative number takes away.
    ///
    /// # Errors
    ///
    /// See [`products`](Self::products).
    pub async fn restock(&self, id: i64, by: i64) -> Result<Restocked, QueryError> {
        self.run(Restock { id, by }).await
    }

    /// Closes the pool; connections still in use after two seconds are left to the system.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSING, self.guarded.close()).await.is_err() {
            tracing::warn!("connections to the database were still in use");
        }
    }

    /// The tables are part of the call: so there is one deadline and one verdict, whatever of it hangs.
    async fn run<W: Work<Any>>(&self, work: W) -> Result<W::Answer, QueryError> {
        let created = Arc::clone(&self.created);
        self.guarded.run(OnTables { created, seed: self.seed, work }).await
    }
}
