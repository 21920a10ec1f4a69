//! The same instruments as an OTLP exporter sees them: names, units, kinds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::metrics::{Metrics, REDIS, Recorder, S3};
use circuit_layer::{CircuitBreaker, Clock, HealthMetrics};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};

/// What can be compared of an instrument.
fn kind(data: &AggregatedMetrics) -> &'static str {
    fn of<T>(data: &MetricData<T>) -> &'static str {
        match data {
            MetricData::Gauge(_) => "gauge",
            MetricData::Sum(sum) if sum.is_monotonic() => "monotonic sum",
            MetricData::Sum(_) => "sum",
            MetricData::Histogram(_) => "histogram",
            MetricData::ExponentialHistogram(_) => "exponential histogram",
        }
    }
    match data {
        AggregatedMetrics::F64(data) => of(data),
        AggregatedMetrics::U64(data) => of(data),
        AggregatedMetrics::I64(data) => of(data),
    }
}

/// An exporter that keeps the name, unit and kind of each instrument.
#[derive(Clone, Debug, Default)]
struct Collected(Arc<Mutex<Vec<Fields>>>);

type Fields = (String, String, &'static str);

impl PushMetricExporter for Collected {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let all = metrics.scope_metrics().flat_map(|scope| scope.metrics());
        let fields = |metric: &Metric| {
            (metric.name().to_owned(), metric.unit().to_owned(), kind(metric.data()))
        };
        self.0.lock().unwrap().extend(all.map(fields));
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

#[test]
fn over_otlp_the_names_are_the_same_and_have_units() {
    let exporter = Collected::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let metrics = Metrics::new(&provider.meter("test"));
    let recorders = [&REDIS, &S3].map(|family| {
        let recorder = Recorder::new(&metrics, family, None).unwrap();
        let health = HealthMetrics::new(Duration::from_millis(100), Clock::default());
        recorder.watch(&CircuitBreaker::new("otlp"), Arc::new(health));
        recorder.failure(0, 0, Duration::from_millis(5));
        recorder
    });
    provider.force_flush().unwrap();

    let mut seen = exporter.0.lock().unwrap().clone();
    seen.sort_unstable();
    let seen: Vec<_> = seen.iter().map(|(name, unit, kind)| (&**name, &**unit, *kind)).collect();
    assert_eq!(
        seen,
        [
            ("redis_circuit_breaker_state", "", "gauge"),
            ("redis_errors_total", "{error}", "monotonic sum"),
            ("redis_health_score", "", "gauge"),
            ("redis_latency_seconds", "s", "histogram"),
            ("redis_requests_total", "{request}", "monotonic sum"),
            ("s3_bytes_transferred", "By", "monotonic sum"),
            ("s3_circuit_breaker_state", "", "gauge"),
            ("s3_errors_total", "{error}", "monotonic sum"),
            ("s3_health_score", "", "gauge"),
            ("s3_latency_seconds", "s", "histogram"),
            ("s3_requests_total", "{request}", "monotonic sum"),
        ]
    );
    drop(recorders);
}
