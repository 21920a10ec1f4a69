//! The `ping` by which an open breaker finds out that the database is back.
//!
//! It goes to the pool past breaker and limit, and has the deadline of a call. A breaker that somebody
//! keeps must not keep the connections, so its question knows them only as long as the database lasts.

use std::sync::{Arc, Weak};
use std::time::Duration;

use circuit_layer::{ActiveProbe, Outcome};
use sqlx::Connection;
use tower::ServiceExt;

use super::builder::DatabaseBuilder;
use super::classify::of;
use super::service::DatabaseService;
use super::work::Work;

/// Whom the breaker asks. Dropped, it asks nobody.
pub(super) struct Asked<DB: sqlx::Database>(Arc<DatabaseService<DB>>);

impl<DB: sqlx::Database> Asked<DB> {
    pub(super) fn new(service: DatabaseService<DB>) -> Self {
        Self(Arc::new(service))
    }

    /// `timeout` is that of the service, which ends the question by itself.
    pub(super) fn probe(&self, timeout: Duration, pause: Duration) -> ActiveProbe {
        let asked = Arc::downgrade(&self.0);
        let probe = ActiveProbe::new(move || ask(Weak::clone(&asked)));
        probe.timeout(timeout.saturating_mul(2)).pause(pause)
    }
}

impl<DB: sqlx::Database> Clone for Asked<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A database that answers with an error of the question is there.
async fn ask<DB: sqlx::Database>(asked: Weak<DatabaseService<DB>>) -> Result<(), ()> {
    let service = DatabaseService::clone(&*asked.upgrade().ok_or(())?);
    match service.oneshot(Ping).await {
        Ok(()) => Ok(()),
        Err(error) if of(&error) == Outcome::Success => Ok(()),
        Err(_) => Err(()),
    }
}

/// What costs the database least.
pub(super) struct Ping;

impl<DB: sqlx::Database> Work<DB> for Ping {
    type Answer = ();

    fn run(
        self,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        connection.ping()
    }
}

impl<DB: sqlx::Database> DatabaseBuilder<DB> {
    /// While the breaker is open, asks the database by a `ping` whether it is back, and ends the wait when
    /// it is. So a short outage does not last as long as `reset_timeout`, and during a long one no call is
    /// spent on finding out: each `ping` that fails begins the wait anew.
    ///
    /// A rejected call starts it, `pause` after the one before at the earliest. It has the
    /// [timeout](Self::timeout) of a call, and [closes no breaker](ActiveProbe): the next calls do, as
    /// probes. It goes past the breaker and is in no metric, in no count and in no health, because nobody
    /// called; an observer of the breaker hears of its answer. With the database it ends.
    ///
    /// Default: nobody asks. A [finished breaker](Self::breaker) has, or has not, an active probe of its
    /// own.
    pub const fn active_probe(mut self, pause: Duration) -> Self {
        self.asked_every = Some(pause);
        self
    }
}
