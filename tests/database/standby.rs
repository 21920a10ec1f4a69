//! A failover: the address leads to a server that takes no writes, until it is promoted.

use circuit_layer::State;
use degradation::sqlx::DatabaseError;
use degradation::sqlx::test_server::PostgresServer;

use crate::support::{ask, on, run, until};

const WRITE: &str = "INSERT INTO notes VALUES (1)";

#[tokio::test]
async fn writes_on_a_standby_open_the_breaker_and_go_through_once_it_is_promoted() {
    let mut primary = PostgresServer::start().await.unwrap();
    let before = on(&primary);
    run(&before, "CREATE TABLE notes (id INT)").await.unwrap();
    run(&before, WRITE).await.unwrap();
    let standby = primary.standby().await.unwrap();
    let database = on(&standby);
    assert_eq!(until(async || ask(&database).await.ok()).await, 42, "it can be read");

    primary.kill().unwrap();
    for _ in 0..3 {
        let error = run(&database, WRITE).await.unwrap_err().into_inner().unwrap();
        let DatabaseError::Sqlx(error) = &error else { panic!("{error:?}") };
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("25006"));
    }
    assert_eq!(database.breaker().state(), State::Open);
    assert_eq!(database.pool().size(), 0, "connections to a standby are not kept");

    standby.promote().await.unwrap();
    until(async || run(&database, WRITE).await.ok()).await;
    assert_eq!(database.breaker().state(), State::Closed);
}
