//! How long it waits, and what it makes of the probes.

use circuit_layer::{Backoff, CircuitBreaker, ManualClock, Outcome, Reason, State};

use super::{SECOND, config_a};
use crate::support::{MS, NS, builder, fail, rejection, succeed};

fn half_open_a() -> (CircuitBreaker, ManualClock) {
    let (breaker, hand) = config_a();
    fail(&breaker, 5);
    hand.advance(5 * SECOND);
    (breaker, hand)
}

fn ignore(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().record(Outcome::Ignored);
    }
}

#[test]
fn an_open_breaker_rejects_at_0_and_3_seconds_and_admits_at_6() {
    let (breaker, hand) = config_a();
    fail(&breaker, 5);
    rejection(&breaker);
    hand.advance(3 * SECOND);
    rejection(&breaker);
    assert_eq!(breaker.snapshot().rejected, 2);
    hand.advance(3 * SECOND);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().counts.calls, 0);
    drop(probe);
}

#[test]
fn a_wait_of_5_seconds_that_grows_by_half_takes_7_5_the_second_time() {
    let (builder, hand) = builder();
    let breaker = builder
        .fail_max(1)
        .reset_timeout(5 * SECOND)
        .backoff(Backoff::exponential(1.5).jitter(0.0))
        .build()
        .unwrap();
    fail(&breaker, 1);
    hand.advance(6 * SECOND);
    fail(&breaker, 1);
    hand.advance(6 * SECOND);
    rejection(&breaker);
    hand.advance(1_500 * MS - NS);
    rejection(&breaker);
    hand.advance(NS);
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn a_rejection_carries_what_is_left_of_the_wait() {
    let (builder, hand) = builder();
    let breaker = builder.fail_max(1).reset_timeout(SECOND).build().unwrap();
    fail(&breaker, 1);
    for (passes, left) in [(0, 1_000), (1, 999), (499, 500), (499, 1)] {
        hand.advance(passes * MS);
        assert_eq!(rejection(&breaker).retry_after(), Some(left * MS));
    }
}

#[test]
fn four_probes_are_admitted_two_more_rejected_and_one_more_for_each_that_is_given_back() {
    let (breaker, hand) = half_open_a();
    let mut probes: Vec<_> = (0..4).map(|_| breaker.try_acquire().unwrap()).collect();
    for _ in 0..2 {
        assert_eq!(rejection(&breaker).reason(), Reason::ProbesBusy);
    }
    drop(probes.pop());
    probes.push(breaker.try_acquire().unwrap());
    assert_eq!(rejection(&breaker).reason(), Reason::ProbesBusy);
    for probe in probes.into_iter().take(2) {
        probe.failure("x");
    }
    assert_eq!(breaker.state(), State::Open);
    hand.advance(5 * SECOND);
    let fresh: Vec<_> = (0..6).filter_map(|_| breaker.try_acquire().ok()).collect();
    assert_eq!(fresh.len(), 4);
}

#[test]
fn ignored_probes_decide_nothing_however_many() {
    let (breaker, _hand) = half_open_a();
    succeed(&breaker, 2);
    ignore(&breaker, 40);
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed, "three of four: the rest can not change it");
}

#[test]
fn with_three_requests_two_successes_do_not_close_and_a_fourth_is_too_many() {
    let (builder, hand) = builder();
    let breaker = builder.fail_max(1).half_open_max_attempts(3).build().unwrap();
    fail(&breaker, 1);
    hand.advance(60 * SECOND);
    ignore(&breaker, 4);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open, "one failure is enough");
    hand.advance(60 * SECOND);
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), State::HalfOpen);
    let third = breaker.try_acquire().unwrap();
    assert_eq!(rejection(&breaker).reason(), Reason::ProbesBusy);
    third.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn with_one_trial_a_second_call_is_rejected_and_its_failure_starts_a_new_wait() {
    let (builder, hand) = builder();
    let breaker = builder.fail_max(1).half_open_max_attempts(1).build().unwrap();
    fail(&breaker, 1);
    hand.advance(60 * SECOND);
    let trial = breaker.try_acquire().unwrap();
    assert_eq!(rejection(&breaker).reason(), Reason::ProbesBusy);
    trial.failure("x");
    assert_eq!(rejection(&breaker).retry_after(), Some(60 * SECOND));
}
