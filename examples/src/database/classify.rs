//! What a database error says about the database.
//!
//! Most errors of a database prove that it is alive: it parsed the query and did not like it. Only
//! those count that say that it can not be reached or can not work.
//!
//! | error | outcome |
//! | --- | --- |
//! | timeout of ours, broken or refused connection, protocol, worker gone | failure |
//! | pool timed out: with the limit in front, it could not connect | failure |
//! | Postgres 08 connection, 57P shutdown and crash, 53 resources, 58 system, XX internal, 25006 read-only standby, 28 and 3D000 access | failure |
//! | Postgres 57014, the `statement_timeout` | ignored: our own deadline counts it, or nobody |
//! | `SQLite` I/O error, corrupt, full, can not open, read-only, no database | failure |
//! | pool closed, configuration | ignored: our own doing |
//! | anything else: row not found, decode, constraint, conflict, busy | success |
//!
//! Codes: the appendix "Error Codes" of the `PostgreSQL` manual, and "Result and Error Codes" of
//! `SQLite`, whose low byte is the primary code.

use circuit_layer::{BoxError, Outcome};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use tower::timeout::error::Elapsed;

/// The outcome of a call through the stack.
pub(super) fn judge<T>(result: &Result<T, BoxError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Success,
        Err(error) if error.is::<Elapsed>() => Outcome::failure("timeout"),
        Err(error) => error.downcast_ref().map_or(Outcome::failure("other"), of_sqlx),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors are answers, new ones too")]
fn of_sqlx(error: &sqlx::Error) -> Outcome {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) => Outcome::failure("connection"),
        E::Protocol(_) | E::WorkerCrashed | E::BeginFailed => Outcome::failure("protocol"),
        E::PoolTimedOut => Outcome::failure("connect"),
        E::PoolClosed | E::Configuration(_) | E::InvalidArgument(_) => Outcome::Ignored,
        E::Database(error) => of_database(error.as_ref()),
        _ => Outcome::Success,
    }
}

fn of_database(error: &dyn DatabaseError) -> Outcome {
    let Some(code) = error.code() else { return Outcome::Success };
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        of_sqlstate(&code)
    } else {
        of_sqlite(&code)
    }
}

fn of_sqlstate(code: &str) -> Outcome {
    match code {
        "57014" => Outcome::Ignored,
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

    fn sqlx(error: sqlx::Error) -> Outcome {
        judge::<()>(&Err(Box::new(error)))
    }

    #[test]
    fn what_can_not_be_reached_fails_and_what_answers_does_not() {
        assert_eq!(judge(&Ok(())), Outcome::Success);
        assert_eq!(judge::<()>(&Err(Box::new(Elapsed::new()))), Outcome::failure("timeout"));
        assert_eq!(sqlx(sqlx::Error::PoolTimedOut), Outcome::failure("connect"));
        assert_eq!(sqlx(sqlx::Error::WorkerCrashed), Outcome::failure("protocol"));
        assert_eq!(sqlx(sqlx::Error::PoolClosed), Outcome::Ignored);
        assert_eq!(sqlx(sqlx::Error::RowNotFound), Outcome::Success);
    }

    #[test]
    fn a_code_of_postgres_counts_by_its_class() {
        for code in
            ["08006", "57P01", "57P03", "53300", "58030", "XX000", "25006", "28P01", "3D000"]
        {
            assert!(matches!(of_sqlstate(code), Outcome::Failure { .. }), "{code}");
        }
        assert_eq!(of_sqlstate("57014"), Outcome::Ignored);
        for code in ["23505", "40001", "42601", "22012", ""] {
            assert_eq!(of_sqlstate(code), Outcome::Success, "{code}");
        }
    }

    #[test]
    fn a_code_of_sqlite_counts_by_its_low_byte() {
        for code in ["10", "778", "11", "13", "14", "8", "26"] {
            assert!(matches!(of_sqlite(code), Outcome::Failure { .. }), "{code}");
        }
        for code in ["5", "261", "19", "2067", "1"] {
            assert_eq!(of_sqlite(code), Outcome::Success, "{code}");
        }
    }
}
