//! Level and score as metrics, for those who ask for them.

use std::sync::Arc;

use circuit_layer::metrics::{Gauge, Metrics, RecorderError, Shown};

use crate::level::Level;
use crate::manager::DegradationManager;
use crate::snapshot::Snapshot;

static LEVEL: Gauge =
    Gauge::new("degradation_level", "Level that is enforced: 0=NORMAL 1=DEGRADED 2=CRITICAL.", "");
static SCORE: Gauge = Gauge::new(
    "degradation_score",
    "Weighted health of all dependencies, 0 (down) to 100 (healthy).",
    "",
);

/// The gauges of a manager, shown until this is dropped.
#[must_use = "the gauges are shown until this is dropped"]
#[derive(Debug)]
pub struct DegradationGauges {
    _shown: [Shown; 2],
}

impl DegradationManager {
    /// Shows `degradation_level` and `degradation_score` at each scrape. They keep no manager alive:
    /// without it they show nothing.
    ///
    /// ```
    /// use circuit_layer::metrics::{Exporter, Metrics};
    /// use degradation::{DegradationManager, Level};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let exporter = Exporter::new()?;
    /// let breaker = circuit_layer::CircuitBreaker::new("redis");
    /// let manager = DegradationManager::builder().dependency("redis", 100, breaker).build()?;
    /// let _shown = manager.show(&Metrics::new(&exporter.meter()))?;
    /// assert!(exporter.render()?.contains("degradation_level 0"));
    /// manager.force_level(Level::Critical, "drill", None);
    /// assert!(exporter.render()?.contains("degradation_level 2"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RecorderError::NameTaken`] while they are shown for another manager: a service has one.
    pub fn show(&self, metrics: &Metrics) -> Result<DegradationGauges, RecorderError> {
        let gauge = |gauge: &'static Gauge, read: fn(&Snapshot) -> f64| {
            let shared = Arc::downgrade(self.shared());
            metrics.gauge(gauge, None, move || Some(read(&shared.upgrade()?.newest())))
        };
        let level = gauge(&LEVEL, |snapshot| match snapshot.level {
            Level::Normal => 0.0,
            Level::Degraded => 1.0,
            Level::Critical => 2.0,
        })?;
        let score = gauge(&SCORE, |snapshot| f64::from(snapshot.score))?;
        Ok(DegradationGauges { _shown: [level, score] })
    }
}

#[cfg(test)]
#[path = "gauges_tests.rs"]
mod tests;
