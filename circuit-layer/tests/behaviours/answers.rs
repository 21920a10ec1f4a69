//! Calls whose answer begins long before it ends: their time ends where it begins.

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, FailureRate, ManualClock, SlowCallRate, State, TripPolicy, Window,
};

use crate::support::{MS, builder};

const SECOND: Duration = Duration::from_secs(1);

fn with<P: TripPolicy + Clone + Sync>(policy: P) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.policy(policy).abandoned_after(None).build().unwrap(), hand)
}

fn hung() -> SlowCallRate {
    SlowCallRate::new(0.5, 5 * SECOND, Window::calls(10)).min_calls(2)
}

fn sluggish() -> FailureRate {
    FailureRate::new(0.5, Window::calls(50)).min_calls(50).counting_slow(500 * MS)
}

#[test]
fn of_two_thresholds_each_judges_the_time_until_the_answer_began() {
    for swapped in [false, true] {
        let (breaker, hand) =
            if swapped { with(sluggish().or(hung())) } else { with(hung().or(sluggish())) };
        for _ in 0..4 {
            let call = breaker.try_acquire().unwrap();
            hand.advance(SECOND);
            let rest = call.settle_early();
            hand.advance(30 * SECOND);
            rest.success();
        }
        let snapshot = breaker.snapshot();
        assert_eq!(snapshot.state, State::Closed, "{snapshot:?}");
        assert_eq!(snapshot.counts.calls, 4);
    }
}

#[test]
fn an_answer_that_began_late_is_slow_once_whatever_comes_of_its_rest() {
    for ends in [true, false] {
        let (breaker, hand) = with(SlowCallRate::new(1.0, SECOND, Window::calls(9)).min_calls(9));
        let call = breaker.try_acquire().unwrap();
        hand.advance(SECOND + MS);
        let rest = call.settle_early();
        assert_eq!(breaker.snapshot().counts.slow, 1);
        hand.advance(30 * SECOND);
        if ends {
            rest.success();
        } else {
            drop(rest);
        }
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.slow), (1, 1), "ends: {ends}");
    }
}

#[test]
fn a_late_answer_may_trip_when_it_begins() {
    let (breaker, hand) = with(SlowCallRate::new(1.0, SECOND, Window::calls(9)).min_calls(1));
    let call = breaker.try_acquire().unwrap();
    hand.advance(SECOND + MS);
    let _rest = call.settle_early();
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn an_answer_that_is_dropped_takes_no_other_call_out_of_flight() {
    let (breaker, hand) = with(hung().or(sluggish()));
    let [answered, _hangs] = [(); 2].map(|()| breaker.try_acquire().unwrap());
    hand.advance(SECOND);
    drop(answered.settle_early());
    hand.advance(6 * SECOND);
    assert_eq!(breaker.snapshot().counts.slow, 1, "the one that hangs");
}
