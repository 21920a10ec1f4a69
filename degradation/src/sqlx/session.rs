//! What is set on each new connection: the server's own deadline.

use std::any::Any;
use std::time::Duration;

use sqlx::AnyConnection;
use sqlx::{AssertSqlSafe, Database, Error, Executor};

/// The server gives up on a statement after half of the caller's patience, which leaves the other half
/// for waiting and connecting: a query whose caller has gone would run on, and keep a connection slot
/// of the server.
fn settings(backend: &str, timeout: Duration) -> Vec<String> {
    let limit = (timeout / 2).as_millis().max(1);
    match backend {
        "PostgreSQL" => vec![format!("SET statement_timeout = {limit}")],
        "MySQL" => vec![format!("SET SESSION max_execution_time = {limit}")],
        "SQLite" => vec![
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
            format!("PRAGMA busy_timeout = {limit}"),
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
    for setting in settings(backend::<DB>(connection), timeout) {
        connection.execute(AssertSqlSafe(setting)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gives_up_before_its_caller_does_but_never_at_once() {
        let of = |timeout| settings("PostgreSQL", timeout).concat();
        assert_eq!(of(Duration::from_secs(2)), "SET statement_timeout = 1000");
        // Zero would mean no limit.
        assert_eq!(of(Duration::from_nanos(1)), "SET statement_timeout = 1");
        assert!(settings("Oracle", Duration::from_secs(2)).is_empty());
    }
}
