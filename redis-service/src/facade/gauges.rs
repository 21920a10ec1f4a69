//! The inner figures of a client as metrics, for those who ask for them.

use std::sync::Arc;

use circuit_layer::metrics::{Gauge, Metrics, RecorderError, Shown};

use super::Redis;

static CONNECTIONS: Gauge =
    Gauge::new("redis_pool_connections", "Connections to Redis, the idle ones among them.", "");
static AGE: Gauge = Gauge::new(
    "redis_fallback_age_seconds",
    "Age of the oldest value served from memory in the present outage; 0 while Redis serves.",
    "s",
);

/// The gauges of one client, shown until this is dropped.
#[must_use = "the gauges are shown until this is dropped"]
#[derive(Debug)]
pub struct RedisGauges {
    _connections: Shown,
    _age: Option<Shown>,
}

impl<S> Redis<S> {
    /// Shows `redis_pool_connections` at each scrape, and where there is a fallback
    /// `redis_fallback_age_seconds`. They keep no connection open: without the client they show nothing.
    ///
    /// `instance` becomes the label `service_peer_name`, as that of the client's other metrics.
    ///
    /// # Errors
    ///
    /// [`RecorderError::NameTaken`] while they are shown for another client of that name.
    pub fn show(
        &self,
        metrics: &Metrics,
        instance: Option<&str>,
    ) -> Result<RedisGauges, RecorderError> {
        let engine = self.shared.engine.downgrade();
        let connections = move || Some(f64::from(engine.upgrade()?.pool().connections));
        let connections = metrics.gauge(&CONNECTIONS, instance, connections)?;
        let age = self.shared.fallback.as_ref().map(|fallback| {
            let fallback = Arc::downgrade(fallback);
            let age = move || Some(fallback.upgrade()?.oldest_answer().as_secs_f64());
            metrics.gauge(&AGE, instance, age)
        });
        Ok(RedisGauges { _connections: connections, _age: age.transpose()? })
    }
}
