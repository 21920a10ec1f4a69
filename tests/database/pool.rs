//! Too many callers are no outage; too few slots on the server are.

use std::time::Duration;

use circuit_layer::State;
use degradation::sqlx::test_server::PostgresServer;
use degradation::sqlx::{Database, DatabaseError};
use sqlx::{Connection, PgConnection, Postgres};

use crate::support::{ask, breaker, database, run, until, until_answered, until_open};

#[tokio::test]
async fn an_exhausted_pool_on_a_healthy_server_opens_nothing() {
    let server = PostgresServer::start().await.unwrap();
    let patience = Duration::from_secs(2);
    let builder = Database::<Postgres>::builder(server.url()).connections(2).timeout(patience);
    let database = builder.breaker(breaker(3)).build().unwrap();
    until_answered(&database).await;
    // Two connections, sixty callers, a tenth of a second each: some of them wait too long.
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { run(&database, "SELECT pg_sleep(0.1)").await })
        })
        .collect();
    let (mut answered, mut busy) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(()) => answered += 1,
            Err(error) => match error.into_inner() {
                Some(DatabaseError::Busy) => busy += 1,
                other => panic!("{other:?}"),
            },
        }
    }
    assert!(answered > 10 && busy > 0, "{answered} answered, {busy} waited too long");
    assert_eq!(database.breaker().state(), State::Closed);
    assert_eq!(database.breaker().snapshot().rejected, 0);
    assert_eq!(ask(&database).await.unwrap(), 42);
}

#[tokio::test]
async fn a_server_whose_connection_slots_are_all_taken_opens_the_breaker_until_one_is_free() {
    let settings = ["max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0"];
    let builder = settings.into_iter().fold(PostgresServer::builder(), |b, s| b.setting(s));
    let server = builder.start().await.unwrap();
    let mut slots = Vec::new();
    for _ in 0..5 {
        slots.push(until(async || PgConnection::connect(&server.url()).await.ok()).await);
    }
    let refused = PgConnection::connect(&server.url()).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("53300"));

    let database = database(&server.url(), 2);
    let error = ask(&database).await.unwrap_err().into_inner().unwrap();
    assert!(matches!(error, DatabaseError::Unreachable), "{error:?}");
    assert!(!error.needs_operator());
    until_open(&database).await;
    for slot in slots {
        slot.close().await.unwrap();
    }
    until_answered(&database).await;
}
