//! Whether a good call may be the one that trips.

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, FailureRate, ManualClock, SlowCallRate, State, TripPolicy, Window,
};

use crate::support::{MS, builder, fail, succeed};

const SECOND: Duration = Duration::from_secs(1);

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).build().unwrap(), hand)
}

#[test]
fn the_success_that_completes_min_calls_trips_unless_told_not_to() {
    for (trips, after_success, after_failure) in
        [(true, State::Open, State::Open), (false, State::Closed, State::Open)]
    {
        let policy = FailureRate::new(0.5, Window::calls(100)).min_calls(5).trip_on_success(trips);
        let (breaker, _hand) = with(policy);
        fail(&breaker, 3);
        succeed(&breaker, 2);
        assert_eq!(breaker.state(), after_success);
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure("x");
        }
        assert_eq!(breaker.state(), after_failure);
    }
}

#[test]
fn the_first_success_of_a_sub_bucket_trips_unless_told_not_to() {
    for (trips, state) in [(true, State::Open), (false, State::Closed)] {
        let window = Window::time(10 * SECOND);
        let policy = FailureRate::new(0.5, window).min_calls(4).trip_on_success(trips);
        let (breaker, hand) = with(policy);
        succeed(&breaker, 10);
        hand.advance(5 * SECOND);
        fail(&breaker, 4);
        assert_eq!(breaker.state(), State::Closed, "4 of 14");
        hand.advance(5 * SECOND);
        succeed(&breaker, 1);
        assert_eq!(breaker.state(), state, "4 of 5, once the ten have left");
    }
}

#[test]
fn a_success_in_the_middle_of_a_sub_bucket_never_trips() {
    let (breaker, _hand) = with(FailureRate::new(0.5, Window::time(10 * SECOND)).min_calls(4));
    succeed(&breaker, 5);
    fail(&breaker, 4);
    for _ in 0..100 {
        succeed(&breaker, 1);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn a_slow_success_is_no_good_call() {
    for (trips, after_fast) in [(true, State::Open), (false, State::Closed)] {
        let policy = SlowCallRate::new(0.5, SECOND, Window::calls(100)).min_calls(4);
        let (breaker, hand) = with(policy.trip_on_success(trips));
        let call = |took| {
            let permit = breaker.try_acquire().unwrap();
            hand.advance(took);
            permit.success();
        };
        (0..3).for_each(|_| call(2 * SECOND));
        call(MS);
        assert_eq!(breaker.state(), after_fast);
        if after_fast == State::Closed {
            call(2 * SECOND);
            assert_eq!(breaker.state(), State::Open);
        }
    }
}
