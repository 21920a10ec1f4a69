//! Every interleaving of two callers around the word, the lock and the outbox.
//!
//! Run by `make test` with `--cfg circuit_loom`. Each model is named by what must hold whatever the
//! order.

mod active_probe;
mod observers;

use std::time::Duration;

use loom::thread;

use crate::{
    CircuitBreaker, Clock, FailureRate, HalfOpen, ManualClock, Outcome, Permit, Recorded, State,
    Window,
};

const WAIT: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(30);

fn breaker(fail_max: u32, probes: u32) -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    let breaker = CircuitBreaker::builder("loom")
        .fail_max(fail_max)
        .reset_timeout(WAIT)
        .half_open(HalfOpen::all(probes))
        .probe_lease(LEASE)
        .clock(clock)
        .build()
        .unwrap();
    (breaker, hand)
}

/// Open, with the wait over: the next admission is probe 1.
fn due(probes: u32) -> (CircuitBreaker, ManualClock) {
    let (breaker, hand) = breaker(1, probes);
    breaker.try_acquire().unwrap().failure("x");
    hand.advance(WAIT);
    (breaker, hand)
}

/// Runs one thing on a second thread and the other on this one.
fn race<A, B>(a: impl FnOnce() -> A + 'static, b: impl FnOnce() -> B) -> (A, B)
where
    A: 'static,
{
    let first = thread::spawn(a);
    let second = b();
    (first.join().unwrap(), second)
}

#[test]
fn two_failures_trip_once() {
    loom::model(|| {
        let (breaker, _hand) = breaker(2, 1);
        let (one, two) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        let before = one.generation();
        let recorded = race(move || one.failure("x"), || two.failure("x"));
        assert_eq!(recorded, (Recorded::Counted, Recorded::Counted));
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().generation, before + 1);
    });
}

#[test]
fn a_success_beside_a_tripping_failure_changes_nothing() {
    loom::model(|| {
        let (breaker, _hand) = breaker(1, 1);
        let (good, bad) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        let (_, recorded) = race(move || good.success(), || bad.failure("x"));
        assert_eq!(recorded, Recorded::Counted);
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn a_lone_success_ends_a_streak_or_comes_too_late() {
    loom::model(|| {
        let (breaker, _hand) = breaker(2, 1);
        breaker.try_acquire().unwrap().failure("x");
        let (good, bad) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        let (good, bad) = race(move || good.success(), || bad.failure("x"));
        assert_eq!(bad, Recorded::Counted);
        // Either the success came first and the streak is one, or it came after the trip and is stale.
        match breaker.state() {
            State::Closed => assert_eq!(good, Recorded::Counted),
            State::Open => assert_eq!(good, Recorded::Stale),
            State::HalfOpen => panic!("nothing waited"),
        }
    });
}

#[test]
fn one_slot_admits_one_of_two() {
    loom::model(|| {
        let (breaker, _hand) = due(1);
        let other = breaker.clone();
        let (one, two) = race(move || other.try_acquire().ok(), || breaker.try_acquire().ok());
        assert_eq!(usize::from(one.is_some()) + usize::from(two.is_some()), 1);
        assert_eq!(breaker.state(), State::HalfOpen);
    });
}

#[test]
fn a_dropped_probe_frees_its_slot_for_the_other_caller_or_the_next() {
    loom::model(|| {
        let (breaker, _hand) = due(1);
        let probe = breaker.try_acquire().unwrap();
        let (_, raced) = race(move || drop(probe), || breaker.try_acquire().ok());
        let admitted = raced.or_else(|| breaker.try_acquire().ok());
        assert_eq!(admitted.map(Permit::success), Some(Recorded::Counted));
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn a_probe_that_answers_while_its_lease_ends_decides_once() {
    loom::model(|| {
        let (breaker, hand) = due(1);
        let probe = breaker.try_acquire().unwrap();
        let generation = probe.generation();
        let (recorded, ()) = race(move || probe.success(), || hand.advance(LEASE));
        let snapshot = breaker.snapshot();
        match recorded {
            Recorded::Counted => assert_eq!(snapshot.state, State::Closed),
            Recorded::Stale => assert_eq!(snapshot.state, State::Open),
            Recorded::Ignored => panic!("a success is not neutral"),
        }
        assert_eq!(snapshot.generation, generation + 1);
    });
}

#[test]
fn a_stale_outcome_does_not_touch_half_open() {
    loom::model(|| {
        let (breaker, hand) = breaker(1, 1);
        let stale = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().failure("x");
        hand.advance(WAIT);
        let (recorded, probe) =
            race(move || stale.record(Outcome::failure("late")), || breaker.try_acquire());
        assert_eq!(recorded, Recorded::Stale);
        assert_eq!(breaker.state(), State::HalfOpen);
        assert_eq!(probe.unwrap().success(), Recorded::Counted);
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn a_permit_that_outlives_the_breaker_settles_nothing() {
    loom::model(|| {
        let (breaker, _hand) = breaker(1, 1);
        let permit = breaker.try_acquire().unwrap();
        let (recorded, ()) = race(move || permit.failure("x"), || drop(breaker));
        assert_ne!(recorded, Recorded::Ignored);
    });
}

fn windowed(clock: Clock) -> CircuitBreaker {
    let window = Window::calls(10);
    let policy = FailureRate::new(1.0, window).min_calls(10);
    CircuitBreaker::builder("loom").policy(policy).clock(clock).build().unwrap()
}

#[test]
fn no_success_that_is_counted_aside_gets_lost_or_counted_twice() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let breaker = windowed(Clock::manual().0);
        breaker.try_acquire().unwrap().failure("x");
        let (good, bad) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        let recorded = race(move || good.success(), || bad.failure("x"));
        assert_eq!(recorded, (Recorded::Counted, Recorded::Counted));
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failed), (3, 2));
    });
}

#[test]
fn a_success_counts_aside_for_its_own_generation_or_is_stale() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let breaker = windowed(Clock::manual().0);
        let (good, other) = (breaker.try_acquire().unwrap(), breaker.clone());
        let (recorded, ()) = race(
            move || good.success(),
            || {
                other.reset("race");
                other.try_acquire().unwrap().failure("x");
            },
        );
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failed), (1, 1), "{recorded:?}");
    });
}

#[test]
fn a_success_is_counted_once_while_the_rules_change() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let breaker = windowed(Clock::manual().0);
        breaker.try_acquire().unwrap().failure("x");
        let (good, other) = (breaker.try_acquire().unwrap(), breaker.clone());
        let policy = FailureRate::new(1.0, Window::calls(20)).min_calls(20);
        let config = CircuitBreaker::builder("loom").policy(policy);
        let (recorded, updated) = race(move || good.success(), || other.update(config));
        assert_eq!((recorded, updated), (Recorded::Counted, Ok(())));
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failed), (2, 1));
    });
}
