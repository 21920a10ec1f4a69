//! What a database error says about the database.
//!
//! Most errors of a database prove that it is alive: it parsed the query and did not like it. Only
//! those count that say that it can not be reached or can not work.
//!
//! | error | outcome |
//! | --- | --- |
//! | our timeout, or the server's for a statement; no connection in time, pool timed out | failure `timeout`, `connection` |
//! | broken or refused connection, TLS; Postgres 08 | failure `connection` |
//! | protocol, worker gone | failure `protocol` |
//! | Postgres 57P shutdown and crash | failure `shutdown` |
//! | Postgres 53 resources, 58 system, XX internal; `SQLite` I/O error, corrupt, full, can not open, no database | failure `server` |
//! | Postgres 25006 read-only standby; `SQLite` read-only | failure `readonly` |
//! | Postgres 28 and 3D000 access | failure `access` |
//! | every connection in use | ignored |
//! | Postgres 57014, `MariaDB` 70100, before that: a cancel, a shorter limit of the caller's | ignored: nobody knows how long it would have taken |
//! | pool closed, configuration, invalid argument | ignored: our own doing |
//! | anything else: row not found, decode, constraint, conflict, lock, busy | success |
//!
//! A lock storm or a saturated disk shows as nothing but 57014, since the server's limit for a statement
//! is half of ours and comes first. Only time tells it from a cancel, so the service looks at the clock
//! ([`TooSlow`](DatabaseError::TooSlow)); an error of sqlx alone is taken for a cancel.
//!
//! Codes: the appendix "Error Codes" of the `PostgreSQL` manual, and "Result and Error Codes" of
//! `SQLite`, whose low byte is the primary code. An SQLSTATE has five characters, which no code of
//! `SQLite` has, so the driver need not be known.

use circuit_layer::{Classify, Outcome};

use super::error::DatabaseError;

/// Classifies results of sqlx, and of this module, by the table of which errors are the database's
/// fault.
///
/// ```
/// use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, State};
/// use degradation::sqlx::SqlOutcomes;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let breaker = CircuitBreaker::builder("database").fail_max(1).build().unwrap();
/// let layer = CircuitBreakerLayer::new(breaker.clone()).classify(SqlOutcomes);
/// let missing = service_fn(|()| async { Err::<u8, _>(sqlx::Error::RowNotFound) });
/// layer.layer(missing).oneshot(()).await.unwrap_err();
/// assert_eq!(breaker.state(), State::Closed, "it answered");
///
/// let gone = service_fn(|()| async { Err::<u8, _>(sqlx::Error::PoolTimedOut) });
/// layer.layer(gone).oneshot(()).await.unwrap_err();
/// assert_eq!(breaker.state(), State::Open);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SqlOutcomes;

impl<T> Classify<T, sqlx::Error> for SqlOutcomes {
    fn classify(&self, result: &Result<T, sqlx::Error>) -> Outcome {
        result.as_ref().map_or_else(of_sqlx, |_| Outcome::Success)
    }
}

impl<T> Classify<T, DatabaseError> for SqlOutcomes {
    fn classify(&self, result: &Result<T, DatabaseError>) -> Outcome {
        result.as_ref().map_or_else(of, |_| Outcome::Success)
    }
}

pub(super) fn of(error: &DatabaseError) -> Outcome {
    match error {
        DatabaseError::Busy => Outcome::Ignored,
        DatabaseError::Unreachable => Outcome::failure("connection"),
        DatabaseError::Timeout | DatabaseError::TooSlow(_) => Outcome::failure("timeout"),
        DatabaseError::Sqlx(error) => of_sqlx(error),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors are answers, new ones too")]
pub(super) fn of_sqlx(error: &sqlx::Error) -> Outcome {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::PoolTimedOut => Outcome::failure("connection"),
        E::Protocol(_) | E::WorkerCrashed | E::BeginFailed => Outcome::failure("protocol"),
        E::PoolClosed | E::Configuration(_) | E::InvalidArgument(_) => Outcome::Ignored,
        E::Database(error) => error.code().map_or(Outcome::Success, |code| of_code(&code)),
        _ => Outcome::Success,
    }
}

/// Whether the server has ended a statement: at its `statement_timeout`, or because it was told to.
pub(super) fn was_ended(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| is_end(&code)))
}

/// Whether the error proves that there is a server which answers.
pub(super) fn is_answer(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::Sqlx(error) => was_ended(error) || of_sqlx(error) == Outcome::Success,
        DatabaseError::TooSlow(_) => true,
        DatabaseError::Busy | DatabaseError::Unreachable | DatabaseError::Timeout => false,
    }
}

/// Whether a connection must not be used again: it leads to a server that takes no writes.
pub(super) fn leads_astray(error: &DatabaseError) -> bool {
    of(error) == Outcome::failure("readonly")
}

pub(super) fn needs_operator(code: &str) -> bool {
    of_code(code) == Outcome::failure("access")
}

pub(super) fn of_code(code: &str) -> Outcome {
    if code.len() == 5 { of_sqlstate(code) } else { of_sqlite(code) }
}

/// `query_canceled` of `PostgreSQL`, and what `MariaDB` says at its `max_statement_time`.
fn is_end(code: &str) -> bool {
    matches!(code, "57014" | "70100")
}

fn of_sqlstate(code: &str) -> Outcome {
    match code {
        _ if is_end(code) => Outcome::Ignored,
        "25006" => Outcome::failure("readonly"),
        "3D000" => Outcome::failure("access"),
        _ => match code.get(..2) {
            Some("08") => Outcome::failure("connection"),
            Some("57") => Outcome::failure("shutdown"),
            Some("53" | "58" | "XX") => Outcome::failure("server"),
            Some("28") => Outcome::failure("access"),
            _ => Outcome::Success,
        },
    }
}

fn of_sqlite(code: &str) -> Outcome {
    const READONLY: u32 = 8;
    const IOERR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANTOPEN: u32 = 14;
    const NOTADB: u32 = 26;
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(IOERR | CORRUPT | FULL | CANTOPEN | NOTADB) => Outcome::failure("server"),
        Ok(READONLY) => Outcome::failure("readonly"),
        Ok(_) | Err(_) => Outcome::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(error: impl Into<DatabaseError>) -> Outcome {
        SqlOutcomes.classify(&Err::<(), _>(error.into()))
    }

    #[test]
    fn what_can_not_be_reached_fails_and_what_answers_does_not() {
        assert_eq!(SqlOutcomes.classify(&Ok::<_, DatabaseError>(())), Outcome::Success);
        assert_eq!(judged(DatabaseError::Timeout), Outcome::failure("timeout"));
        assert_eq!(judged(DatabaseError::Unreachable), Outcome::failure("connection"));
        assert_eq!(
            judged(DatabaseError::TooSlow(sqlx::Error::RowNotFound)),
            Outcome::failure("timeout")
        );
        assert_eq!(judged(DatabaseError::Busy), Outcome::Ignored);
        assert_eq!(judged(sqlx::Error::PoolTimedOut), Outcome::failure("connection"));
        assert_eq!(judged(sqlx::Error::WorkerCrashed), Outcome::failure("protocol"));
        assert_eq!(judged(sqlx::Error::PoolClosed), Outcome::Ignored);
        assert_eq!(judged(sqlx::Error::RowNotFound), Outcome::Success);
    }

    #[test]
    fn a_code_of_postgres_counts_by_its_class() {
        for code in
            ["08006", "57P01", "57P03", "53300", "58030", "XX000", "25006", "28P01", "3D000"]
        {
            assert!(matches!(of_code(code), Outcome::Failure { .. }), "{code}");
        }
        assert_eq!(of_code("57014"), Outcome::Ignored);
        assert_eq!(of_code("70100"), Outcome::Ignored, "MariaDB's");
        for code in ["23505", "40001", "40P01", "55P03", "42601", "22012", ""] {
            assert_eq!(of_code(code), Outcome::Success, "{code}");
        }
    }

    #[test]
    fn a_code_of_sqlite_counts_by_its_low_byte() {
        for code in ["10", "778", "11", "13", "14", "8", "26"] {
            assert!(matches!(of_code(code), Outcome::Failure { .. }), "{code}");
        }
        for code in ["5", "261", "19", "2067", "1"] {
            assert_eq!(of_code(code), Outcome::Success, "{code}");
        }
    }

    #[test]
    fn what_waiting_does_not_heal_is_told_apart() {
        for (code, asks) in
            [("28P01", true), ("28000", true), ("3D000", true), ("57P01", false), ("23505", false)]
        {
            assert_eq!(needs_operator(code), asks, "{code}");
        }
    }
}
