//! The active probe, whose answer meets callers, orders and the end of its breaker.

use std::time::Duration;

use super::{WAIT, race};
use crate::active_probe::Turn;
use crate::{ActiveProbe, CircuitBreaker, Clock, HalfOpen, ManualClock, State};

/// Open, with the wait ahead, and a probe that has been claimed.
fn asking() -> (CircuitBreaker, ManualClock, Turn) {
    let (breaker, hand) = open();
    let start = breaker.cell().claim_active_probe(breaker.now()).unwrap();
    (breaker, hand, start.turn)
}

fn open() -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    let breaker = CircuitBreaker::builder("loom")
        .fail_max(1)
        .reset_timeout(WAIT)
        .half_open(HalfOpen::all(1))
        .active_probe(ActiveProbe::new(|| async { Ok::<_, ()>(()) }))
        .clock(clock)
        .build()
        .unwrap();
    breaker.try_acquire().unwrap().failure("x");
    (breaker, hand)
}

fn left(breaker: &CircuitBreaker) -> Option<Duration> {
    breaker.snapshot().retry_after
}

#[test]
fn one_of_two_rejected_callers_starts_the_active_probe() {
    loom::model(|| {
        let (breaker, _hand) = open();
        let (other, now) = (breaker.clone(), breaker.now());
        let (one, two) = race(
            move || other.cell().claim_active_probe(now).is_some(),
            || breaker.cell().claim_active_probe(now).is_some(),
        );
        assert_eq!(usize::from(one) + usize::from(two), 1);
    });
}

#[test]
fn an_answer_beside_a_reset_ends_no_wait_of_a_later_generation() {
    loom::model(|| {
        let (breaker, _hand, turn) = asking();
        let other = breaker.clone();
        race(
            move || other.cell().end_active_probe(turn, Some(true)),
            || {
                breaker.reset("race");
                breaker.try_acquire().unwrap().failure("x");
            },
        );
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(left(&breaker), Some(WAIT));
    });
}

#[test]
fn a_healthy_answer_lets_a_caller_in_beside_it_or_right_behind_it() {
    loom::model(|| {
        let (breaker, _hand, turn) = asking();
        let other = breaker.clone();
        let ((), beside) = race(
            move || other.cell().end_active_probe(turn, Some(true)),
            || breaker.try_acquire().ok(),
        );
        let admitted = beside.or_else(|| breaker.try_acquire().ok());
        assert_eq!(breaker.state(), State::HalfOpen);
        assert!(admitted.is_some());
    });
}

#[test]
fn no_answer_beside_the_end_of_the_wait_is_a_new_wait_or_too_late() {
    loom::model(|| {
        let (breaker, hand, turn) = asking();
        hand.advance(WAIT);
        let other = breaker.clone();
        let ((), admitted) = race(
            move || other.cell().end_active_probe(turn, Some(false)),
            || breaker.try_acquire().ok(),
        );
        if admitted.is_some() {
            assert_eq!(breaker.state(), State::HalfOpen);
        } else {
            assert_eq!(breaker.state(), State::Open);
            assert_eq!(left(&breaker), Some(WAIT));
        }
    });
}

#[test]
fn an_answer_beside_the_end_of_its_breaker_goes_nowhere() {
    loom::model(|| {
        let (breaker, _hand, turn) = asking();
        let cell = breaker.cell();
        race(move || cell.end_active_probe(turn, Some(true)), || drop(breaker));
        assert!(cell.claim_active_probe(crate::Moment::NEVER).is_none());
    });
}
