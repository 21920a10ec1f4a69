//! What `/metrics` shows: the eleven families of the workspace, and those that this service asks for.
//!
//! An operator who reads the dashboard wants to know more than the eleven tell: how full the queue is,
//! which level is enforced, how the database does. The crates show none of that by themselves; here is
//! everything that was switched on, in one place.

use circuit_layer::metrics::{Metrics, RecorderError};
use degradation::{DegradationGauges, DegradationManager};
use redis_service::RedisGauges;
use s3_service::spool::SpoolGauges;

use crate::dependencies::Dependencies;

/// The eleven that every service of these crates shows, with their types.
pub const ELEVEN: [(&str, &str); 11] = [
    ("redis_requests_total", "counter"),
    ("redis_errors_total", "counter"),
    ("redis_latency_seconds", "histogram"),
    ("redis_circuit_breaker_state", "gauge"),
    ("redis_health_score", "gauge"),
    ("s3_requests_total", "counter"),
    ("s3_errors_total", "counter"),
    ("s3_latency_seconds", "histogram"),
    ("s3_circuit_breaker_state", "gauge"),
    ("s3_bytes_transferred", "counter"),
    ("s3_health_score", "gauge"),
];

/// Those that are shown because this service asks for them, with their types.
pub const ASKED_FOR: [(&str, &str); 18] = [
    ("database_requests_total", "counter"),
    ("database_errors_total", "counter"),
    ("database_latency_seconds", "histogram"),
    ("database_circuit_breaker_state", "gauge"),
    ("database_health_score", "gauge"),
    ("openai_requests_total", "counter"),
    ("openai_errors_total", "counter"),
    ("openai_latency_seconds", "histogram"),
    ("openai_circuit_breaker_state", "gauge"),
    ("openai_health_score", "gauge"),
    ("breaker_transitions_total", "counter"),
    ("degradation_level", "gauge"),
    ("degradation_score", "gauge"),
    ("spool_depth", "gauge"),
    ("spool_bytes", "gauge"),
    ("spool_oldest_seconds", "gauge"),
    ("redis_pool_connections", "gauge"),
    ("redis_fallback_age_seconds", "gauge"),
];

/// The gauges, shown until this is dropped.
#[derive(Debug)]
pub(crate) struct Gauges {
    _redis: RedisGauges,
    _spool: Option<SpoolGauges>,
    _level: DegradationGauges,
}

impl Gauges {
    /// Shows what is inside of the clients and the manager, and counts transitions from now on.
    pub(crate) fn show(
        metrics: &Metrics,
        dependencies: &Dependencies,
        manager: &DegradationManager,
    ) -> Result<Self, RecorderError> {
        let Dependencies { redis, s3, database, openai } = dependencies;
        for breaker in [redis.breaker(), s3.breaker(), database.breaker()] {
            metrics.count_transitions(breaker);
        }
        for (_, breaker) in openai.breakers() {
            metrics.count_transitions(breaker);
        }
        Ok(Self {
            _redis: redis.show(metrics, None)?,
            _spool: s3.spool().map(|spool| spool.show(metrics, None)).transpose()?,
            _level: manager.show(metrics)?,
        })
    }
}
