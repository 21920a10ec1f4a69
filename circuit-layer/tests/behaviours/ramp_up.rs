//! Letting traffic back in by and by.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, ManualClock, Reason, State};

use crate::support::{MINUTE, builder, fail, rejection, succeed};

const LENGTH: Duration = Duration::from_secs(100);

fn recovered() -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    let breaker = builder.ramp_up(LENGTH).build().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    succeed(&breaker, 3);
    (breaker, hand)
}

fn admitted(breaker: &CircuitBreaker, of: usize) -> usize {
    (0..of)
        .filter(|_| {
            breaker.try_acquire().is_ok_and(|permit| {
                permit.success();
                true
            })
        })
        .count()
}

#[test]
fn a_tenth_at_first_then_as_much_as_of_the_time_has_passed_then_all() {
    let (breaker, hand) = recovered();
    assert_eq!(admitted(&breaker, 1_000), 100);
    hand.advance(LENGTH / 2);
    assert_eq!(admitted(&breaker, 1_000), 500);
    hand.advance(LENGTH / 4);
    assert_eq!(admitted(&breaker, 1_000), 750);
    hand.advance(LENGTH / 4);
    assert_eq!(admitted(&breaker, 1_000), 1_000);
}

#[test]
fn it_is_reported_as_closed_and_its_rejections_tell_the_end() {
    let (breaker, hand) = recovered();
    succeed(&breaker, 1);
    hand.advance(LENGTH / 10);
    let rejected = rejection(&breaker);
    assert_eq!((rejected.state(), rejected.reason()), (State::Closed, Reason::RampUp));
    assert_eq!(rejected.retry_after(), Some(LENGTH * 9 / 10));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn it_can_trip_while_it_ramps_up() {
    let (breaker, _hand) = recovered();
    while breaker.state() == State::Closed {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure("x");
        }
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn reset_does_not_ramp_up() {
    let (breaker, _hand) = recovered();
    breaker.reset("all at once");
    assert_eq!(admitted(&breaker, 100), 100);
}
