//! The database: a pool of connections behind a breaker, put together from tower's own parts.
//!
//! ```text
//! breaker(limit(timeout(pool)))
//! ```
//! The order is the whole point.
//!
//! * **The timeout is inside the breaker**, or the breaker never learns that a query hung.
//! * **The limit is inside too, and as large as the pool.** Waiting for one's own limit is not the
//!   database's failure. And with the limit in front, nobody waits for a connection that somebody
//!   else holds; so when the pool says that it timed out, it could not *connect*: sqlx hides a
//!   refused connection behind that error.
//! * **The server stops a query before the client gives up on it** (`statement_timeout`). A client
//!   that goes away leaves its query running and its connection taken.

mod classify;
mod query;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use circuit_layer::{BoxError, BoxErrors, CircuitBreaker, CircuitBreakerLayer, Error, Rejected};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

pub use self::query::{Answer, Product, Query, Restocked};

/// Connections, and calls at a time.
const CONNECTIONS: u8 = 8;

/// The stack that a query goes through.
pub type Stack = BoxCloneSyncService<Query, Answer, Error<BoxError>>;

/// Products and stock. Clones share pool, limit and breaker.
#[derive(Clone)]
pub struct Database {
    stack: Stack,
    pool: AnyPool,
    breaker: CircuitBreaker,
}

/// A query came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The breaker rejected it: the database was not asked.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The database failed, or did not answer in time.
    #[error("the query failed")]
    Failed(#[source] BoxError),
    /// The answer belongs to another query, which is a bug here.
    #[error("the answer belongs to another query")]
    Mismatch,
}

impl From<Error<BoxError>> for DatabaseError {
    fn from(error: Error<BoxError>) -> Self {
        match error {
            Error::Rejected(rejected) => Self::Rejected(rejected),
            Error::Inner(error) => Self::Failed(error),
        }
    }
}

impl Database {
    /// Connects to `postgres://…` or `sqlite:…` and makes sure that schema and seed data are there.
    ///
    /// # Errors
    ///
    /// The URL is of no use, or the database does not answer. Both go past the breaker.
    pub async fn connect(
        url: &str,
        timeout: Duration,
        breaker: CircuitBreaker,
    ) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(u32::from(CONNECTIONS))
            .acquire_timeout(timeout)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    for setting in schema::settings(connection.backend_name(), timeout) {
                        connection.execute(sqlx::AssertSqlSafe(setting)).await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await?;
        schema::create(&pool).await?;
        Ok(Self { stack: stack(&pool, timeout, &breaker), pool, breaker })
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    /// Any query, as tower has it.
    ///
    /// # Errors
    ///
    /// As for all methods: the breaker's rejection, a timeout, or the database's error.
    pub async fn call(&self, query: Query) -> Result<Answer, Error<BoxError>> {
        self.stack.clone().oneshot(query).await
    }

    /// All products, by their number.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    pub async fn products(&self) -> Result<Vec<Product>, DatabaseError> {
        match self.call(Query::Products).await? {
            Answer::Products(products) => Ok(products),
            Answer::Product(_) | Answer::Restocked(_) => Err(DatabaseError::Mismatch),
        }
    }

    /// One product.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    pub async fn product(&self, id: i64) -> Result<Option<Product>, DatabaseError> {
        match self.call(Query::Product { id }).await? {
            Answer::Product(product) => Ok(product),
            Answer::Products(_) | Answer::Restocked(_) => Err(DatabaseError::Mismatch),
        }
    }

    /// Adds to a product's stock; a negative number takes away.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    pub async fn restock(&self, id: i64, by: i64) -> Result<Restocked, DatabaseError> {
        match self.call(Query::Restock { id, by }).await? {
            Answer::Restocked(restocked) => Ok(restocked),
            Answer::Products(_) | Answer::Product(_) => Err(DatabaseError::Mismatch),
        }
    }

    /// Closes the pool, once its queries have ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn stack(pool: &AnyPool, timeout: Duration, breaker: &CircuitBreaker) -> Stack {
    let pool = pool.clone();
    let run = service_fn(move |query: Query| query::run(pool.clone(), query));
    let breaker = CircuitBreakerLayer::new(breaker.clone());
    ServiceBuilder::new()
        .layer(BoxCloneSyncService::layer())
        .layer(breaker.classify(BoxErrors(classify::judge::<Answer>)))
        .layer(ConcurrencyLimitLayer::new(usize::from(CONNECTIONS)))
        .layer(TimeoutLayer::new(timeout))
        .service(run)
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}
