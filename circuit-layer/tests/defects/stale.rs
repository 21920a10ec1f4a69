//! Answers of an earlier time that decided the present one.

use circuit_layer::{CircuitBreaker, ManualClock, Permit, Recorded, State};

use crate::{MINUTE, builder, fail, succeed};

/// Half-open with its probe out, and so many calls of the time before the outage besides.
fn probing(stragglers: usize) -> (CircuitBreaker, ManualClock, Permit, Vec<Permit>) {
    let (builder, hand) = builder();
    let breaker = builder.fail_max(1).half_open_max_attempts(2).build().unwrap();
    let late = (0..stragglers).map(|_| breaker.try_acquire().unwrap()).collect();
    fail(&breaker, 1);
    hand.advance(MINUTE);
    let probe = breaker.try_acquire().unwrap();
    (breaker, hand, probe, late)
}

/// A success that was admitted before the outage closed the breaker, a failure opened it again.
#[test]
fn calls_from_before_the_outage_do_not_decide_half_open() {
    let (breaker, _hand, probe, mut late) = probing(2);
    assert_eq!(late.pop().unwrap().success(), Recorded::Stale);
    assert_eq!(late.pop().unwrap().failure("x"), Recorded::Stale);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(probe.success(), Recorded::Counted);
}

/// Three calls of an earlier closed period failed after the recovery and opened the breaker again.
#[test]
fn failures_of_an_earlier_closed_time_do_not_count_after_the_recovery() {
    let (breaker, _hand, probe, late) = probing(3);
    probe.success();
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
    for permit in late {
        assert_eq!(permit.failure("x"), Recorded::Stale);
    }
    assert_eq!(breaker.state(), State::Closed);
}

/// A probe of the half-open time before closed the breaker while the present probe was out: one bit
/// told probes from others, and not one time from another.
#[test]
fn a_probe_of_the_half_open_time_before_does_not_decide_this_one() {
    let (breaker, hand, probe, _late) = probing(0);
    let former = breaker.try_acquire().unwrap();
    probe.failure("x");
    hand.advance(MINUTE);
    let current = breaker.try_acquire().unwrap();
    assert_eq!(former.success(), Recorded::Stale);
    assert_eq!(breaker.state(), State::HalfOpen);
    drop(current);
}

/// Two stale successes were the two that half-open waited for.
#[test]
fn stale_successes_do_not_make_up_the_number_that_closes() {
    let (breaker, _hand, probe, late) = probing(2);
    for permit in late {
        assert_eq!(permit.success(), Recorded::Stale);
    }
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().probes_succeeded, 0);
    drop(probe);
}

/// Any success stored `Closed`, whatever the state was.
#[test]
fn a_success_that_arrives_while_open_does_not_close() {
    let (builder, _hand) = builder();
    let breaker = builder.fail_max(1).build().unwrap();
    let late = breaker.try_acquire().unwrap();
    fail(&breaker, 1);
    assert_eq!(late.success(), Recorded::Stale);
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.try_acquire().is_err());
}

/// In probation any answer was taken for the probe's, although the probe never answered.
#[test]
fn a_gate_does_not_open_for_an_answer_that_is_not_the_probes() {
    let (breaker, _hand, probe, late) = probing(10);
    late.into_iter().for_each(|permit| assert_eq!(permit.success(), Recorded::Stale));
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().stale, 10);
    drop(probe);
}
