//! Relapses wait longer, and only healthy traffic is forgiven.

use std::time::Duration;

use circuit_layer::{Backoff, CircuitBreaker, ManualClock, State};

use crate::support::{MINUTE, MS, builder, fail, rejection, succeed};

const SECOND: Duration = Duration::from_secs(1);

fn doubling(base: Duration) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    let backoff = Backoff::exponential(2.0).jitter(0.0);
    let breaker =
        builder.fail_max(1).half_open_max_attempts(1).reset_timeout(base).backoff(backoff);
    (breaker.build().unwrap(), hand)
}

fn wait(breaker: &CircuitBreaker) -> Duration {
    rejection(breaker).retry_after().unwrap()
}

#[test]
fn each_failed_recovery_doubles_the_wait() {
    let (breaker, hand) = doubling(5 * SECOND);
    fail(&breaker, 1);
    for seconds in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
        assert_eq!(wait(&breaker), seconds * SECOND);
        hand.advance(seconds * SECOND);
        fail(&breaker, 1);
    }
}

#[test]
fn a_dependency_that_flaps_waits_5_10_20_and_three_healthy_minutes_forgive() {
    let (breaker, hand) = doubling(5 * SECOND);
    for seconds in [5, 10, 20] {
        fail(&breaker, 1);
        assert_eq!(wait(&breaker), seconds * SECOND);
        hand.advance(seconds * SECOND);
        succeed(&breaker, 1);
        hand.advance(SECOND);
        assert_eq!(breaker.state(), State::Closed);
    }
    assert_eq!(breaker.snapshot().level, 3);
    for _ in 0..3 {
        succeed(&breaker, 1);
        hand.advance(MINUTE);
    }
    fail(&breaker, 1);
    assert_eq!(wait(&breaker), 5 * SECOND);
}

#[test]
fn idle_minutes_forgive_nothing() {
    let (breaker, hand) = doubling(5 * SECOND);
    fail(&breaker, 1);
    hand.advance(5 * SECOND);
    succeed(&breaker, 1);
    hand.advance(100 * MINUTE);
    fail(&breaker, 1);
    assert_eq!(wait(&breaker), 10 * SECOND);
}

#[test]
fn a_minute_that_is_not_whole_forgives_nothing() {
    let (breaker, hand) = doubling(5 * SECOND);
    fail(&breaker, 1);
    hand.advance(5 * SECOND);
    succeed(&breaker, 2);
    hand.advance(MINUTE - MS);
    fail(&breaker, 1);
    assert_eq!(wait(&breaker), 10 * SECOND);
}

#[test]
fn jitter_spreads_a_fleet_and_never_passes_the_cap() {
    let mut waits = Vec::new();
    for _ in 0..1_000 {
        let (builder, hand) = builder();
        let backoff = Backoff::exponential(2.0).jitter(0.2).cap(11 * SECOND);
        let breaker = builder
            .fail_max(1)
            .half_open_max_attempts(1)
            .reset_timeout(5 * SECOND)
            .backoff(backoff)
            .build()
            .unwrap();
        fail(&breaker, 1);
        assert_eq!(wait(&breaker), 5 * SECOND, "the first wait is not jittered");
        hand.advance(5 * SECOND);
        fail(&breaker, 1);
        waits.push(wait(&breaker));
    }
    let (min, max) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
    assert!(min >= 8 * SECOND && min < 9 * SECOND, "{min:?}");
    assert_eq!(max, 11 * SECOND, "a quarter of them would be past the cap");
}

#[test]
fn reset_forgets_relapses() {
    let (breaker, hand) = doubling(5 * SECOND);
    fail(&breaker, 1);
    hand.advance(5 * SECOND);
    fail(&breaker, 1);
    breaker.reset("repaired");
    fail(&breaker, 1);
    assert_eq!(wait(&breaker), 5 * SECOND);
}

/// Tripped so often that the level is three, and closed again.
fn relapsed() -> (CircuitBreaker, ManualClock) {
    let (breaker, hand) = doubling(Duration::from_secs(1));
    for _ in 0..3 {
        while let Ok(permit) = breaker.try_acquire() {
            permit.failure("x");
        }
        hand.advance(wait(&breaker));
    }
    succeed(&breaker, 3);
    assert_eq!((breaker.state(), breaker.snapshot().level), (State::Closed, 3));
    (breaker, hand)
}

#[test]
fn each_whole_healthy_minute_forgives_one_relapse_to_the_nanosecond() {
    let (breaker, hand) = relapsed();
    succeed(&breaker, 1);
    hand.advance(MINUTE);
    succeed(&breaker, 1);
    assert_eq!(breaker.snapshot().level, 2);
}

#[test]
fn a_success_late_in_a_minute_is_as_good_as_one_at_its_beginning() {
    let (breaker, hand) = relapsed();
    // It has succeeded in the first minute, and then not before the middle of the second.
    for (after, level) in [(MINUTE + MINUTE / 2, 2), (MINUTE / 2 - MS, 2), (MS, 1)] {
        hand.advance(after);
        succeed(&breaker, 1);
        assert_eq!(breaker.snapshot().level, level);
    }
}

#[test]
fn an_order_cuts_the_minute_short() {
    let (breaker, hand) = relapsed();
    succeed(&breaker, 1);
    hand.advance(MINUTE / 2);
    breaker.force_closed("must go on", None);
    hand.advance(MINUTE / 2);
    succeed(&breaker, 1);
    assert_eq!(breaker.snapshot().level, 3, "neither minute was whole");
}
