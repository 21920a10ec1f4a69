//! What is noted of every call of a database.

use std::time::Duration;

use circuit_layer::{Error, Outcome};

use super::classify::of;
use super::error::DatabaseError;
use crate::ledger::Ledger;

/// A call is whatever its user makes of it, so it has no finer name.
const OPERATION: &str = "call";

/// The metrics of a database, under the names that [`Family`](circuit_layer::metrics::Family) gives
/// to the prefix `database`.
///
/// `error_type` is the kind of failure of the table in the [module](super); `busy` where every
/// connection was in use; `client` for what the database answered with an error that is none of its
/// own; `other` for the rest. The buckets are exact at 100 ms, up to which the health score loses
/// nothing, and at the 2 s that a call may take by default.
#[cfg(feature = "otel")]
pub static DATABASE: circuit_layer::metrics::Family = circuit_layer::metrics::Family {
    prefix: "database",
    title: "Database",
    operations: &[OPERATION],
    errors: &[
        "timeout",
        "connection",
        "protocol",
        "shutdown",
        "server",
        "readonly",
        "access",
        "busy",
        "client",
        "other",
    ],
    buckets: &[
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0,
    ],
    bytes: false,
};

impl Ledger {
    pub(super) fn note_call<T>(&self, latency: Duration, result: &Result<T, Error<DatabaseError>>) {
        match result {
            Ok(_) => self.health.record_success(OPERATION, latency),
            Err(Error::Rejected(_)) => self.health.record_rejected(OPERATION),
            Err(Error::Inner(error)) => match of(error) {
                Outcome::Failure { .. } => self.health.record_failure(OPERATION, latency),
                Outcome::Success => self.health.record_success(OPERATION, latency),
                Outcome::Ignored => {}
            },
        }
        #[cfg(feature = "otel")]
        self.export_call(latency, result);
    }

    /// Nobody waited for the answer any longer, and the breaker takes that for a failure.
    pub(super) fn note_abandoned_call(&self, latency: Duration) {
        self.note_call::<()>(latency, &Err(Error::Inner(DatabaseError::Timeout)));
    }

    #[cfg(feature = "otel")]
    fn export_call<T>(&self, latency: Duration, result: &Result<T, Error<DatabaseError>>) {
        let Some(recorder) = &self.recorder else { return };
        let operation = DATABASE.operation(OPERATION);
        match result {
            Ok(_) => recorder.success(operation, latency),
            Err(Error::Rejected(_)) => recorder.rejected(operation),
            Err(Error::Inner(error)) => {
                recorder.failure(operation, DATABASE.error(error_type(error)), latency);
            }
        }
    }
}

#[cfg(feature = "otel")]
fn error_type(error: &DatabaseError) -> &'static str {
    match (error, of(error)) {
        (DatabaseError::Busy, _) => "busy",
        (_, Outcome::Failure { kind, .. }) => kind,
        (_, Outcome::Success) => "client",
        (_, Outcome::Ignored) => "other",
    }
}

#[cfg(all(test, feature = "otel"))]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_a_type_of_its_own() {
        for (error, wanted) in [
            (DatabaseError::Busy, "busy"),
            (DatabaseError::Timeout, "timeout"),
            (DatabaseError::TooSlow(sqlx::Error::RowNotFound), "timeout"),
            (DatabaseError::Unreachable, "connection"),
            (sqlx::Error::WorkerCrashed.into(), "protocol"),
            (sqlx::Error::RowNotFound.into(), "client"),
            (sqlx::Error::PoolClosed.into(), "other"),
        ] {
            assert_eq!(error_type(&error), wanted, "{error}");
        }
        for code in ["08006", "57P01", "53300", "25006", "28P01"] {
            let Outcome::Failure { kind, .. } = super::super::classify::of_code(code) else {
                panic!("{code} is no failure")
            };
            assert!(DATABASE.errors.contains(&kind), "{kind}");
        }
    }
}
