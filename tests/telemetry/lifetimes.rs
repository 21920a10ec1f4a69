//! Series come and go with the services that they describe.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::metrics::{Exporter, Metrics, REDIS, Recorder, RecorderError, S3};
use circuit_layer::{CircuitBreaker, Clock, HealthMetrics};

use crate::scrape::{series, sum};

const MS: Duration = Duration::from_millis(1);

fn service(metrics: &Metrics, name: Option<&str>) -> Recorder {
    let recorder = Recorder::new(metrics, &REDIS, name).unwrap();
    let health = Arc::new(HealthMetrics::new(100 * MS, Clock::default()));
    recorder.watch(&CircuitBreaker::new("redis"), health);
    recorder.success(0, MS);
    recorder.failure(1, 0, MS);
    recorder.rejected(2);
    recorder
}

#[test]
fn no_series_is_shown_twice_however_many_instances_there_are() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let _services = [None, Some("sessions"), Some("cache")].map(|name| service(&metrics, name));
    let _s3 = Recorder::new(&metrics, &S3, None).unwrap();
    let all = series(&exporter);
    assert_eq!(sum(&all, "redis_requests_total", &[r#"status="success""#]), 3.0);
    assert_eq!(all.keys().filter(|series| series.starts_with("redis_health_score")).count(), 3);
}

#[test]
fn a_dropped_service_leaves_only_its_latencies() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let kept = service(&metrics, None);
    let dropped = service(&metrics, Some("sessions"));
    assert!(series(&exporter).keys().any(|series| series.contains("sessions")));
    drop(dropped);
    let left: Vec<_> =
        series(&exporter).into_keys().filter(|series| series.contains("sessions")).collect();
    assert!(left.iter().all(|series| series.starts_with("redis_latency_seconds")), "{left:#?}");
    assert_eq!(sum(&series(&exporter), "redis_requests_total", &[]), 3.0);
    drop(kept);
}

#[test]
fn a_second_service_of_the_same_name_is_refused() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let first = service(&metrics, None);
    let refused = Recorder::new(&metrics, &REDIS, None).unwrap_err();
    assert!(matches!(refused, RecorderError::NameTaken { prefix: "redis", .. }));
    assert_eq!(refused.to_string(), "another redis instance is recorded without a name");
    drop(first);

    // After a restart of the service, requests and latencies still agree.
    let _again = service(&metrics, None);
    let all = series(&exporter);
    let get = r#"operation="get""#;
    assert_eq!(sum(&all, "redis_requests_total", &[get, r#""success""#]), 2.0);
    assert_eq!(sum(&all, "redis_latency_seconds_count", &[get]), 2.0);
}

#[test]
fn services_may_come_and_go_while_others_scrape() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let metrics = &metrics;
            scope.spawn(move || (0..100).for_each(|_| drop(service(metrics, Some(name)))));
        }
        scope.spawn(|| (0..50).for_each(|_| drop(series(&exporter))));
    });
    let all = series(&exporter);
    assert_eq!(sum(&all, "redis_requests_total", &[]), 0.0);
    assert_eq!(sum(&all, "redis_latency_seconds_count", &[]), 600.0);
    let _last = service(&metrics, Some("a"));
    assert_eq!(sum(&series(&exporter), "redis_requests_total", &[r#""success""#]), 101.0);
}
