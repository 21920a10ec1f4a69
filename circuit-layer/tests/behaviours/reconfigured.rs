//! What an update must not lose, count twice or let lie.

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerBuilder, CircuitBreakerLayer, ConsecutiveFailures, FailureRate,
    HalfOpen, ManualClock, Permit, SlowCallRate, State, TripPolicy, Window,
};
use tower::{Layer, Service, service_fn};

use crate::support::{MS, builder, defaults, fail, half_open, tripped};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("update")
}

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).build().unwrap(), hand)
}

fn slow(threshold: Duration) -> SlowCallRate {
    SlowCallRate::new(0.5, threshold, Window::calls(100)).min_calls(10)
}

fn calls(breaker: &CircuitBreaker, n: usize) -> Vec<Permit> {
    (0..n).map(|_| breaker.try_acquire().unwrap()).collect()
}

#[test]
fn dropping_a_call_that_the_policy_was_not_told_of_forgets_no_other() {
    let (breaker, hand) = with(slow(SECOND).or(ConsecutiveFailures::new(50)));
    let untold = calls(&breaker, 4);
    breaker.update(config().policy(slow(SECOND))).unwrap();
    let told = calls(&breaker, 4);
    drop(untold);
    hand.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().counts.slow, 4);
    drop(told);
}

#[test]
fn nor_does_its_answer_when_it_begins() {
    let (breaker, hand) = with(slow(SECOND).or(ConsecutiveFailures::new(50)));
    let untold = calls(&breaker, 4);
    breaker.update(config().policy(slow(SECOND))).unwrap();
    let told = calls(&breaker, 4);
    let bodies: Vec<_> = untold.into_iter().map(Permit::settle_early).collect();
    hand.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().counts.slow, 4);
    drop((told, bodies));
}

#[test]
fn a_dropped_call_is_in_flight_on_neither_side_of_an_or() {
    let policies = || (ConsecutiveFailures::new(50), slow(SECOND));
    let ((a, b), (c, d)) = (policies(), policies());
    for (breaker, hand) in [with(a.or(b)), with(d.or(c))] {
        drop(calls(&breaker, 20));
        hand.advance(2 * SECOND);
        assert_eq!(breaker.snapshot().state, State::Closed);
    }
}

#[test]
fn calls_that_are_too_slow_by_the_new_threshold_trip_at_once() {
    let (breaker, hand) = with(slow(16 * SECOND));
    let hung = calls(&breaker, 10);
    hand.advance(4 * SECOND);
    breaker.update(config().policy(slow(SECOND))).unwrap();
    assert_eq!(breaker.state(), State::Open);
    drop(hung);
}

#[test]
fn slow_calls_are_no_failures_any_more_once_they_are_not_counted_as_such() {
    let rate = || FailureRate::new(0.5, Window::calls(10)).min_calls(2);
    let (breaker, hand) = with(rate().min_calls(5).counting_slow(SECOND));
    for permit in calls(&breaker, 4) {
        hand.advance(2 * SECOND);
        permit.success();
    }
    breaker.update(config().policy(rate())).unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn what_happened_just_now_stays_in_a_shorter_window_for_the_whole_of_it() {
    let rate = |stretch| FailureRate::new(1.0, Window::time(stretch)).min_calls(50);
    let (breaker, hand) = with(rate(20 * SECOND));
    fail(&breaker, 3);
    breaker.update(config().policy(rate(5 * SECOND))).unwrap();
    for _ in 0..4 {
        hand.advance(SECOND);
        assert_eq!(breaker.snapshot().counts.failed, 3);
    }
}

#[test]
fn what_was_due_by_the_old_rules_happens_by_them() {
    let (breaker, hand) = half_open();
    let hung = breaker.try_acquire().unwrap();
    hand.advance(30 * SECOND);
    breaker.update(config().half_open(HalfOpen::rate(3, 1.0))).unwrap();
    assert_eq!(breaker.state(), State::Open, "its lease was over, and one failure re-opened");
    drop(hung);
}

#[test]
fn whoever_waits_is_woken_even_if_the_wait_goes_on() {
    let (breaker, _hand) = tripped();
    let mut service = CircuitBreakerLayer::new(breaker.clone())
        .backpressure()
        .layer(service_fn(|()| async { Ok::<_, std::io::Error>(()) }));
    let mut waiting = tokio_test::task::spawn(());
    assert!(waiting.enter(|cx, _| service.poll_ready(cx)).is_pending());
    breaker.update(config().reset_timeout(MS)).unwrap();
    assert!(waiting.is_woken());
    assert!(waiting.enter(|cx, _| service.poll_ready(cx)).is_pending());
}

#[test]
fn under_an_order_calls_in_flight_trip_nothing() {
    type Give = fn(&CircuitBreaker);
    let orders: [Give; 2] = [|b| b.disable("test", None), |b| b.force_closed("test", None)];
    for give in orders {
        let (breaker, hand) = with(slow(SECOND));
        give(&breaker);
        let hung = calls(&breaker, 20);
        hand.advance(2 * SECOND);
        assert_eq!(breaker.snapshot().state, State::Closed);
        drop(hung);
    }
}

#[test]
fn a_slow_success_trips_a_combined_rate_that_trips_on_no_good_call() {
    let policy = FailureRate::new(0.5, Window::calls(10)).min_calls(2).counting_slow(SECOND);
    let (breaker, hand) = with(policy.trip_on_success(false));
    let permits = calls(&breaker, 2);
    hand.advance(2 * SECOND);
    for permit in permits {
        permit.success();
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_late_neutral_outcome_is_no_stale_one() {
    let (breaker, _hand) = defaults();
    let permit = breaker.try_acquire().unwrap();
    breaker.reset("race");
    permit.record(circuit_layer::Outcome::Ignored);
    assert_eq!(breaker.snapshot().stale, 0);
}
