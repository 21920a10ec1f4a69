//! Failure rates, slow calls and windows, through the whole breaker.

use std::time::Duration;

use circuit_layer::{
    Backoff, Cause, CircuitBreaker, ConfigError, ConsecutiveFailures, FailureRate, HalfOpen,
    ManualClock, Outcome, SlowCallRate, State, TripPolicy, Window,
};

use crate::support::{MINUTE, MS, NS, builder, fail, succeed};

const SECOND: Duration = Duration::from_secs(1);

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).build().unwrap(), hand)
}

/// Failure rate and slow rate 50 %, slow above 4 s, 20 s of time, at least 5 calls.
fn config_a() -> (CircuitBreaker, ManualClock) {
    let window = Window::time(20 * SECOND);
    let failures = FailureRate::new(0.5, window).min_calls(5);
    with(failures.or(SlowCallRate::new(0.5, 4 * SECOND, window).min_calls(5)))
}

fn call(breaker: &CircuitBreaker, hand: &ManualClock, took: Duration, outcome: Outcome) {
    let permit = breaker.try_acquire().unwrap();
    hand.advance(took);
    permit.record(outcome);
}

const F: Outcome = Outcome::failure("x");
const S: Outcome = Outcome::Success;

#[test]
fn the_success_that_completes_min_calls_may_trip() {
    let (breaker, _hand) = config_a();
    fail(&breaker, 3);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed, "four calls are not enough data");
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().cause, Some(Cause::FailureRate(60)));
}

#[test]
fn thresholds_are_inclusive() {
    let (breaker, hand) = config_a();
    for outcome in [S, S, S, F, F] {
        call(&breaker, &hand, SECOND, outcome);
    }
    assert_eq!(breaker.state(), State::Closed, "40 %");
    call(&breaker, &hand, SECOND, F);
    assert_eq!(breaker.state(), State::Open, "50 %");
}

#[test]
fn a_rate_needs_its_minimum_and_its_threshold() {
    for (calls, failures, min, opens) in [
        (10, 0, 10, false),
        (10, 1, 10, true),
        (10, 2, 10, true),
        (11, 2, 10, true),
        (9, 1, 10, false),
    ] {
        let (breaker, _hand) = with(FailureRate::new(0.1, Window::calls(100)).min_calls(min));
        fail(&breaker, failures);
        for _ in failures..calls {
            if let Ok(permit) = breaker.try_acquire() {
                permit.success();
            }
        }
        assert_eq!(breaker.state() == State::Open, opens, "{failures} of {calls}");
    }
}

#[test]
fn a_thousand_successes_do_not_blind_a_window_of_ten() {
    let (breaker, _hand) = with(FailureRate::new(0.5, Window::calls(10)).min_calls(10));
    succeed(&breaker, 1_000);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn after_any_number_of_successes_a_window_of_100_at_half_takes_exactly_50_failures() {
    for successes in [0, 1, 50, 100, 101, 1_000, 10_000] {
        let (breaker, _hand) = with(FailureRate::new(0.5, Window::calls(100)).min_calls(100));
        succeed(&breaker, successes);
        let needed = if successes < 50 { 100 - successes } else { 50 };
        fail(&breaker, needed - 1);
        assert_eq!(breaker.state(), State::Closed, "after {successes}");
        fail(&breaker, 1);
        assert_eq!(breaker.state(), State::Open, "after {successes}");
    }
}

#[test]
fn slow_calls_trip_whether_they_fail_or_not() {
    let (breaker, hand) = config_a();
    for (seconds, outcome) in [(5.0, F), (5.0, S), (0.1, F), (0.1, S), (5.0, S)] {
        call(&breaker, &hand, Duration::from_secs_f64(seconds), outcome);
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().cause, Some(Cause::SlowCallRate(60)));
}

#[test]
fn exactly_the_threshold_is_not_slow_and_a_nanosecond_more_is() {
    for (took, opens) in [(4 * SECOND, false), (4 * SECOND + NS, true), (4 * SECOND - NS, false)] {
        let (breaker, hand) =
            with(SlowCallRate::new(1.0, 4 * SECOND, Window::calls(1)).min_calls(1));
        call(&breaker, &hand, took, S);
        assert_eq!(breaker.state() == State::Open, opens, "{took:?}");
    }
}

#[test]
fn an_answer_that_begins_at_the_threshold_is_not_slow_however_long_it_goes_on() {
    for (took, slow) in [(4 * SECOND, 0), (4 * SECOND + NS, 1)] {
        let (breaker, hand) =
            with(SlowCallRate::new(1.0, 4 * SECOND, Window::calls(10)).min_calls(10));
        let permit = breaker.try_acquire().unwrap();
        hand.advance(took);
        let body = permit.settle_early();
        hand.advance(MINUTE);
        body.success();
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.slow), (1, slow), "{took:?}");
    }
}

#[test]
fn the_combined_rate_trips_where_neither_single_one_would() {
    let policy = FailureRate::new(0.5, Window::calls(4)).min_calls(4).counting_slow(SECOND);
    let (breaker, hand) = with(policy);
    for (took, outcome) in [(MS, S), (2 * SECOND, S), (MS, F)] {
        call(&breaker, &hand, took, outcome);
    }
    assert_eq!(breaker.state(), State::Closed);
    call(&breaker, &hand, MS, S);
    assert_eq!(breaker.snapshot().cause, Some(Cause::FailedOrSlow(50)));
}

#[test]
fn calls_that_never_answer_trip_while_they_are_in_flight() {
    let (breaker, hand) =
        with(SlowCallRate::new(0.5, 2 * SECOND, Window::time(MINUTE)).min_calls(10));
    let hung: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
    hand.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().state, State::Closed);
    hand.advance(2 * SECOND / 16);
    assert_eq!(breaker.snapshot().state, State::Open);
    let recorded: Vec<_> = hung.into_iter().map(circuit_layer::Permit::success).collect();
    assert_eq!(recorded, [circuit_layer::Recorded::Stale; 20]);
}

#[test]
fn they_do_so_on_either_side_of_an_or() {
    let slow = || SlowCallRate::new(0.5, 2 * SECOND, Window::calls(20)).min_calls(10);
    let streak = || ConsecutiveFailures::new(50);
    for (breaker, hand) in [with(slow().or(streak())), with(streak().or(slow()))] {
        let hung: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
        hand.advance(3 * SECOND);
        assert_eq!(breaker.snapshot().cause, Some(Cause::SlowCallRate(100)));
        drop(hung);
    }
}

#[test]
fn a_dropped_call_is_no_longer_in_flight() {
    let (builder, hand) = builder();
    let slow = SlowCallRate::new(0.5, 2 * SECOND, Window::calls(10)).min_calls(1);
    let breaker = builder.policy(slow).abandoned_after(None).build().unwrap();
    let calls: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
    drop(calls);
    hand.advance(MINUTE);
    assert_eq!(breaker.snapshot().state, State::Closed);
}

#[test]
fn a_slow_probe_has_failed_where_slow_calls_are_watched() {
    let (builder, hand) = builder();
    let slow = SlowCallRate::new(0.5, SECOND, Window::calls(4)).min_calls(4);
    let breaker = builder.policy(slow).half_open(HalfOpen::rate(4, 0.5)).build().unwrap();
    for _ in 0..4 {
        call(&breaker, &hand, 2 * SECOND, S);
        if breaker.state() == State::Open {
            break;
        }
    }
    hand.advance(MINUTE);
    call(&breaker, &hand, MS, S);
    call(&breaker, &hand, 2 * SECOND, S);
    assert_eq!(breaker.state(), State::HalfOpen);
    call(&breaker, &hand, 2 * SECOND, S);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn either_policy_trips_and_both_see_everything() {
    let both =
        || FailureRate::new(0.5, Window::calls(100)).min_calls(50).or(ConsecutiveFailures::new(5));
    let (breaker, _hand) = with(both());
    fail(&breaker, 5);
    assert_eq!(breaker.snapshot().cause, Some(Cause::ConsecutiveFailures(5)));
    let (breaker, _hand) = with(both());
    for _ in 0..25 {
        succeed(&breaker, 1);
        fail(&breaker, 1);
    }
    assert_eq!(breaker.snapshot().cause, Some(Cause::FailureRate(50)));
}

#[test]
fn a_window_starts_empty_after_recovery() {
    let (breaker, hand) = with(FailureRate::new(0.5, Window::calls(10)).min_calls(10));
    fail(&breaker, 10);
    hand.advance(MINUTE);
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 9);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_sub_second_window_needs_its_minimum_too() {
    let (breaker, _hand) =
        with(FailureRate::new(0.5, Window::time(Duration::from_millis(4))).min_calls(100));
    succeed(&breaker, 99);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn every_success_of_many_threads_is_in_the_window_and_no_more() {
    for window in [Window::calls(2_000_000), Window::time(1_000 * MINUTE)] {
        // Just above what two failures in so many calls come to.
        let (breaker, _hand) = with(FailureRate::new(1.0, window).min_calls(80_001));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..20_000 {
                        let permit = breaker.try_acquire().unwrap();
                        if n % 100 == 0 {
                            permit.failure("x")
                        } else {
                            permit.success()
                        };
                    }
                });
            }
        });
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failed), (80_000, 800));
    }
}

#[test]
fn broken_windows_are_refused() {
    let time = |stretch| FailureRate::new(0.5, Window::time(stretch));
    let cases = [
        (FailureRate::new(0.0, Window::calls(10)), ConfigError::RateThreshold),
        (FailureRate::new(1.1, Window::calls(10)), ConfigError::RateThreshold),
        (FailureRate::new(f64::NAN, Window::calls(10)), ConfigError::RateThreshold),
        (FailureRate::new(0.5, Window::calls(0)), ConfigError::EmptyWindow),
        (time(Duration::ZERO), ConfigError::EmptyWindow),
        (time(SECOND).min_calls(0), ConfigError::ZeroMinCalls),
        (FailureRate::new(0.5, Window::calls(10)).min_calls(11), ConfigError::MinCallsAboveWindow),
        (time(SECOND).counting_slow(Duration::ZERO), ConfigError::ZeroSlowThreshold),
    ];
    for (policy, expected) in cases {
        let built = builder().0.policy(policy.or(ConsecutiveFailures::new(5))).build();
        assert_eq!(built.unwrap_err(), expected);
    }
    for (policy, expected) in [
        (SlowCallRate::new(0.0, SECOND, Window::calls(10)), ConfigError::RateThreshold),
        (SlowCallRate::new(0.5, Duration::ZERO, Window::calls(9)), ConfigError::ZeroSlowThreshold),
    ] {
        assert_eq!(builder().0.policy(policy).build().unwrap_err(), expected);
    }
    let built = builder().0.policy(ConsecutiveFailures::new(0)).backoff(Backoff::none()).build();
    assert_eq!(built.unwrap_err(), ConfigError::ZeroFailMax);
}
