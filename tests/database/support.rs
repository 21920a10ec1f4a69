//! A database on a server, and how to ask it.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, Error, State};
use degradation::sqlx::test_server::PostgresServer;
use degradation::sqlx::{Database, DatabaseError, Work};
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

/// How long a call may take in these tests.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(800);
/// How long the breaker waits before it probes.
pub(crate) const RESET: Duration = Duration::from_millis(200);
/// How long anything may take that a server has to do, on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) type Answer<T> = Result<T, Error<DatabaseError>>;

pub(crate) fn breaker(fail_max: u32) -> CircuitBreaker {
    let builder = CircuitBreaker::builder("database").fail_max(fail_max).reset_timeout(RESET);
    builder.half_open_max_attempts(1).build().unwrap()
}

pub(crate) fn database(url: &str, connections: u32) -> Database<Postgres> {
    let builder = Database::builder(url).connections(connections).timeout(TIMEOUT);
    builder.breaker(breaker(3)).build().unwrap()
}

pub(crate) fn on(server: &PostgresServer) -> Database<Postgres> {
    database(&server.url(), 4)
}

pub(crate) async fn ask(database: &Database<Postgres>) -> Answer<i32> {
    database.call(|c| Box::pin(sqlx::query_scalar("SELECT 42").fetch_one(c))).await
}

/// A statement without an answer.
pub(crate) struct Run(pub(crate) String);

impl Work<Postgres> for Run {
    type Answer = ();

    async fn run(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.0)).execute(connection).await.map(drop)
    }
}

pub(crate) async fn run(database: &Database<Postgres>, sql: &str) -> Answer<()> {
    database.run(Run(sql.to_owned())).await
}

/// Asks until an answer is as wanted, or fails the test.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let clock = Clock::default();
    let start = clock.now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(clock.now() - start < LIMIT, "waited {LIMIT:?} in vain");
        clock.sleep_until(clock.now() + Duration::from_millis(10)).await;
    }
}

pub(crate) async fn until_open(database: &Database<Postgres>) {
    until(async || {
        drop(ask(database).await);
        (database.breaker().state() == State::Open).then_some(())
    })
    .await;
}

pub(crate) async fn until_answered(database: &Database<Postgres>) {
    until(async || ask(database).await.ok()).await;
    assert_eq!(database.breaker().state(), State::Closed);
}
