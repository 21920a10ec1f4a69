//! The stack on `SQLite`, which is always there. What is claimed of a server is tested on one.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, State};
use sqlx::pool::PoolOptions;
use sqlx::{Sqlite, SqliteConnection};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;

const TIMEOUT: Duration = Duration::from_millis(300);

fn breaker() -> CircuitBreaker {
    CircuitBreaker::builder("database").fail_max(2).build().unwrap()
}

fn database(connections: u32) -> (Database<Sqlite>, TempDir) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    let builder = Database::builder(url).connections(connections).timeout(TIMEOUT);
    (builder.breaker(breaker()).build().unwrap(), folder)
}

async fn answer(database: &Database<Sqlite>) -> Result<i64, circuit_layer::Error<DatabaseError>> {
    database.call(|c| Box::pin(sqlx::query_scalar("SELECT 42").fetch_one(c))).await
}

#[tokio::test]
async fn an_answer_is_an_answer_and_so_is_an_error_of_the_query() {
    let (database, _folder) = database(2);
    assert_eq!(answer(&database).await.unwrap(), 42);
    for _ in 0..3 {
        let wrong = database.call(|c| Box::pin(sqlx::query("SELECT moon").execute(c))).await;
        assert!(matches!(wrong.unwrap_err().into_inner(), Some(DatabaseError::Sqlx(_))));
    }
    assert_eq!(database.breaker().state(), State::Closed);
    assert_eq!((database.health().successes(), database.health().failures()), (4, 0));
    database.ping().await.unwrap();
}

#[tokio::test]
async fn a_busy_pool_of_a_database_that_answers_opens_nothing() {
    let (database, _folder) = database(2);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { answer(&database).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 42);
    }
    assert_eq!(database.breaker().snapshot().rejected, 0);
}

#[tokio::test]
async fn work_that_hangs_opens_the_breaker_and_its_connections_are_replaced() {
    let (database, _folder) = database(1);
    for _ in 0..2 {
        let hung = database.call(|_| Box::pin(std::future::pending::<Result<(), _>>())).await;
        assert!(matches!(hung.unwrap_err().into_inner(), Some(DatabaseError::Timeout)));
    }
    assert_eq!(database.breaker().state(), State::Open);
    assert!(answer(&database).await.unwrap_err().rejected().is_some());
    database.breaker().reset("the test goes on");
    assert_eq!(answer(&database).await.unwrap(), 42);
}

/// Takes a third of the time that a call has; then the answer is there, or there is none.
struct Slowly {
    found: bool,
}

impl Work<Sqlite> for Slowly {
    type Answer = ();

    async fn run(self, _: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let clock = circuit_layer::Clock::default();
        clock.sleep_until(clock.now() + TIMEOUT / 3).await;
        self.found.then_some(()).ok_or(sqlx::Error::RowNotFound)
    }
}

fn forty_two(c: &mut SqliteConnection) -> BoxFuture<'_, Result<i64, sqlx::Error>> {
    Box::pin(sqlx::query_scalar("SELECT 42").fetch_one(c))
}

/// A pool of one connection.
async fn service() -> (DatabaseService<Sqlite>, TempDir) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    let options = PoolOptions::<Sqlite>::new().max_connections(1).acquire_timeout(TIMEOUT * 2);
    (DatabaseService::new(options.connect(&url).await.unwrap(), TIMEOUT), folder)
}

#[tokio::test]
async fn a_pool_that_others_use_up_is_busy_while_they_are_answered_and_gone_while_not() {
    let (service, _folder) = service().await;
    let taken = service.pool().acquire().await.unwrap();
    let nobody_answered = service.clone().oneshot(forty_two).await;
    assert!(matches!(nobody_answered, Err(DatabaseError::Unreachable)), "{nobody_answered:?}");
    drop(taken);
    busy_while_others_use_it_up(&service, true).await;
}

#[tokio::test]
async fn a_pool_that_others_use_up_is_busy_also_while_their_answer_is_no() {
    let (service, _folder) = service().await;
    busy_while_others_use_it_up(&service, false).await;
}

async fn busy_while_others_use_it_up(service: &DatabaseService<Sqlite>, found: bool) {
    let one = || tokio::spawn(service.clone().oneshot(Slowly { found }));
    let calls: Vec<_> = (0..10).map(|_| one()).collect();
    let (mut answered, mut busy) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(()) | Err(DatabaseError::Sqlx(sqlx::Error::RowNotFound)) => answered += 1,
            Err(DatabaseError::Busy) => busy += 1,
            // It had just begun when its time was over.
            Err(DatabaseError::Timeout) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(answered > 0 && busy > 0, "{answered} answered, {busy} busy");
}

#[tokio::test]
async fn a_call_that_is_given_up_is_in_the_books_if_the_breaker_counts_it() {
    let check = async |abandoned_after: Duration, failures: u64| {
        let breaker = CircuitBreaker::builder("database").abandoned_after(abandoned_after);
        let builder = Database::<Sqlite>::builder("sqlite::memory:").connections(1);
        let database = builder.breaker(breaker.build().unwrap()).build().unwrap();
        let hung = database.call(|_| Box::pin(std::future::pending::<Result<(), _>>()));
        tokio::time::timeout(Duration::from_millis(20), hung).await.unwrap_err();
        let (health, counted) = (database.health(), database.breaker().snapshot().counts.failed);
        let told = [health.requests(), health.failures(), counted];
        drop(database);
        assert_eq!(told, [failures; 3]);
    };
    check(Duration::from_millis(20), 1).await;
    check(Duration::from_secs(60), 0).await;
}

#[tokio::test]
async fn a_setting_that_can_not_work_is_an_error_of_the_builder() {
    for builder in [
        Database::<Sqlite>::builder("sqlite::memory:").connections(0),
        Database::<Sqlite>::builder("sqlite::memory:").timeout(Duration::ZERO),
    ] {
        assert!(matches!(builder.build(), Err(sqlx::Error::Configuration(_))));
    }
    assert!(Database::<sqlx::Any>::builder("no URL").build().is_err());
}

#[cfg(feature = "otel")]
#[tokio::test]
async fn metrics_are_shown_for_one_database_that_asks_for_them_and_add_up() {
    let exporter = circuit_layer::metrics::Exporter::new().unwrap();
    let metrics = circuit_layer::metrics::Metrics::new(&exporter.meter());
    let builder = || {
        let builder = Database::<Sqlite>::builder("sqlite::memory:").connections(1);
        builder.timeout(TIMEOUT).breaker(breaker()).metrics(&metrics)
    };
    let database = builder().build().unwrap();
    assert!(builder().build().is_err(), "one would hide the other");
    assert_eq!(answer(&database).await.unwrap(), 42);
    let wrong = database.call(|c| Box::pin(sqlx::query("SELECT moon").execute(c))).await;
    wrong.unwrap_err();
    for _ in 0..3 {
        let hung = database.call(|_| Box::pin(std::future::pending::<Result<(), _>>())).await;
        hung.unwrap_err();
    }
    let text = exporter.render().unwrap();
    for line in [
        r#"database_requests_total{operation="call",status="success"} 1"#,
        r#"database_requests_total{operation="call",status="failure"} 3"#,
        r#"database_requests_total{operation="call",status="rejected"} 1"#,
        r#"database_errors_total{error_type="client",operation="call"} 1"#,
        r#"database_errors_total{error_type="timeout",operation="call"} 2"#,
        r#"database_latency_seconds_count{operation="call"} 4"#,
        "database_circuit_breaker_state 1",
        "database_health_score 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    drop(database);
    assert!(!exporter.render().unwrap().contains("database_circuit_breaker_state "));
}
