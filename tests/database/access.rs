//! What waiting does not heal.

use std::time::Duration;

use circuit_layer::{Error, State};
use degradation::sqlx::Database;
use degradation::sqlx::test_server::{PASSWORD, PostgresServer};

use sqlx::Postgres;

use crate::support::{ask, breaker, run, until, until_answered};

/// What a refusal takes must not be mistaken for a hang, on a machine that does much else.
fn patient(url: &str, connections: u32) -> Database<Postgres> {
    let builder = Database::builder(url).connections(connections).timeout(Duration::from_secs(10));
    builder.breaker(breaker(3)).build().unwrap()
}

#[tokio::test]
async fn a_wrong_password_or_database_is_told_at_once_opens_the_breaker_and_asks_for_an_operator() {
    let server = PostgresServer::start().await.unwrap();
    let url = server.url();
    let (address, _) = url.rsplit_once('/').unwrap();
    for wrong in [url.replace(PASSWORD, "wrong"), format!("{address}/moon")] {
        let database = patient(&wrong, 2);
        for _ in 0..3 {
            let error = ask(&database).await.unwrap_err().into_inner().unwrap();
            assert!(error.needs_operator(), "{error:?}");
        }
        assert_eq!(database.breaker().state(), State::Open);
        assert!(matches!(ask(&database).await, Err(Error::Rejected(_))));
    }
    // The server is none the worse.
    until_answered(&patient(&server.url(), 2)).await;
}

#[tokio::test]
async fn a_password_that_is_changed_and_changed_back_leaves_nobody_locked_out() {
    let server = PostgresServer::start().await.unwrap();
    let url = server.url();
    let admin = patient(&url, 1);
    let alter = |password: &str| format!("ALTER ROLE postgres PASSWORD '{password}'");
    run(&admin, &alter("rotated")).await.unwrap();
    let late = patient(&url, 1);
    until(async || {
        drop(ask(&late).await);
        (late.breaker().state() == State::Open).then_some(())
    })
    .await;
    run(&admin, &alter(PASSWORD)).await.unwrap();
    until_answered(&late).await;
}
