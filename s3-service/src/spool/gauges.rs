//! The figures of a spool as metrics, for those who ask for them.

use std::sync::Arc;

use circuit_layer::metrics::{Gauge, Metrics, RecorderError, Shown};

use super::handle::Spool;
use super::report::SpoolStatus;

static DEPTH: Gauge = Gauge::new("spool_depth", "Entries that wait for S3.", "");
static BYTES: Gauge = Gauge::new("spool_bytes", "Bytes of the entries that wait for S3.", "By");
static OLDEST: Gauge =
    Gauge::new("spool_oldest_seconds", "How long the oldest entry has waited; 0 without one.", "s");

/// The three gauges of one spool, shown until this is dropped.
#[must_use = "the gauges are shown until this is dropped"]
#[derive(Debug)]
pub struct SpoolGauges {
    _shown: [Shown; 3],
}

impl Spool {
    /// Shows `spool_depth`, `spool_bytes` and `spool_oldest_seconds` at each scrape. They do not keep
    /// the folder locked: without the spool they show nothing.
    ///
    /// `instance` becomes the label `service_peer_name`, as that of the service's other metrics.
    ///
    /// # Errors
    /// [`RecorderError::NameTaken`] while they are shown for another spool of that name.
    pub fn show(
        &self,
        metrics: &Metrics,
        instance: Option<&str>,
    ) -> Result<SpoolGauges, RecorderError> {
        let gauge = |gauge: &'static Gauge, read: fn(&SpoolStatus) -> f64| {
            let store = Arc::downgrade(&self.store);
            metrics
                .gauge(gauge, instance, move || Some(read(&Self::new(store.upgrade()?).status())))
        };
        let depth =
            gauge(&DEPTH, |status| number(u64::try_from(status.depth).unwrap_or(u64::MAX)))?;
        let bytes = gauge(&BYTES, |status| number(status.bytes))?;
        let oldest = gauge(&OLDEST, |status| status.oldest.unwrap_or_default().as_secs_f64())?;
        Ok(SpoolGauges { _shown: [depth, bytes, oldest] })
    }
}

#[expect(clippy::as_conversions, reason = "a scrape shows floats; past 2^53 a byte is no matter")]
const fn number(count: u64) -> f64 {
    count as f64
}
