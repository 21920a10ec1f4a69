//! A SQL database as a tower service behind a breaker (feature `sqlx`).
//!
//! A pool protects a database from too many connections; it does not protect callers from a dead
//! database. sqlx retries a refused connection until its own timeout has passed, 30 s by default, and
//! a frozen server is waited for without end. And the obvious stack of breaker and timeout has holes
//! that only an outage shows:
//!
//! | trap | what this module does |
//! | --- | --- |
//! | A timeout outside the breaker drops the call, and the breaker never learns of the hang. | The order is `breaker(limit(timeout(pool)))`. |
//! | A pool that is merely busy times out like one that can not connect, and opens the breaker of a healthy server. | The limit is inside and as large as the pool; where others use the pool too, a call that found no connection while others were answered is [`Busy`](DatabaseError::Busy), which counts as nothing. |
//! | A client that gives up leaves its query running and its connection taken. | Each connection gets a `statement_timeout` of half the call's timeout; a connection that was given up is closed, not returned. |
//! | sqlx PINGs a connection before it is in the pool again, without end if the server or the network fell silent just after its answer, and its place is lost. | The PING has half the call's timeout; then the connection is closed and its place is free. |
//! | A server that finishes nothing any more, for locks or a full disk queue, ends each statement by that limit, as if somebody had cancelled it. | One that was ended at the limit is [`TooSlow`](DatabaseError::TooSlow), a failure; one that was ended before it counts as nothing. |
//! | After a failover the pool holds connections to a standby, and every write fails. | A read-only error (25006) closes its connection. |
//! | A half-open probe in the middle of somebody's transaction. | The unit of admission is [`Work`] on one connection, so a transaction is one call. |
//!
//! Any driver of sqlx will do, switch it on in your own `Cargo.toml`. [`SqlOutcomes`] is the table
//! that tells a failing database from one that answered "no", for stacks of your own.
//!
//! ```no_run
//! use degradation::sqlx::Database;
//! use sqlx::Any;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // The defaults: 10 connections, 2 s for a call, a breaker as of `circuit-layer`.
//! let database = Database::<Any>::builder("postgres://shop@db/shop").build()?;
//! let names: Vec<String> = database
//!     .call(|connection| Box::pin(sqlx::query_scalar("SELECT name FROM products").fetch_all(connection)))
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! What the caller must know: a commit whose answer was lost may have happened. Neither pool nor
//! breaker can tell, so a write that is repeated must be one that may be.

mod active_probe;
mod builder;
mod classify;
mod database;
mod error;
mod lease;
mod ledger;
mod service;
mod session;
#[cfg(feature = "test-server")]
pub mod test_server;
#[cfg(test)]
mod tests;
mod work;

pub use self::builder::DatabaseBuilder;
pub use self::classify::SqlOutcomes;
pub use self::database::{Database, Stack};
pub use self::error::DatabaseError;
#[cfg(feature = "otel")]
pub use self::ledger::DATABASE;
pub use self::service::DatabaseService;
pub use self::work::{BoxFuture, Work};
