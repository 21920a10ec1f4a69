//! What it costs to count a call.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::metrics::{Exporter, Metrics, REDIS, Recorder};
use circuit_layer::{Clock, HealthMetrics};
use opentelemetry::KeyValue;

use super::drive::Run;

fn latency(n: u64) -> Duration {
    black_box(Duration::from_nanos(100_000 + (n & 0xF_FFFF)))
}

/// Two that count on the same, each so many times.
fn each(count: impl Fn(u64) + Clone + Send + 'static) -> [Run; 2] {
    let run = |count: Box<dyn Fn(u64) + Send>| -> Run {
        Box::new(move |operations| (0..operations).for_each(&count))
    };
    [run(Box::new(count.clone())), run(Box::new(count))]
}

pub fn nothing() -> [Run; 2] {
    each(|n| {
        black_box(latency(n));
    })
}

pub fn ours() -> [Run; 2] {
    let exporter = Exporter::new().unwrap();
    let recorder = Recorder::new(&Metrics::new(&exporter.meter()), &REDIS, None).unwrap();
    let get = REDIS.operation("get");
    let exporter = Arc::new(exporter);
    each(move |n| {
        let _lives = &exporter;
        recorder.success(get, latency(n));
    })
}

/// As its documentation says to use it.
pub fn plain() -> [Run; 2] {
    let exporter = Exporter::new().unwrap();
    let meter = exporter.meter();
    let requests = meter.u64_counter("requests_total").build();
    let latencies = meter.f64_histogram("latency_seconds");
    let latencies = latencies.with_boundaries(REDIS.buckets.to_vec()).build();
    let exporter = Arc::new(exporter);
    each(move |n| {
        let _lives = &exporter;
        let operation = KeyValue::new("operation", "get");
        requests.add(1, &[operation.clone(), KeyValue::new("status", "success")]);
        latencies.record(latency(n).as_secs_f64(), &[operation]);
    })
}

pub fn health() -> [Run; 2] {
    let health = Arc::new(HealthMetrics::new(Duration::from_millis(100), Clock::coarse()));
    each(move |n| health.record_success("get", latency(n)))
}
