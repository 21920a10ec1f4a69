use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::{CircuitBreaker, Clock, HealthMetrics};

const MS: Duration = Duration::from_millis(1);

fn set_up() -> (Exporter, Metrics) {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    (exporter, metrics)
}

fn health() -> Arc<HealthMetrics> {
    Arc::new(HealthMetrics::new(100 * MS, Clock::default()))
}

fn lines(exporter: &Exporter, start: &str) -> Vec<String> {
    let text = exporter.render().unwrap();
    text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

#[test]
fn nothing_is_shown_before_anything_happened() {
    let (exporter, metrics) = set_up();
    let _recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    assert_eq!(exporter.render().unwrap(), "");
}

#[test]
fn the_first_call_of_an_operation_shows_all_its_statuses_and_errors() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.failure(REDIS.operation("get"), REDIS.error("oom"), MS);
    assert_eq!(
        lines(&exporter, "redis_requests_total"),
        [
            r#"redis_requests_total{operation="get",status="failure"} 1"#,
            r#"redis_requests_total{operation="get",status="rejected"} 0"#,
            r#"redis_requests_total{operation="get",status="success"} 0"#,
        ]
    );
    let errors = lines(&exporter, "redis_errors_total");
    assert_eq!(errors.len(), REDIS.errors.len());
    assert_eq!(errors.iter().filter(|line| !line.ends_with(" 0")).count(), 1);
    assert!(errors.contains(&r#"redis_errors_total{error_type="oom",operation="get"} 1"#.into()));
}

#[test]
fn a_rejected_call_touches_neither_latency_nor_errors() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.rejected(0);
    let rejected = r#"redis_requests_total{operation="get",status="rejected"} 1"#;
    assert!(lines(&exporter, "redis_requests_total").contains(&rejected.to_owned()));
    assert_eq!(lines(&exporter, "redis_latency_seconds"), [""; 0]);
    assert!(lines(&exporter, "redis_errors_total").iter().all(|line| line.ends_with(" 0")));
}

#[test]
fn a_latency_falls_into_its_bucket_and_its_sum() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.success(0, MS);
    recorder.success(0, 500 * MS);
    let lines = lines(&exporter, "redis_latency_seconds");
    for expected in [
        r#"redis_latency_seconds_bucket{operation="get",le="0.00075"} 0"#,
        r#"redis_latency_seconds_bucket{operation="get",le="0.001"} 1"#,
        r#"redis_latency_seconds_bucket{operation="get",le="+Inf"} 2"#,
        r#"redis_latency_seconds_sum{operation="get"} 0.501"#,
        r#"redis_latency_seconds_count{operation="get"} 2"#,
    ] {
        assert!(lines.contains(&expected.to_owned()), "{expected} in {lines:#?}");
    }
}

#[test]
fn an_index_past_the_end_counts_as_the_catch_all() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &S3, None).unwrap();
    recorder.failure(usize::MAX, usize::MAX, MS);
    let errors = lines(&exporter, "s3_errors_total");
    assert!(errors.contains(&r#"s3_errors_total{error_type="other",operation="other"} 1"#.into()));
}

#[test]
fn equal_names_are_refused_while_the_first_lives() {
    let (_exporter, metrics) = set_up();
    let unnamed = Recorder::new(&metrics, &REDIS, None).unwrap();
    let _sessions = Recorder::new(&metrics, &REDIS, Some("sessions")).unwrap();
    let _s3 = Recorder::new(&metrics, &S3, None).unwrap();

    let refused = Recorder::new(&metrics, &REDIS, Some("")).unwrap_err();
    assert_eq!(refused, RecorderError::NameTaken { prefix: "redis", name: None });
    let refused = Recorder::new(&metrics, &REDIS, Some("sessions")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        r#"another redis instance is recorded under the name "sessions""#
    );

    let clone = unnamed.clone();
    drop(unnamed);
    assert!(Recorder::new(&metrics, &REDIS, None).is_err(), "a clone is alive");
    drop(clone);
    assert!(Recorder::new(&metrics, &REDIS, None).is_ok());
}

#[test]
fn a_prefix_stands_for_one_family() {
    static OTHER: Family = Family { operations: &["get"], ..REDIS };
    let (_exporter, metrics) = set_up();
    let _recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    let refused = Recorder::new(&metrics, &OTHER, Some("other")).unwrap_err();
    assert_eq!(refused, RecorderError::FamilyDiffers { prefix: "redis" });
}

#[test]
fn series_end_with_their_instance() {
    let (exporter, metrics) = set_up();
    let (a, b) = (
        Recorder::new(&metrics, &S3, Some("a")).unwrap(),
        Recorder::new(&metrics, &S3, Some("b")).unwrap(),
    );
    for recorder in [&a, &b] {
        recorder.watch(&CircuitBreaker::new("s3"), health());
        recorder.rejected(0);
    }
    let both = exporter.render().unwrap();
    drop(a);
    let one = exporter.render().unwrap();
    let of_b: Vec<_> = both.lines().filter(|line| !line.contains(r#"="a""#)).collect();
    assert_eq!(one.lines().collect::<Vec<_>>(), of_b);
    drop(b);
    assert_eq!(exporter.render().unwrap(), "");
}

#[test]
fn a_later_instance_of_a_name_goes_on_counting() {
    let (exporter, metrics) = set_up();
    for round in 1..=3 {
        let recorder = Recorder::new(&metrics, &REDIS, Some("cache")).unwrap();
        recorder.success(0, MS);
        let counted = lines(&exporter, "redis_requests_total");
        assert!(counted.iter().any(|line| line.ends_with(&format!("\"success\"}} {round}"))));
        let latency = lines(&exporter, "redis_latency_seconds_count");
        assert!(latency.iter().all(|line| line.ends_with(&format!(" {round}"))));
    }
}

#[test]
fn dropping_the_recorder_drops_what_it_watched() {
    let (_exporter, metrics) = set_up();
    let (first, second) = (health(), health());
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.watch(&CircuitBreaker::new("redis"), Arc::clone(&first));
    recorder.watch(&CircuitBreaker::new("redis"), Arc::clone(&second));
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
    drop(recorder);
    assert_eq!(Arc::strong_count(&second), 1);
}

#[test]
fn the_gauges_follow_the_breaker_and_its_orders() {
    let (exporter, metrics) = set_up();
    let breaker = CircuitBreaker::builder("redis").fail_max(1).build().unwrap();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.watch(&breaker, health());
    let check = |order: &str, state: u8, score: u8| {
        let told = lines(&exporter, "redis_c").into_iter().chain(lines(&exporter, "redis_h"));
        let expected =
            [format!("redis_circuit_breaker_state {state}"), format!("redis_health_score {score}")];
        assert_eq!(told.collect::<Vec<_>>(), expected, "{order}");
    };
    check("new", 0, 100);
    breaker.force_open("test", None);
    check("forced open", 1, 0);
    breaker.force_closed("test", None);
    check("forced closed", 0, 100);
    breaker.disable("test", None);
    check("disabled", 0, 100);
    breaker.observe_only("test", None);
    check("observe-only", 0, 100);
    breaker.try_acquire().unwrap().failure("timeout");
    check("observe-only, would be open", 1, 0);
    breaker.release("test");
    breaker.reset("test");
    check("released", 0, 100);
}

#[test]
fn a_half_open_breaker_reads_two_and_at_most_fifty() {
    let (clock, hand) = Clock::manual();
    let breaker = CircuitBreaker::builder("redis").fail_max(1).clock(clock).build().unwrap();
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.watch(&breaker, health());
    breaker.try_acquire().unwrap().failure("timeout");
    hand.advance(Duration::from_secs(60));
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(lines(&exporter, "redis_c"), ["redis_circuit_breaker_state 2"]);
    assert_eq!(lines(&exporter, "redis_h"), ["redis_health_score 50"]);
}

#[test]
fn a_recorder_outlives_its_exporter() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &REDIS, None).unwrap();
    recorder.success(0, MS);
    drop(exporter);
    recorder.success(0, MS);
    recorder.failure(0, 0, MS);
}

#[test]
fn transitions_are_shown_for_as_long_as_the_breaker_lives_whoever_dropped_the_metrics() {
    let (exporter, metrics) = set_up();
    let breaker = CircuitBreaker::new("lasting");
    metrics.count_transitions(&breaker);
    drop(metrics);
    breaker.force_open("a test", None);
    let opened = r#"breaker_transitions_total{breaker="lasting",from="closed",to="open"} 1"#;
    assert!(lines(&exporter, "breaker_transitions_total").contains(&opened.to_owned()));
    drop(breaker);
    assert_eq!(lines(&exporter, "breaker_transitions_total"), [""; 0]);
}

#[test]
fn bytes_are_counted_by_their_direction_where_the_family_counts_them() {
    let (exporter, metrics) = set_up();
    let s3 = Recorder::new(&metrics, &S3, None).unwrap();
    let redis = Recorder::new(&metrics, &REDIS, None).unwrap();
    for recorder in [&s3, &redis] {
        recorder.uploaded(3);
        recorder.uploaded(4);
        recorder.downloaded(5);
    }
    assert_eq!(
        lines(&exporter, "s3_bytes"),
        [
            r#"s3_bytes_transferred{direction="download"} 5"#,
            r#"s3_bytes_transferred{direction="upload"} 7"#,
        ]
    );
    assert_eq!(lines(&exporter, "redis_bytes"), [""; 0]);
}

#[test]
fn help_names_the_dependency_and_what_is_counted() {
    let (exporter, metrics) = set_up();
    let recorder = Recorder::new(&metrics, &S3, None).unwrap();
    recorder.success(0, MS);
    assert_eq!(
        lines(&exporter, "# HELP s3_latency_seconds"),
        ["# HELP s3_latency_seconds S3 operation latency in seconds."]
    );
}

#[test]
fn an_exporter_s_error_says_what_could_not_be_done_and_its_source_why() {
    let error =
        ExporterError::new("the scrape could not be written", std::io::Error::other("full"));
    assert_eq!(error.to_string(), "the scrape could not be written");
    assert_eq!(error.source().unwrap().to_string(), "full");
}

static DEPTH: Gauge = Gauge::new("spool_depth", "Entries that wait.", "{entry}");

#[test]
fn a_gauge_is_read_at_each_scrape_and_ends_with_its_guard() {
    let (exporter, metrics) = set_up();
    let depth = Arc::new(AtomicU32::new(3));
    let read = Arc::clone(&depth);
    let shown = metrics.gauge(&DEPTH, None, move || Some(read.load(Ordering::Relaxed).into()));
    let (shown, other) = (shown.unwrap(), metrics.gauge(&DEPTH, Some("other"), || Some(1.0)));
    assert_eq!(DEPTH.name(), "spool_depth");
    let rest = r#"spool_depth{service_peer_name="other"} 1"#;
    assert_eq!(lines(&exporter, "spool_depth"), ["spool_depth 3", rest]);
    depth.store(7, Ordering::Relaxed);
    assert_eq!(lines(&exporter, "spool_depth"), ["spool_depth 7", rest]);
    drop(shown);
    assert_eq!(lines(&exporter, "spool_depth"), [rest]);
    drop(other);
    assert_eq!(lines(&exporter, "spool_depth"), [""; 0]);
}

#[test]
fn a_gauge_has_one_reader_for_each_instance() {
    let (exporter, metrics) = set_up();
    let _one = metrics.gauge(&DEPTH, None, || Some(1.0)).unwrap();
    let _two = metrics.gauge(&DEPTH, Some("photos"), || Some(2.0)).unwrap();
    for (asked, name) in [(None, None), (Some(""), None), (Some("photos"), Some("photos".into()))] {
        let refused = metrics.gauge(&DEPTH, asked, || Some(3.0)).unwrap_err();
        assert_eq!(refused, RecorderError::NameTaken { prefix: "spool_depth", name });
    }
    assert_eq!(
        lines(&exporter, "spool_depth"),
        ["spool_depth 1", r#"spool_depth{service_peer_name="photos"} 2"#]
    );
}

#[test]
fn a_reader_that_panics_or_knows_nothing_silences_itself_alone() {
    let (exporter, metrics) = set_up();
    let _bad = metrics.gauge(&DEPTH, Some("bad"), || panic!("told to")).unwrap();
    let _mute = metrics.gauge(&DEPTH, Some("mute"), || None).unwrap();
    let _good = metrics.gauge(&DEPTH, Some("good"), || Some(1.0)).unwrap();
    for _ in 0..3 {
        let good = r#"spool_depth{service_peer_name="good"} 1"#;
        assert_eq!(lines(&exporter, "spool_depth"), [good]);
    }
}

fn moves(exporter: &Exporter, from: &str, to: &str) -> Option<u32> {
    let series =
        format!(r#"breaker_transitions_total{{breaker="redis",from="{from}",to="{to}"}} "#);
    lines(exporter, &series).iter().find_map(|line| line.strip_prefix(&series)?.parse().ok())
}

#[test]
fn transitions_between_two_scrapes_are_counted_and_end_with_the_breaker() {
    let (exporter, metrics) = set_up();
    let (clock, hand) = Clock::manual();
    let build = || CircuitBreaker::builder("redis").fail_max(1).clock(clock.clone()).build();
    let breaker = build().unwrap();
    metrics.count_transitions(&breaker);
    assert_eq!(moves(&exporter, "closed", "open"), Some(0), "a rate sees the first");
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure("x");
        hand.advance(Duration::from_secs(60));
        for _ in 0..3 {
            breaker.try_acquire().unwrap().success();
        }
    }
    assert_eq!(moves(&exporter, "closed", "open"), Some(3));
    assert_eq!(moves(&exporter, "open", "half-open"), Some(3));
    assert_eq!(moves(&exporter, "half-open", "closed"), Some(3));
    assert_eq!(moves(&exporter, "open", "open"), None, "until there is one");
    breaker.reset("a move from closed to closed");
    assert_eq!(moves(&exporter, "closed", "closed"), Some(1));

    let namesake = build().unwrap();
    metrics.count_transitions(&namesake);
    namesake.try_acquire().unwrap().failure("x");
    assert_eq!(moves(&exporter, "closed", "open"), Some(4), "one name is one series");
    drop((breaker, namesake));
    assert_eq!(lines(&exporter, "breaker_transitions_total"), [""; 0]);
}

#[test]
fn the_transitions_of_a_breaker_that_has_gone_stay_while_one_of_its_name_lives() {
    let (exporter, metrics) = set_up();
    let counted = || {
        let breaker = CircuitBreaker::builder("redis").fail_max(1).build().unwrap();
        metrics.count_transitions(&breaker);
        breaker.try_acquire().unwrap().failure("x");
        breaker
    };
    let (first, second) = (counted(), counted());
    assert_eq!(moves(&exporter, "closed", "open"), Some(2));
    drop(first);
    assert_eq!(moves(&exporter, "closed", "open"), Some(2), "a counter never falls");
    let third = counted();
    drop(second);
    assert_eq!(moves(&exporter, "closed", "open"), Some(3));
    drop(third);
    assert_eq!(moves(&exporter, "closed", "open"), None);
    let _fourth = counted();
    assert_eq!(moves(&exporter, "closed", "open"), Some(1), "another series");
}

#[test]
fn what_a_breaker_would_have_done_in_shadow_is_not_counted() {
    let (exporter, metrics) = set_up();
    let breaker = CircuitBreaker::builder("redis").fail_max(1).build().unwrap();
    breaker.observe_only("trial", None);
    metrics.count_transitions(&breaker);
    breaker.try_acquire().unwrap().failure("x");
    assert_eq!(moves(&exporter, "closed", "open"), Some(0));
}
