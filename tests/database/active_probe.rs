//! An open breaker asks the database itself.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, State};
use degradation::sqlx::Database;
use degradation::sqlx::test_server::PostgresServer;
use sqlx::Postgres;
use tests::probes::Answers;

use crate::support::{TIMEOUT, ask, until, until_open};

const MINUTE: Duration = Duration::from_secs(60);

/// One whose breaker would wait for a minute.
fn asking(server: &PostgresServer) -> Database<Postgres> {
    let builder = Database::builder(server.url()).connections(4).timeout(TIMEOUT);
    let builder = builder.measure(|breaker| breaker.fail_max(2).reset_timeout(MINUTE));
    builder.active_probe(Duration::from_millis(50)).build().unwrap()
}

fn wait(breaker: &CircuitBreaker) -> Duration {
    breaker.snapshot().retry_after.unwrap_or_default()
}

/// Lets rejected calls start questions until one more has ended.
async fn question(breaker: &CircuitBreaker, answers: &Answers) {
    let before = answers.yes() + answers.no();
    until(async || {
        let ended = answers.yes() + answers.no() > before;
        if !ended {
            assert!(breaker.try_acquire().is_err());
        }
        ended.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_back_ends_the_wait_and_the_next_calls_close_the_breaker() {
    let mut server = PostgresServer::start().await.unwrap();
    let database = asking(&server);
    let (answers, _listening) = Answers::of(database.breaker());
    server.kill().unwrap();
    until_open(&database).await;
    question(database.breaker(), &answers).await;
    assert_eq!((answers.yes(), answers.no()), (0, 1));
    assert!(wait(database.breaker()) > MINUTE - TIMEOUT, "the wait begins anew");
    let before = (database.health().requests(), database.health().failures());
    server.restart().await.unwrap();
    while answers.yes() == 0 {
        question(database.breaker(), &answers).await;
    }
    assert_eq!(
        (database.breaker().state(), wait(database.breaker())),
        (State::Open, Duration::ZERO)
    );
    let after = (database.health().requests(), database.health().failures());
    assert_eq!(after, before, "a question is no call");
    for _ in 0..3 {
        assert_eq!(ask(&database).await.unwrap(), 42);
    }
    assert_eq!(database.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_frozen_database_is_asked_for_the_time_of_a_call_and_nothing_hung_stays_in_the_pool() {
    let server = PostgresServer::start().await.unwrap();
    let database = asking(&server);
    let (answers, _listening) = Answers::of(database.breaker());
    ask(&database).await.unwrap();
    server.stop().unwrap();
    until_open(&database).await;
    let begun = database.breaker().now();
    question(database.breaker(), &answers).await;
    let took = database.breaker().now() - begun;
    assert!(took >= TIMEOUT && took < TIMEOUT * 5, "{took:?}");
    assert_eq!((answers.yes(), answers.no()), (0, 1));
    assert_eq!(database.pool().size(), 0);
    server.cont().unwrap();
    while answers.yes() == 0 {
        question(database.breaker(), &answers).await;
    }
    assert_eq!(ask(&database).await.unwrap(), 42);
}

#[tokio::test]
async fn a_breaker_that_outlives_its_database_asks_nobody() {
    let server = PostgresServer::start().await.unwrap();
    let database = asking(&server);
    let breaker = database.breaker().clone();
    let (answers, _listening) = Answers::of(&breaker);
    ask(&database).await.unwrap();
    drop(database);
    for _ in 0..2 {
        breaker.try_acquire().unwrap().failure("test");
    }
    question(&breaker, &answers).await;
    assert_eq!((answers.yes(), answers.no()), (0, 1));
}
