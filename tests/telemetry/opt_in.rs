//! Families that are shown only when somebody asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use circuit_layer::metrics::{Exporter, Gauge, Metrics, RecorderError};
use circuit_layer::{CircuitBreaker, Clock};

use crate::scrape::series;

static DEPTH: Gauge = Gauge::new("spool_depth", "Entries that wait.", "{entry}");

fn exporter() -> (Exporter, Metrics) {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    (exporter, metrics)
}

#[test]
fn a_gauge_is_read_at_each_scrape_and_ends_with_its_guard() {
    let (exporter, metrics) = exporter();
    let depth = Arc::new(AtomicU32::new(3));
    let read = Arc::clone(&depth);
    let shown = metrics.gauge(&DEPTH, None, move || Some(read.load(Ordering::Relaxed).into()));
    let shown = shown.unwrap();
    assert_eq!(series(&exporter).get("spool_depth"), Some(&3.0));
    depth.store(7, Ordering::Relaxed);
    assert_eq!(series(&exporter).get("spool_depth"), Some(&7.0));
    drop(shown);
    assert!(series(&exporter).is_empty());
}

#[test]
fn a_gauge_has_one_reader_for_each_instance() {
    let (exporter, metrics) = exporter();
    let _one = metrics.gauge(&DEPTH, None, || Some(1.0)).unwrap();
    let _two = metrics.gauge(&DEPTH, Some("photos"), || Some(2.0)).unwrap();
    for name in [None, Some(""), Some("photos")] {
        let refused = metrics.gauge(&DEPTH, name, || Some(3.0)).unwrap_err();
        assert!(matches!(refused, RecorderError::NameTaken { prefix: "spool_depth", .. }));
    }
    let all = series(&exporter);
    assert_eq!(all.get("spool_depth"), Some(&1.0));
    assert_eq!(all.get(r#"spool_depth{service_peer_name="photos"}"#), Some(&2.0));
}

#[test]
fn a_reader_that_panics_or_knows_nothing_silences_itself_alone() {
    let (exporter, metrics) = exporter();
    let _bad = metrics.gauge(&DEPTH, Some("bad"), || panic!("told to")).unwrap();
    let _mute = metrics.gauge(&DEPTH, Some("mute"), || None).unwrap();
    let _good = metrics.gauge(&DEPTH, Some("good"), || Some(1.0)).unwrap();
    for _ in 0..3 {
        let all = series(&exporter);
        assert_eq!(all.keys().collect::<Vec<_>>(), [r#"spool_depth{service_peer_name="good"}"#]);
    }
}

fn moves(exporter: &Exporter, name: &str, from: &str, to: &str) -> Option<f64> {
    let key = format!(r#"breaker_transitions_total{{breaker="{name}",from="{from}",to="{to}"}}"#);
    series(exporter).get(&key).copied()
}

#[test]
fn transitions_between_two_scrapes_are_counted_and_end_with_the_breaker() {
    let (exporter, metrics) = exporter();
    let (clock, hand) = Clock::manual();
    let build = || CircuitBreaker::builder("redis").fail_max(1).clock(clock.clone()).build();
    let breaker = build().unwrap();
    metrics.count_transitions(&breaker);
    assert_eq!(moves(&exporter, "redis", "closed", "open"), Some(0.0), "a rate sees the first");
    for _ in 0..3 {
        breaker.try_acquire().unwrap().failure("x");
        hand.advance(Duration::from_secs(60));
        for _ in 0..3 {
            breaker.try_acquire().unwrap().success();
        }
    }
    assert_eq!(moves(&exporter, "redis", "closed", "open"), Some(3.0));
    assert_eq!(moves(&exporter, "redis", "open", "half-open"), Some(3.0));
    assert_eq!(moves(&exporter, "redis", "half-open", "closed"), Some(3.0));

    let namesake = build().unwrap();
    metrics.count_transitions(&namesake);
    namesake.try_acquire().unwrap().failure("x");
    assert_eq!(moves(&exporter, "redis", "closed", "open"), Some(4.0), "one name is one series");
    drop((breaker, namesake));
    assert!(series(&exporter).is_empty());
}

#[test]
fn what_a_breaker_would_have_done_in_shadow_is_not_counted() {
    let (exporter, metrics) = exporter();
    let breaker = CircuitBreaker::builder("redis").fail_max(1).build().unwrap();
    breaker.observe_only("trial", None);
    metrics.count_transitions(&breaker);
    breaker.try_acquire().unwrap().failure("x");
    assert_eq!(moves(&exporter, "redis", "closed", "open"), Some(0.0));
}
