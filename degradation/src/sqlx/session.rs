//! What is set on each new connection: the server's own deadline.

use std::any::Any;
use std::time::Duration;

use circuit_layer::Outcome;
use sqlx::AnyConnection;
use sqlx::{AssertSqlSafe, Database, Error, Executor};

use super::classify::of_sqlx;

/// The server gives up on a statement after half of the caller's patience, which leaves the other half
/// for waiting and connecting: a query whose caller has gone would run on, and keep a connection slot
/// of the server.
pub(super) fn limit(timeout: Duration) -> Duration {
    // Zero would mean no limit.
    (timeout / 2).max(Duration::from_millis(1))
}

/// Whether it was this limit that ended a statement which `took` so long. A sixteenth sooner is too:
/// two machines' clocks do not run alike, and the server's counts whole milliseconds.
pub(super) fn is_at_limit(took: Duration, timeout: Duration) -> bool {
    let limit = limit(timeout);
    took >= limit - limit / 16
}

/// Ways to tell a server the limit, of which it knows one. `MariaDB` speaks the protocol of `MySQL`, and has
/// a name and a unit of its own.
fn limits(backend: &str, timeout: Duration) -> Vec<String> {
    let limit = limit(timeout);
    let millis = limit.as_millis();
    match backend {
        "PostgreSQL" => vec![format!("SET statement_timeout = {millis}")],
        "MySQL" => vec![
            format!("SET SESSION max_execution_time = {millis}"),
            format!("SET SESSION max_statement_time = {:.3}", limit.as_secs_f64()),
        ],
        _ => Vec::new(),
    }
}

fn settings(backend: &str, timeout: Duration) -> Vec<String> {
    match backend {
        "SQLite" => vec![
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
            format!("PRAGMA busy_timeout = {}", limit(timeout).as_millis()),
        ],
        _ => Vec::new(),
    }
}

/// The name of the driver, also behind `Any`.
fn backend<DB: Database>(connection: &DB::Connection) -> &str
where
    DB::Connection: 'static,
{
    let connection: &dyn Any = connection;
    connection.downcast_ref::<AnyConnection>().map_or(DB::NAME, AnyConnection::backend_name)
}

pub(super) async fn prepare<DB: Database>(
    connection: &mut DB::Connection,
    timeout: Duration,
) -> Result<(), Error>
where
    DB::Connection: 'static,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let backend = backend::<DB>(connection);
    let (limits, settings) = (limits(backend, timeout), settings(backend, timeout));
    for setting in settings {
        connection.execute(AssertSqlSafe(setting)).await?;
    }
    limit_statements::<DB>(connection, limits).await
}

/// Without a limit the server is less well off when callers give up, which is better than no connection.
async fn limit_statements<DB: Database>(
    connection: &mut DB::Connection,
    limits: Vec<String>,
) -> Result<(), Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut refused = None;
    for limit in limits {
        match connection.execute(AssertSqlSafe(limit)).await {
            Ok(_) => return Ok(()),
            Err(error) if of_sqlx(&error) == Outcome::Success => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "a connection to a server that has no limit for a statement");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Sqlite, SqliteConnection};

    use super::*;

    #[test]
    fn the_server_gives_up_before_its_caller_does_but_never_at_once() {
        let of = |timeout| limits("PostgreSQL", timeout).concat();
        assert_eq!(of(Duration::from_secs(2)), "SET statement_timeout = 1000");
        assert_eq!(of(Duration::from_nanos(1)), "SET statement_timeout = 1");
        assert!(limits("Oracle", Duration::from_secs(2)).is_empty());
    }

    #[test]
    fn a_server_of_the_mysql_protocol_is_asked_for_its_limit_as_mysql_and_then_as_mariadb() {
        let asked = limits("MySQL", Duration::from_millis(2_500));
        let (mysql, mariadb) = ("max_execution_time = 1250", "max_statement_time = 1.250");
        assert_eq!(asked, [mysql, mariadb].map(|limit| format!("SET SESSION {limit}")));
        let least = limits("MySQL", Duration::from_nanos(1));
        assert!(least[1].ends_with(" = 0.001"), "zero would be no limit: {least:?}");
    }

    #[tokio::test]
    async fn a_server_takes_the_first_limit_that_it_knows_and_is_of_use_without_any() {
        let mut server = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let unknown = || "SET SESSION max_execution_time = 1".to_owned();
        let known = |limit: u32| format!("PRAGMA busy_timeout = {limit}");
        for limits in [vec![unknown(), known(7), known(8)], vec![unknown()], vec![]] {
            limit_statements::<Sqlite>(&mut server, limits).await.unwrap();
            let asked = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(&mut server);
            let taken: i64 = asked.await.unwrap();
            assert_eq!(taken, 7);
        }
        sqlx::query("PRAGMA query_only = ON").execute(&mut server).await.unwrap();
        let limits = vec!["CREATE TABLE notes (id)".to_owned(), known(8)];
        limit_statements::<Sqlite>(&mut server, limits).await.expect_err("it takes no writes");
    }

    #[test]
    fn what_took_half_of_the_time_was_ended_by_the_limit_and_what_took_less_was_not() {
        let ours = |millis| is_at_limit(Duration::from_millis(millis), Duration::from_secs(2));
        assert!(ours(1_000) && ours(1_900) && ours(999));
        assert!(!ours(900) && !ours(0));
    }
}
