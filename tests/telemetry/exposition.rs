//! The text, letter by letter.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::metrics::{Exporter, Metrics, REDIS, Recorder, S3};
use circuit_layer::{CircuitBreaker, Clock, HealthMetrics};

use crate::scrape::series;

const ELEVEN: [(&str, &str); 11] = [
    ("redis_circuit_breaker_state", "gauge"),
    ("redis_errors_total", "counter"),
    ("redis_health_score", "gauge"),
    ("redis_latency_seconds", "histogram"),
    ("redis_requests_total", "counter"),
    ("s3_bytes_transferred", "counter"),
    ("s3_circuit_breaker_state", "gauge"),
    ("s3_errors_total", "counter"),
    ("s3_health_score", "gauge"),
    ("s3_latency_seconds", "histogram"),
    ("s3_requests_total", "counter"),
];

/// A minute in the life of two services: Redis fails and is open, S3 is well and a little slow.
///
/// The second value keeps what the gauges look at alive.
fn scripted_run() -> (Exporter, [Recorder; 2]) {
    let (clock, _hand) = Clock::manual();
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());

    let breaker =
        CircuitBreaker::builder("redis").fail_max(2).clock(clock.clone()).build().unwrap();
    let health = Arc::new(HealthMetrics::new(Duration::from_millis(100), clock.clone()));
    let redis = Recorder::new(&metrics, &REDIS, None).unwrap();
    redis.watch(&breaker, health);
    let get = REDIS.operation("get");
    redis.success(get, Duration::from_micros(750));
    for _ in 0..2 {
        breaker.try_acquire().unwrap().failure("timeout");
        redis.failure(get, REDIS.error("timeout"), Duration::from_millis(500));
    }
    breaker.try_acquire().unwrap_err();
    redis.rejected(REDIS.operation("set"));

    let breaker = CircuitBreaker::builder("s3").clock(clock.clone()).build().unwrap();
    let health = Arc::new(HealthMetrics::new(Duration::from_secs(5), clock));
    let s3 = Recorder::new(&metrics, &S3, None).unwrap();
    s3.watch(&breaker, Arc::clone(&health));
    for seconds in [20, 35] {
        health.record_success("upload", Duration::from_secs(seconds));
        s3.success(S3.operation("upload"), Duration::from_secs(seconds));
        s3.uploaded(1 << 20);
    }
    s3.downloaded(4096);
    (exporter, [redis, s3])
}

#[test]
fn a_scripted_run_gives_exactly_the_expected_text() {
    let (exporter, _recorders) = scripted_run();
    let text = exporter.render().unwrap();
    let expected = include_str!("expected.prom");
    assert!(text == expected, "the scrape differs from expected.prom:\n{text}");
}

#[test]
fn the_scrape_holds_the_eleven_families_and_nothing_else() {
    let (exporter, _recorders) = scripted_run();
    let text = exporter.render().unwrap();
    let types: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert_eq!(types, ELEVEN);
    let names: BTreeSet<_> = series(&exporter)
        .into_keys()
        .map(|series| {
            let name = series.split('{').next().unwrap_or_default();
            let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            part.unwrap_or(name).to_owned()
        })
        .collect();
    assert_eq!(names, ELEVEN.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn promtool_has_one_remark_and_it_is_the_known_one() {
    let (exporter, _recorders) = scripted_run();
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(child) => child,
        Err(error) => panic!(
            "promtool can not be started ({error}); it comes with the package `prometheus`, which \
             `make test` installs"
        ),
    };
    let text = exporter.render().unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(
        String::from_utf8(said).unwrap().trim(),
        r#"s3_bytes_transferred counter metrics should have "_total" suffix"#
    );
}

#[test]
fn the_content_type_is_one_that_prometheus_accepts() {
    assert_eq!(Exporter::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
}

#[test]
fn a_named_instance_has_its_label_on_every_series() {
    let exporter = Exporter::new().unwrap();
    let recorder = Recorder::new(&exporter.meter(), &S3, Some("my \"own\"\\backup")).unwrap();
    let health = Arc::new(HealthMetrics::new(Duration::from_secs(5), Clock::default()));
    recorder.watch(&CircuitBreaker::new("s3"), health);
    recorder.failure(0, 0, Duration::from_secs(1));
    let all = series(&exporter);
    let labelled = |series: &str| series.contains(r#"service_peer_name="my \"own\"\\backup""#);
    assert!(all.keys().all(|series| labelled(series)), "{all:#?}");
    assert!(all.contains_key(
        r#"s3_requests_total{operation="upload",service_peer_name="my \"own\"\\backup",status="failure"}"#
    ));
}

#[test]
fn another_dependency_gets_the_same_families_under_its_prefix() {
    use circuit_layer::metrics::Family;
    static DATABASE: Family = Family {
        prefix: "database",
        title: "Database",
        operations: &["query", "execute", "other"],
        errors: &["timeout", "connection", "other"],
        buckets: &[0.005, 0.05, 0.5],
        bytes: false,
    };
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let _redis = Recorder::new(&metrics, &REDIS, None).unwrap();
    let database = Recorder::new(&metrics, &DATABASE, None).unwrap();
    database.failure(DATABASE.operation("query"), 1, Duration::from_millis(30));
    let all = series(&exporter);
    assert_eq!(
        all.get(r#"database_errors_total{error_type="connection",operation="query"}"#),
        Some(&1.0)
    );
    assert_eq!(all.get(r#"database_latency_seconds_sum{operation="query"}"#), Some(&0.03));
    assert!(!all.keys().any(|series| series.contains("bytes")));
}
