//! The books of one dependency: the health of the last minute and, for those who ask, metrics.
//!
//! What a call means to either is the dependency's own affair, so each module says it in a method of
//! its own: [`sqlx`](crate::sqlx) and [`openai`](crate::openai).

use std::sync::Arc;

use circuit_layer::HealthMetrics;
#[cfg(feature = "otel")]
use circuit_layer::{
    CircuitBreaker,
    metrics::{Family, Metrics, Recorder, RecorderError},
};

/// Clones are the same books.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) health: Arc<HealthMetrics>,
    #[cfg(feature = "otel")]
    pub(crate) recorder: Option<Recorder>,
}

impl Ledger {
    pub(crate) fn new(health: HealthMetrics) -> Self {
        Self {
            health: Arc::new(health),
            #[cfg(feature = "otel")]
            recorder: None,
        }
    }

    /// With the metrics of a family too, its gauges those of this breaker and of this health.
    #[cfg(feature = "otel")]
    pub(crate) fn exporting(
        self,
        metrics: &Metrics,
        family: &'static Family,
        breaker: &CircuitBreaker,
    ) -> Result<Self, RecorderError> {
        let recorder = Recorder::new(metrics, family, None)?;
        recorder.watch(breaker, Arc::clone(&self.health));
        Ok(Self { recorder: Some(recorder), ..self })
    }
}
