//! The calls of a dependency, as a page shows them.

use std::sync::Arc;

use circuit_layer::health::{HealthReport, Status};

use crate::board::{History, Totals};

/// The calls of a dependency within a [`StatusDocument`](crate::StatusDocument).
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct CallStatus {
    /// Calls per second that reached it, over the last ten seconds.
    pub per_second: f64,
    /// 0–1, over the last 60 seconds; 1 without calls.
    pub success_rate: f64,
    /// Milliseconds, over the last 60 seconds; 0 without calls.
    pub average_ms: f64,
    /// Milliseconds that half of the last 60 seconds' calls did not exceed.
    pub p50_ms: f64,
    /// Milliseconds that 99 of 100 of the last 60 seconds' calls did not exceed.
    pub p99_ms: f64,
    /// Calls that it answered well, since the start.
    pub successes: u64,
    /// Calls that failed at it, since the start.
    pub failures: u64,
    /// Calls that its breaker rejected, since the start.
    pub rejected: u64,
}

impl CallStatus {
    pub(crate) fn new(report: &HealthReport, history: &History) -> Self {
        Self {
            per_second: history.calls_per_second(),
            success_rate: report.success_rate,
            average_ms: report.average_ms,
            p50_ms: report.p50_ms,
            p99_ms: report.p99_ms,
            successes: report.successes,
            failures: report.failures,
            rejected: report.rejected,
        }
    }
}

impl From<&HealthReport> for Totals {
    fn from(report: &HealthReport) -> Self {
        let &HealthReport { successes, failures, rejected, .. } = report;
        Self { successes, failures, rejected }
    }
}

/// The last error of a dependency.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct LastError {
    /// What failed: the dependency's words, or the operation and how long it took.
    pub what: Arc<str>,
    /// When, in milliseconds since 1970, where that is known.
    pub at_unix_ms: Option<u64>,
}

impl LastError {
    /// The last failure among the recent operations, in `words` if the source has any.
    pub(crate) fn find(words: Option<Arc<str>>, report: Option<&HealthReport>) -> Option<Self> {
        let recent = report.map(|report| report.recent.as_slice()).unwrap_or_default();
        let failed = recent.iter().find(|operation| operation.outcome == Status::Failure);
        let at_unix_ms = failed.map(|operation| operation.unix_ms);
        let told = failed.map(|failed| {
            format!("{} failed after {:.0} ms", failed.operation, failed.latency_ms).into()
        });
        words.or(told).map(|what| Self { what, at_unix_ms })
    }
}

/// A line of a source's own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Fact {
    /// What it is: `pool`.
    pub name: Arc<str>,
    /// Its value: `12 of 50 connections`.
    pub value: Arc<str>,
}

impl From<(Arc<str>, Arc<str>)> for Fact {
    fn from((name, value): (Arc<str>, Arc<str>)) -> Self {
        Self { name, value }
    }
}
