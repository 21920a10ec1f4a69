//! Another configuration for a breaker that runs.

use std::time::Duration;

use circuit_layer::{
    Backoff, Cause, CircuitBreaker, CircuitBreakerBuilder, CircuitBreakerLayer, ConfigError,
    ConsecutiveFailures, FailureRate, HalfOpen, ManualClock, Permit, Reason, Recorded,
    SlowCallRate, State, TripPolicy, Window,
};
use tower::{Layer, Service, service_fn};

use crate::support::{MINUTE, MS, builder, defaults, fail, half_open, rejection, succeed, tripped};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("update")
}

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).build().unwrap(), hand)
}

fn rate(threshold: f64, window: Window) -> FailureRate {
    FailureRate::new(threshold, window).min_calls(1)
}

#[test]
fn a_streak_goes_on_in_the_same_generation() {
    let (breaker, _hand) = defaults();
    let generation = breaker.snapshot().generation;
    fail(&breaker, 4);
    breaker.update(config().fail_max(6)).unwrap();
    fail(&breaker, 1);
    assert_eq!(breaker.snapshot().generation, generation);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.snapshot().cause, Some(Cause::ConsecutiveFailures(6)));
}

#[test]
fn the_counts_that_are_there_are_looked_at_once() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 3);
    breaker.update(config().fail_max(3).reset_timeout(SECOND)).unwrap();
    assert_eq!(rejection(&breaker).cause(), Some(Cause::ConsecutiveFailures(3)));
    assert_eq!(rejection(&breaker).retry_after(), Some(SECOND), "by the new rules");
}

#[test]
fn a_broken_configuration_is_refused_and_changes_nothing() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 4);
    for (broken, error) in [
        (config().fail_max(0), ConfigError::ZeroFailMax),
        (CircuitBreaker::builder(""), ConfigError::EmptyName),
        (config().reset_timeout(Duration::ZERO), ConfigError::ZeroResetTimeout),
        (config().policy(rate(f64::NAN, Window::calls(9))), ConfigError::RateThreshold),
        (config().half_open(HalfOpen::rate(3, 0.0)), ConfigError::HalfOpenThreshold),
    ] {
        assert_eq!(breaker.update(broken), Err(error));
    }
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.counts.failed, snapshot.state), (4, State::Closed));
    fail(&breaker, 1);
    assert_eq!(breaker.snapshot().retry_after, Some(MINUTE));
}

#[test]
fn permits_that_are_out_stay_valid() {
    let (breaker, _hand) = defaults();
    let (one, two) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    breaker.update(config().fail_max(2)).unwrap();
    assert_eq!(one.failure("x"), Recorded::Counted);
    assert_eq!(two.failure("x"), Recorded::Counted);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_deadline_that_is_set_stays_and_the_next_wait_is_the_new_one() {
    let (breaker, hand) = tripped();
    hand.advance(20 * SECOND);
    breaker.update(config().reset_timeout(SECOND).backoff(Backoff::exponential(2.0))).unwrap();
    assert_eq!(rejection(&breaker).retry_after(), Some(40 * SECOND));
    hand.advance(40 * SECOND);
    fail(&breaker, 1);
    assert_eq!(rejection(&breaker).retry_after(), Some(SECOND), "the level was still zero");
    hand.advance(SECOND);
    fail(&breaker, 1);
    let wait = rejection(&breaker).retry_after().unwrap();
    assert!(wait > SECOND && wait <= Duration::from_millis(2_200), "{wait:?}");
}

#[test]
fn a_lease_that_is_out_stays_and_the_next_one_is_the_new_one() {
    let (breaker, hand) = half_open();
    let hung = breaker.try_acquire().unwrap();
    breaker.update(config().half_open(HalfOpen::rate(3, 1.0)).probe_lease(SECOND)).unwrap();
    let next = breaker.try_acquire().unwrap();
    hand.advance(SECOND);
    assert_eq!(breaker.snapshot().leases_expired, 1);
    assert_eq!(next.success(), Recorded::Stale);
    hand.advance(28 * SECOND);
    assert_eq!(breaker.snapshot().leases_expired, 1);
    assert_eq!(hung.success(), Recorded::Counted);
}

#[test]
fn fewer_probes_may_close_and_a_stricter_verdict_may_re_open() {
    let (breaker, _hand) = half_open();
    succeed(&breaker, 2);
    breaker.update(config().half_open_max_attempts(2)).unwrap();
    assert_eq!(breaker.state(), State::Closed);

    let (builder, hand) = builder();
    let breaker = builder.half_open(HalfOpen::rate(4, 1.0)).build().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.update(config().half_open_max_attempts(4)).unwrap();
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().cause, Some(Cause::ProbeFailed));
}

#[test]
fn a_smaller_window_of_calls_keeps_the_newest_and_a_larger_one_all() {
    let (breaker, _hand) = with(rate(1.0, Window::calls(10)).min_calls(10));
    fail(&breaker, 6);
    succeed(&breaker, 6); // The oldest two failures have left.
    breaker.update(config().policy(rate(1.0, Window::calls(8)))).unwrap();
    assert_eq!((breaker.snapshot().counts.calls, breaker.snapshot().counts.failed), (8, 2));
    breaker.update(config().policy(rate(1.0, Window::calls(100)))).unwrap();
    succeed(&breaker, 1);
    assert_eq!((breaker.snapshot().counts.calls, breaker.snapshot().counts.failed), (9, 2));
}

#[test]
fn a_shorter_window_of_time_keeps_the_newest_and_a_longer_one_all() {
    let (breaker, hand) = with(rate(1.0, Window::time(20 * SECOND)));
    succeed(&breaker, 1);
    fail(&breaker, 3);
    hand.advance(15 * SECOND);
    succeed(&breaker, 2);
    breaker.update(config().policy(rate(1.0, Window::time(MINUTE)))).unwrap();
    let counts = breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.failed), (6, 3));
    breaker.update(config().policy(rate(1.0, Window::time(5 * SECOND)))).unwrap();
    let counts = breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.failed), (2, 0));
}

#[test]
fn what_is_too_old_by_now_trips_nothing() {
    let (breaker, hand) = with(rate(1.0, Window::time(20 * SECOND)).min_calls(9));
    fail(&breaker, 8);
    hand.advance(MINUTE);
    breaker.update(config().policy(rate(0.5, Window::time(20 * SECOND)))).unwrap();
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().counts.calls, 0);
}

#[test]
fn another_kind_of_policy_or_window_starts_empty() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 4);
    breaker.update(config().policy(rate(0.5, Window::calls(10)))).unwrap();
    assert_eq!((breaker.state(), breaker.snapshot().counts.calls), (State::Closed, 0));
    succeed(&breaker, 3);
    breaker.update(config().policy(rate(0.5, Window::time(MINUTE)))).unwrap();
    assert_eq!(breaker.snapshot().counts.calls, 0);
    breaker.update(config()).unwrap();
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn both_sides_of_an_or_go_on() {
    let both = |max, n| rate(1.0, Window::calls(n)).min_calls(n).or(ConsecutiveFailures::new(max));
    let (breaker, _hand) = with(both(5, 10));
    succeed(&breaker, 5);
    fail(&breaker, 4);
    breaker.update(config().policy(both(9, 4))).unwrap();
    assert_eq!(breaker.snapshot().cause, Some(Cause::FailureRate(100)));
    breaker.reset("again");
    fail(&breaker, 3);
    breaker.update(config().policy(both(3, 10))).unwrap();
    assert_eq!(breaker.snapshot().cause, Some(Cause::ConsecutiveFailures(3)));
}

fn slow(threshold: Duration) -> SlowCallRate {
    SlowCallRate::new(0.5, threshold, Window::calls(100)).min_calls(10)
}

fn calls(breaker: &CircuitBreaker, n: usize) -> Vec<Permit> {
    (0..n).map(|_| breaker.try_acquire().unwrap()).collect()
}

fn succeeded(calls: impl IntoIterator<Item = Permit>) {
    for call in calls {
        assert_eq!(call.success(), Recorded::Counted);
    }
}

#[test]
fn calls_in_flight_become_slow_by_the_new_threshold() {
    for threshold in [2 * SECOND, SECOND / 2, MINUTE] {
        let (breaker, hand) = with(slow(2 * SECOND));
        let hung = calls(&breaker, 10);
        hand.advance(SECOND / 4);
        breaker.update(config().policy(slow(threshold))).unwrap();
        let newer = calls(&breaker, 10);
        hand.advance(threshold - SECOND / 4);
        assert_eq!(breaker.snapshot().counts.slow, 0, "{threshold:?}");
        // A sixteenth of the former threshold later.
        hand.advance(SECOND / 8);
        assert_eq!(breaker.snapshot().state, State::Open, "{threshold:?}");
        drop((hung, newer));
    }
}

#[test]
fn a_call_that_an_update_found_in_flight_counts_once_by_the_time_it_takes() {
    for threshold in [2 * SECOND, SECOND, 4 * SECOND] {
        let (breaker, hand) = with(slow(2 * SECOND));
        let (fast, late) = (calls(&breaker, 5), calls(&breaker, 4));
        breaker.update(config().policy(slow(threshold))).unwrap();
        succeeded(fast);
        hand.advance(5 * SECOND);
        succeeded(late);
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.slow), (9, 4), "{threshold:?}");
    }
}

#[test]
fn a_policy_that_begins_to_watch_counts_calls_whose_start_it_missed() {
    let (breaker, hand) = with(slow(SECOND).or(ConsecutiveFailures::new(50)));
    let untold = calls(&breaker, 4);
    breaker.update(config().policy(slow(SECOND))).unwrap();
    let told = calls(&breaker, 4);
    hand.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().counts.slow, 4, "those it was told of");
    succeeded(told.into_iter().chain(untold));
    assert_eq!(breaker.snapshot().counts.slow, 8, "each once");
}

#[test]
fn abandoned_after_holds_for_calls_that_are_out() {
    let (breaker, hand) = defaults();
    let call = breaker.try_acquire().unwrap();
    breaker.update(config().fail_max(1).abandoned_after(MINUTE)).unwrap();
    hand.advance(MINUTE - MS);
    drop(call);
    assert_eq!(breaker.state(), State::Closed);
    let call = breaker.try_acquire().unwrap();
    hand.advance(MINUTE);
    drop(call);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn an_order_outlasts_an_update_and_nothing_trips_under_it() {
    let (breaker, _hand) = defaults();
    breaker.force_closed("must go on", None);
    fail(&breaker, 9);
    breaker.update(config().fail_max(2)).unwrap();
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open("maintenance", None);
    breaker.update(config().reset_timeout(MS)).unwrap();
    assert_eq!(rejection(&breaker).reason(), Reason::ForcedOpen);
    assert_eq!(breaker.name(), "test", "the name is the breaker's own");
}

#[test]
fn whoever_waits_for_an_admission_looks_again() {
    let (breaker, _hand) = half_open();
    let probes = calls(&breaker, 3);
    let mut service = CircuitBreakerLayer::new(breaker.clone())
        .backpressure()
        .layer(service_fn(|()| async { Ok::<_, std::io::Error>(()) }));
    let mut waiting = tokio_test::task::spawn(());
    assert!(waiting.enter(|cx, _| service.poll_ready(cx)).is_pending());
    breaker.update(config().half_open_max_attempts(4)).unwrap();
    assert!(waiting.is_woken());
    assert!(waiting.enter(|cx, _| service.poll_ready(cx)).is_ready());
    drop(probes);
}
