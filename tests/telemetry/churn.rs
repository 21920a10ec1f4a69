//! A thousand services come and go, and nothing is left of them.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::metrics::{Exporter, Gauge, Metrics, REDIS, Recorder};
use circuit_layer::{CircuitBreaker, Clock, HealthMetrics};

use crate::scrape::series;

static POOL: Gauge = Gauge::new("redis_pool_connections", "Connections.", "{connection}");

/// Everything that a service shows, for as long as it takes to be scraped once in a while.
fn live_and_die(metrics: &Metrics, exporter: &Exporter, round: u32) {
    let breaker = CircuitBreaker::builder("churn").fail_max(1).build().unwrap();
    let recorder = Recorder::new(metrics, &REDIS, Some("churn")).unwrap();
    let health = Arc::new(HealthMetrics::new(Duration::from_millis(100), Clock::default()));
    recorder.watch(&breaker, Arc::clone(&health));
    metrics.count_transitions(&breaker);
    let _shown = metrics.gauge(&POOL, Some("churn"), || Some(1.0)).unwrap();
    for operation in 0..REDIS.operations.len() {
        recorder.success(operation, Duration::from_micros(300));
        recorder.failure(operation, operation, Duration::from_millis(30));
        health.record_success("get", Duration::from_micros(300));
    }
    breaker.try_acquire().unwrap().failure("x");
    if round.is_multiple_of(100) {
        assert!(series(exporter).len() > 100);
    }
}

/// Kilobytes of memory that the process occupies.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

const NAME: &str = "churn::a_thousand_instances_leave_the_same_series_and_the_same_memory";
const ALONE: &str = "CHURN_ALONE";

/// Under cargo's own runner other tests share the process, and its memory is theirs too. So this one
/// runs once more, in a process of its own.
#[test]
fn a_thousand_instances_leave_the_same_series_and_the_same_memory() {
    if std::env::var_os(ALONE).is_some() {
        return churn();
    }
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", NAME, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

fn churn() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    (0..200).for_each(|round| live_and_die(&metrics, &exporter, round));
    let keys = |exporter: &Exporter| series(exporter).into_keys().collect::<Vec<_>>();
    let (before, warm) = (keys(&exporter), resident());
    (0..1_000).for_each(|round| live_and_die(&metrics, &exporter, round));
    assert_eq!(keys(&exporter), before);
    assert!(before.iter().all(|series| series.starts_with("redis_latency_seconds")));
    let grown = resident() / warm;
    assert!(grown < 1.05, "resident memory grew to {grown:.3} of what it was after the warm-up");
}
