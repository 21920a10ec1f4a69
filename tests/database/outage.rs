//! The server dies, freezes and comes back.

use std::process::Command;
use std::time::Duration;

use circuit_layer::{Clock, State};
use degradation::sqlx::test_server::PostgresServer;
use degradation::sqlx::{Database, DatabaseError, Work};
use sqlx::{Connection, PgConnection, Postgres};

use crate::support::{RESET, TIMEOUT, ask, breaker, on, run, until, until_answered, until_open};

#[tokio::test]
async fn a_killed_server_opens_the_breaker_and_the_same_client_works_once_it_is_back() {
    let mut server = PostgresServer::start().await.unwrap();
    let database = on(&server);
    assert_eq!(ask(&database).await.unwrap(), 42);

    server.kill().unwrap();
    until_open(&database).await;
    let clock = Clock::default();
    let start = clock.now();
    let mut rejected = 0;
    for _ in 0..100 {
        rejected += u32::from(ask(&database).await.is_err_and(|error| error.rejected().is_some()));
    }
    let took = clock.now() - start;
    // Probes are let through when they are due, and wait for the server.
    assert!(rejected > 90 && took < TIMEOUT * 8, "{rejected} of 100 in {took:?}");

    server.restart().await.unwrap();
    until_answered(&database).await;
}

#[tokio::test]
async fn a_frozen_server_costs_no_call_more_than_its_timeout_and_no_connection_after_it() {
    let server = PostgresServer::start().await.unwrap();
    let database = on(&server);
    assert_eq!(ask(&database).await.unwrap(), 42);
    server.stop().unwrap();
    let clock = Clock::default();
    for _ in 0..3 {
        let start = clock.now();
        let error = ask(&database).await.unwrap_err().into_inner().unwrap();
        let took = clock.now() - start;
        assert!(
            matches!(error, DatabaseError::Timeout | DatabaseError::Unreachable),
            "{error:?} after {took:?}"
        );
        assert!(took >= TIMEOUT && took < TIMEOUT * 5, "{took:?}");
    }
    assert_eq!(database.breaker().state(), State::Open);
    assert_eq!(database.pool().size(), 0, "what hung is not in the pool");
    server.cont().unwrap();
    until_answered(&database).await;
}

/// Has an answer, and freezes the server's end of its own connection before it is given back.
struct LastWords;

impl Work<Postgres> for LastWords {
    type Answer = ();

    async fn run(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let own: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?;
        let stopped = Command::new("kill").args(["-STOP", &own.to_string()]).status()?;
        assert!(stopped.success());
        Ok(())
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_after_its_answer_takes_no_place_in_the_pool_with_it() {
    let server = PostgresServer::start().await.unwrap();
    let timeout = Duration::from_secs(2);
    let builder = Database::<Postgres>::builder(server.url()).connections(1).timeout(timeout);
    let database = builder.breaker(breaker(1)).build().unwrap();
    until_answered(&database).await;
    database.run(LastWords).await.unwrap();
    assert_eq!(ask(&database).await.unwrap(), 42, "the very next call has the place");
    database.run(LastWords).await.unwrap();
    tokio::time::timeout(timeout, database.close()).await.expect("nothing to wait for");
}

#[tokio::test]
async fn a_restart_between_two_calls_is_over_as_soon_as_the_server_is_back() {
    let mut server = PostgresServer::start().await.unwrap();
    let database = on(&server);
    assert_eq!(ask(&database).await.unwrap(), 42);
    server.restart().await.unwrap();
    // The pool's connection is dead; sqlx notices when it tests it, and dials again.
    until(async || ask(&database).await.ok()).await;
    assert_eq!(database.breaker().state(), State::Closed, "one hiccup opens nothing");
}

#[tokio::test]
async fn a_service_that_starts_in_the_outage_is_served_once_it_is_over() {
    let mut server = PostgresServer::start().await.unwrap();
    server.kill().unwrap();
    let database = on(&server);
    let error = ask(&database).await.unwrap_err().into_inner().unwrap();
    assert!(matches!(error, DatabaseError::Unreachable), "{error:?}");
    server.restart().await.unwrap();
    until_answered(&database).await;
}

#[tokio::test]
async fn statements_that_the_server_ends_at_their_limit_are_failures_and_open_the_breaker() {
    let server = PostgresServer::start().await.unwrap();
    let database = on(&server);
    until_answered(&database).await;
    let clock = Clock::default();
    for failures in 1..=3 {
        let start = clock.now();
        let slow = run(&database, "SELECT pg_sleep(30)");
        let error = slow.await.unwrap_err().into_inner().unwrap();
        let took = clock.now() - start;
        let DatabaseError::TooSlow(sqlx::Error::Database(error)) = error else {
            panic!("{error:?} after {took:?}")
        };
        assert_eq!(error.code().as_deref(), Some("57014"));
        assert!(took < TIMEOUT, "the caller did not have to: {took:?}");
        assert_eq!(database.health().failures(), failures);
    }
    assert!(database.health().score(State::Closed) < 100, "it is to be seen");
    assert_eq!(database.breaker().state(), State::Open);
    until_answered(&database).await;
}

#[tokio::test]
async fn a_statement_that_somebody_ends_before_its_limit_counts_as_nothing() {
    let server = PostgresServer::start().await.unwrap();
    let builder = Database::<Postgres>::builder(server.url()).timeout(Duration::from_secs(60));
    let database = builder.breaker(breaker(1)).build().unwrap();
    until_answered(&database).await;
    let mut operator = PgConnection::connect(&server.url()).await.unwrap();
    let before = database.health().successes();

    let running = database.clone();
    let asked = tokio::spawn(async move { run(&running, "SELECT pg_sleep(20)").await });
    let cancel =
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sleep(20)'";
    let ended: bool =
        until(async || sqlx::query_scalar(cancel).fetch_optional(&mut operator).await.unwrap())
            .await;
    assert!(ended);
    let own = run(&database, "SET statement_timeout = 50; SELECT pg_sleep(20)").await;
    for ended in [asked.await.unwrap(), own] {
        let error = ended.unwrap_err().into_inner().unwrap();
        let DatabaseError::Sqlx(sqlx::Error::Database(error)) = error else { panic!("{error:?}") };
        assert_eq!(error.code().as_deref(), Some("57014"));
    }
    assert_eq!(database.breaker().state(), State::Closed);
    assert_eq!((database.health().successes(), database.health().failures()), (before, 0));
}

#[tokio::test]
async fn dropped_calls_leave_no_connection_behind() {
    let server = PostgresServer::start().await.unwrap();
    let database = on(&server);
    for _ in 0..8 {
        let slow = run(&database, "SELECT pg_sleep(30)");
        let cut = tokio::time::timeout(RESET / 4, slow).await;
        assert!(cut.is_err(), "it was dropped");
    }
    assert_eq!(ask(&database).await.unwrap(), 42);
    assert_eq!(database.breaker().state(), State::Closed);
}
