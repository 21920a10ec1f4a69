//! What is set on each new connection: the server's own deadline.

use std::any::Any;
use std::time::Duration;

use sqlx::AnyConnection;
use sqlx::{AssertSqlSafe, Database, Error, Executor};

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

fn settings(backend: &str, timeout: Duration) -> Vec<String> {
    let limit = limit(timeout).as_millis();
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
        assert_eq!(of(Duration::from_nanos(1)), "SET statement_timeout = 1");
        assert!(settings("Oracle", Duration::from_secs(2)).is_empty());
    }

    #[test]
    fn what_took_half_of_the_time_was_ended_by_the_limit_and_what_took_less_was_not() {
        let ours = |millis| is_at_limit(Duration::from_millis(millis), Duration::from_secs(2));
        assert!(ours(1_000) && ours(1_900) && ours(999));
        assert!(!ours(900) && !ours(0));
    }
}
