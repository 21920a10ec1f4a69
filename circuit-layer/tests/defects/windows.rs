//! Windows that were none.

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, Clock, ConsecutiveFailures, FailureRate, SlowCallRate, State, TripPolicy,
    Window,
};

use crate::{MINUTE, MS, SECOND, builder, fail, failures_until_open, succeed};

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, circuit_layer::ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).build().unwrap(), hand)
}

/// Totals were kept until the next transition: 100 000 successes had to be outweighed.
#[test]
fn successes_that_have_slid_out_of_a_count_window_do_not_weigh() {
    for successes in [100, 1_000, 10_000, 100_000] {
        let (breaker, _hand) = with(FailureRate::new(0.5, Window::calls(100)).min_calls(100));
        succeed(&breaker, successes);
        assert_eq!(failures_until_open(&breaker), 50, "after {successes} successes");
    }
}

/// The window was a list that each call summed up: 50 µs a call with 100 000 calls in it.
#[test]
fn a_call_costs_no_more_when_the_time_window_is_full() {
    let clock = Clock::default();
    let policy = FailureRate::new(1.0, Window::time(MINUTE)).min_calls(1);
    let breaker = CircuitBreaker::builder("defect").policy(policy).build().unwrap();
    succeed(&breaker, 100);
    let quickest = || {
        let round = |_| {
            let begun = clock.now();
            (0..100).for_each(|_| {
                breaker.try_acquire().unwrap().success();
                breaker.try_acquire().unwrap().failure("x");
            });
            clock.now() - begun
        };
        (0..20).map(round).min().unwrap()
    };
    let few = quickest();
    succeed(&breaker, 200_000);
    let many = quickest();
    assert!(many < 20 * few, "{few:?} with few calls in the window, {many:?} with 200 000");
}

/// Time was cut to whole seconds: one failure among 99 successes opened a window of 900 ms, and the
/// first call in one of 4 ms divided by zero.
#[test]
fn a_window_of_less_than_a_second_is_a_window() {
    for length in [900, 4] {
        let (breaker, _hand) = with(FailureRate::new(0.5, Window::time(length * MS)).min_calls(20));
        succeed(&breaker, 99);
        fail(&breaker, 1);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(failures_until_open(&breaker), 98);
    }
}

/// A breaker heard nothing for a whole window after it was made and after each recovery: ten million
/// failures went through.
#[test]
fn a_time_window_sees_at_once_after_start_and_after_recovery() {
    let (breaker, hand) = with(FailureRate::new(0.5, Window::time(2 * SECOND)).min_calls(5));
    for _ in 0..3 {
        assert_eq!(failures_until_open(&breaker), 5);
        hand.advance(MINUTE);
        succeed(&breaker, 3);
        assert_eq!(breaker.state(), State::Closed);
    }
}

/// Off by one: eleven.
#[test]
fn ten_failures_fill_a_window_of_ten() {
    let (breaker, _hand) = with(FailureRate::new(1.0, Window::calls(10)).min_calls(10));
    assert_eq!(failures_until_open(&breaker), 10);
}

/// Two of the policies on offer were never told of a call.
#[test]
fn every_policy_hears_of_the_calls() {
    let slow = 100 * MS;
    let window = Window::time(MINUTE);
    let trips = |(breaker, hand): (CircuitBreaker, circuit_layer::ManualClock), took: Duration| {
        for _ in 0..20 {
            let Ok(permit) = breaker.try_acquire() else { break };
            hand.advance(took);
            permit.failure("x");
        }
        assert_eq!(breaker.state(), State::Open);
    };
    trips(with(ConsecutiveFailures::new(5)), MS);
    trips(with(FailureRate::new(0.5, Window::calls(20))), MS);
    trips(with(FailureRate::new(0.5, window)), MS);
    trips(with(FailureRate::new(0.5, window).counting_slow(slow)), MS);
    trips(with(SlowCallRate::new(0.5, slow, Window::calls(10)).min_calls(10)), 2 * slow);
    trips(with(SlowCallRate::new(0.5, slow, window).min_calls(10)), 2 * slow);
    trips(with(FailureRate::new(0.5, window).or(ConsecutiveFailures::new(100))), MS);
    trips(with(ConsecutiveFailures::new(100).or(FailureRate::new(0.5, window))), MS);
}
