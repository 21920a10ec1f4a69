#![expect(clippy::float_cmp, reason = "these rates are exact")]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{CircuitBreaker, ManualClock};

const MS: Duration = Duration::from_millis(1);

fn health() -> (HealthMetrics, ManualClock) {
    let (clock, hand) = Clock::manual();
    (HealthMetrics::new(100 * MS, clock), hand)
}

#[test]
fn nothing_recorded_is_perfect_health() {
    let (health, _) = health();
    assert_eq!(health.requests(), 0);
    assert_eq!(health.success_rate(), 1.0);
    assert_eq!((health.average(), health.p50(), health.p99()), Default::default());
    assert_eq!(health.score(State::Closed), 100);
    assert_eq!(health.score(State::HalfOpen), 50);
    assert_eq!(health.score(State::Open), 0);
}

#[test]
fn a_rejected_call_is_counted_and_moves_nothing_else() {
    let (health, _) = health();
    health.record_success("get", 7 * MS);
    for _ in 0..1_000 {
        health.record_rejected("get");
    }
    assert_eq!((health.requests(), health.rejected()), (1_001, 1_000));
    assert_eq!((health.successes(), health.failures()), (1, 0));
    assert_eq!(health.success_rate(), 1.0);
    assert_eq!(health.average(), 7 * MS);
    assert_eq!(health.score(State::Closed), 100);
}

#[test]
fn rates_forget_after_a_minute_and_counts_do_not() {
    let (health, hand) = health();
    health.record_failure("get", 550 * MS);
    health.record_success("set", 550 * MS);
    assert_eq!(health.score(State::Closed), 35);
    assert_eq!(health.success_rate(), 0.5);
    hand.advance(Duration::from_secs(59));
    assert_eq!(health.score(State::Closed), 35);
    hand.advance(Duration::from_secs(1));
    assert_eq!(health.score(State::Closed), 100);
    assert_eq!(health.success_rate(), 1.0);
    assert_eq!(health.average(), Duration::ZERO);
    assert_eq!((health.requests(), health.successes(), health.failures()), (2, 1, 1));
}

#[test]
fn percentiles_tell_the_many_from_the_few() {
    let (health, _) = health();
    for _ in 0..985 {
        health.record_success("get", MS);
    }
    for _ in 0..15 {
        health.record_success("get", 900 * MS);
    }
    assert_eq!(health.p50(), MS);
    assert_eq!(health.p99(), 900 * MS);
    assert_eq!(health.average(), Duration::from_micros(14_485));
}

#[test]
fn reset_forgets_everything() {
    let (health, _) = health();
    health.record_failure("get", MS);
    health.record_rejected("get");
    health.reset();
    assert_eq!(health.requests(), 0);
    assert_eq!(health.score(State::Closed), 100);
    let report = health.report(&CircuitBreaker::new("redis").snapshot());
    assert!(report.recent.is_empty());
}

#[test]
fn a_clock_that_steps_backward_costs_nothing() {
    let (health, hand) = health();
    health.record_success("get", MS);
    hand.step_back(Duration::from_secs(1_000_000));
    health.record_failure("get", MS);
    let report = health.report(&CircuitBreaker::new("redis").snapshot());
    assert_eq!((report.successes, report.failures, report.score), (1, 1, 50));
    assert_eq!(report.recent.len(), 2);
    assert!(report.recent.iter().all(|operation| operation.unix_ms > 0));
}

#[test]
fn extreme_latencies_are_taken_as_they_come() {
    let (health, _) = health();
    for latency in [Duration::ZERO, Duration::MAX, Duration::MAX, Duration::from_nanos(1)] {
        health.record_success("get", latency);
    }
    assert_eq!(health.successes(), 4);
    assert_eq!(health.score(State::Closed), 70);
    assert!(health.p99() > Duration::from_secs(68));
}

#[test]
fn the_report_tells_what_just_happened_newest_first() {
    let (health, hand) = health();
    let breaker = CircuitBreaker::new("redis");
    let start = hand.now();
    health.record_success("get", Duration::from_micros(1_500));
    hand.advance(2 * MS);
    health.record_failure("set", 20 * MS);
    hand.advance(3 * MS);
    health.record_rejected("incr");
    hand.advance(5 * MS);

    let report = health.report(&breaker.snapshot());
    let first = u64::try_from((start - Moment::default()).as_millis()).unwrap();
    let told: Vec<_> = report
        .recent
        .iter()
        .map(|op| (op.clock_ms - first, op.operation, op.outcome.as_str(), op.latency_ms))
        .collect();
    assert_eq!(
        told,
        [(5, "incr", "rejected", 0.0), (2, "set", "failure", 20.0), (0, "get", "success", 1.5)]
    );
    let unix: Vec<_> = report.recent.iter().map(|op| op.unix_ms).collect();
    assert_eq!((unix[0] - unix[1], unix[1] - unix[2]), (3, 2));
    assert_eq!((report.state, report.score, report.success_rate), (State::Closed, 50, 0.5));
    assert_eq!((report.average_ms, report.p50_ms, report.p99_ms), (10.75, 1.5, 20.0));
    assert_eq!((report.requests, report.rejected), (3, 1));
}

#[test]
fn an_open_breaker_is_a_score_of_zero() {
    let (health, _) = health();
    let breaker = CircuitBreaker::new("redis");
    health.record_success("get", MS);
    assert_eq!(health.report(&breaker.snapshot()).score, 100);
    breaker.force_open("maintenance", None);
    assert_eq!(health.report(&breaker.snapshot()).score, 0);
}

#[test]
fn no_record_is_lost_between_threads() {
    let (health, _) = health();
    let health = Arc::new(health);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_500 {
                    health.record_success("get", MS);
                    health.record_failure("get", MS);
                    health.record_rejected("get");
                }
            });
        }
    });
    assert_eq!(health.requests(), 30_000);
    assert_eq!(
        (health.successes(), health.failures(), health.rejected()),
        (10_000, 10_000, 10_000)
    );
    assert_eq!(health.score(State::Closed), 50);
    assert_eq!(health.average(), MS);
}
