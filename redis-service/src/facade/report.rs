//! Health and status as values, for an endpoint or a log.

use circuit_layer::Snapshot;
use circuit_layer::health::HealthReport;
use serde::Serialize;

use super::{Redis, Role};
use crate::config::ConfigReport;
use crate::fallback::FallbackReport;
use crate::lanes::PoolReport;
use crate::metrics::OperationCounts;

/// How Redis does, as its callers see it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// State, score, counts, latencies, the last operations.
    #[serde(flatten)]
    pub report: HealthReport,
    /// `GET`s that Redis answered with a value.
    pub hits: u64,
    /// `GET`s that Redis answered with nil.
    pub misses: u64,
    /// `hits / (hits + misses)`; 0.0 when there were none.
    pub hit_ratio: f64,
}

/// Everything there is to know, without secrets.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// How Redis does.
    pub health: Health,
    /// Where it is.
    pub config: ConfigReport,
    /// What the node said it is, when a health check last asked (every 10 seconds at most).
    pub role: Option<Role>,
    /// The connections.
    pub pool: PoolReport,
    /// The breaker.
    pub breaker: Snapshot,
    /// The memory that answers while Redis does not, if there is one.
    pub fallback: Option<FallbackReport>,
    /// Calls of every operation that was ever used.
    pub operations: Vec<OperationCounts>,
}

impl<S> Redis<S> {
    /// How Redis does. Asks nobody: it adds up what the calls came to.
    #[must_use]
    pub fn get_health(&self) -> Health {
        self.health_at(&self.shared.breaker.snapshot())
    }

    /// Everything there is to know, without secrets.
    #[must_use]
    pub fn get_status(&self) -> Status {
        let breaker = self.shared.breaker.snapshot();
        Status {
            health: self.health_at(&breaker),
            config: self.shared.config.clone(),
            role: self.shared.role.role(),
            pool: self.shared.engine.pool(),
            fallback: self.shared.fallback.as_ref().map(|fallback| fallback.report()),
            operations: self.shared.ledger.operations(),
            breaker,
        }
    }

    fn health_at(&self, breaker: &Snapshot) -> Health {
        let (hits, misses) = self.shared.ledger.hits_and_misses();
        let report = self.shared.ledger.health.report(breaker);
        Health { report, hits, misses, hit_ratio: ratio(hits, misses) }
    }
}

#[expect(clippy::as_conversions, reason = "a ratio for people; counts below 2^53 are exact")]
fn ratio(hits: u64, misses: u64) -> f64 {
    match hits.saturating_add(misses) {
        0 => 0.0,
        all => hits as f64 / all as f64,
    }
}
