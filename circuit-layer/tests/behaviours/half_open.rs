//! The probes: how many, who decides, and that no path gets stuck.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{
    Cause, CircuitBreaker, CircuitBreakerLayer, ConsecutiveFailures, HalfOpen, Outcome, Permit,
    Reason, Recorded, SlowCallRate, State, TripPolicy, Window,
};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Count, MINUTE, MS, builder, fail, half_open, rejection, succeed, tripped};

#[test]
fn three_successes_close_with_empty_counts() {
    let (breaker, _hand) = half_open();
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn one_failure_re_opens_at_once_with_a_whole_wait() {
    let (breaker, _hand) = half_open();
    succeed(&breaker, 2);
    fail(&breaker, 1);
    let rejected = rejection(&breaker);
    assert_eq!(rejected.retry_after(), Some(MINUTE));
    assert_eq!(rejected.cause(), Some(Cause::ProbeFailed));
}

#[test]
fn a_fourth_probe_is_rejected_as_busy_without_a_time() {
    let (breaker, _hand) = half_open();
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    let rejected = rejection(&breaker);
    assert_eq!(rejected.reason(), Reason::ProbesBusy);
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(rejected.state(), State::HalfOpen);
    for probe in probes {
        assert_eq!(probe.success(), Recorded::Counted);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_probe_that_has_answered_keeps_its_place_until_the_verdict() {
    let (breaker, _hand) = half_open();
    succeed(&breaker, 2);
    let third = breaker.try_acquire().unwrap();
    assert_eq!(rejection(&breaker).reason(), Reason::ProbesBusy);
    third.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_dropped_probe_gives_its_slot_back() {
    let (breaker, _hand) = half_open();
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    assert!(breaker.try_acquire().is_err());
    drop(probes);
    assert_eq!(breaker.snapshot().probes_in_flight, 0);
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn releasing_one_slot_admits_exactly_one_more() {
    let (breaker, _hand) = half_open();
    let mut probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    drop(probes.pop());
    probes.push(breaker.try_acquire().unwrap());
    assert!(breaker.try_acquire().is_err());
}

#[test]
fn an_ignored_probe_frees_its_slot_and_decides_nothing() {
    let (breaker, _hand) = half_open();
    for _ in 0..10 {
        let probe = breaker.try_acquire().unwrap();
        assert_eq!(probe.record(Outcome::Ignored), Recorded::Ignored);
        assert_eq!(breaker.state(), State::HalfOpen);
    }
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_3_of_200_concurrent_callers_reach_the_inner_service_while_half_open() {
    let (breaker, hand) = tripped();
    hand.advance(MINUTE);
    let (inside, gate) = (Count::default(), Arc::new(Semaphore::new(0)));
    let (seen, held) = (inside.clone(), Arc::clone(&gate));
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let service = layer.layer(service_fn(move |()| {
        let (seen, held) = (seen.clone(), Arc::clone(&held));
        async move {
            seen.up();
            drop(held.acquire().await);
            Ok::<_, std::io::Error>(())
        }
    }));
    let callers: Vec<_> = (0..200).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    // 197 are rejected without waiting for the three, which wait for the gate.
    let mut rejected = 0;
    let mut pending = callers;
    while rejected < 197 {
        let (done, _, rest) = futures_util::future::select_all(pending).await;
        assert_eq!(done.unwrap().unwrap_err().rejected().unwrap().reason(), Reason::ProbesBusy);
        rejected += 1;
        pending = rest;
    }
    gate.add_permits(200);
    for probe in pending {
        probe.await.unwrap().unwrap();
    }
    assert_eq!(inside.get(), 3);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_hung_probe_loses_its_lease_and_its_late_answer_is_stale() {
    let (breaker, hand) = half_open();
    let hung = breaker.try_acquire().unwrap();
    hand.advance(Duration::from_secs(30) - MS);
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
    hand.advance(MS);
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.state, State::Open, "under `all` a lapsed probe has failed");
    assert_eq!(snapshot.cause, Some(Cause::LeaseExpired));
    assert_eq!(snapshot.leases_expired, 1);
    assert_eq!(hung.success(), Recorded::Stale);
    assert_eq!(breaker.snapshot().stale, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_next_call_reaps_a_lapsed_probe() {
    let (breaker, hand) = half_open();
    let _hung = breaker.try_acquire().unwrap();
    hand.advance(MINUTE);
    assert_eq!(rejection(&breaker).cause(), Some(Cause::LeaseExpired));
    assert_eq!(breaker.state(), State::Open);
}

fn by_rate(probes: u32, threshold: f64) -> (CircuitBreaker, circuit_layer::ManualClock) {
    let (builder, hand) = builder();
    let breaker = builder.half_open(HalfOpen::rate(probes, threshold)).build().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    (breaker, hand)
}

#[test]
fn by_rate_a_quarter_of_failures_closes_and_three_quarters_re_open() {
    for (answers, expected) in [
        ([true, false, false, false], State::Closed),
        ([true, true, false, true], State::Open),
        ([false, true, true, false], State::Open),
    ] {
        let (breaker, _hand) = by_rate(4, 0.5);
        let probes: Vec<Permit> = (0..4).map(|_| breaker.try_acquire().unwrap()).collect();
        assert!(breaker.try_acquire().is_err());
        for (probe, failed) in probes.into_iter().zip(answers) {
            probe.record(if failed { Outcome::failure("x") } else { Outcome::Success });
        }
        assert_eq!(breaker.state(), expected, "{answers:?}");
    }
}

#[test]
fn by_rate_the_verdict_comes_as_soon_as_it_is_certain() {
    let (breaker, _hand) = by_rate(10, 0.5);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::HalfOpen);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open, "five of ten have failed");
    let (breaker, _hand) = by_rate(10, 0.5);
    succeed(&breaker, 5);
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed, "four failures can not reach a half any more");
}

#[test]
fn by_rate_a_lapsed_probe_is_one_failure_and_is_replaced_once() {
    let (breaker, hand) = by_rate(2, 1.0);
    let hung = breaker.try_acquire().unwrap();
    hand.advance(Duration::from_secs(29));
    let second = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    hand.advance(Duration::from_secs(1));
    let replacement = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    assert_eq!(hung.failure("late"), Recorded::Stale);
    assert_eq!(second.success(), Recorded::Counted);
    assert_eq!(breaker.state(), State::Closed, "one of two failed, and only two of two re-open");
    assert_eq!(replacement.success(), Recorded::Stale);
}

#[test]
fn a_streamed_probe_settles_at_its_headers_and_only_a_failure_counts_afterwards() {
    let (breaker, _hand) = half_open();
    let bodies: Vec<Permit> =
        (0..3).map(|_| breaker.try_acquire().unwrap().settle_early()).collect();
    assert_eq!(breaker.state(), State::Closed, "three headers were enough");
    let [one, two, three]: [Permit; 3] = bodies.try_into().unwrap();
    assert_eq!(one.failure("cut"), Recorded::Stale, "of the half-open generation");
    assert_eq!(two.success(), Recorded::Ignored);
    assert_eq!(three.failure("cut"), Recorded::Counted, "of the generation it closed into");
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_body_of_a_streamed_probe_that_breaks_re_opens() {
    let (breaker, _hand) = half_open();
    let body = breaker.try_acquire().unwrap().settle_early();
    assert_eq!(breaker.snapshot().probes_succeeded, 1);
    assert_eq!(body.failure("cut"), Recorded::Counted);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn by_rate_a_streamed_probe_whose_body_breaks_is_one_failure_and_no_success_any_more() {
    let (breaker, _hand) = by_rate(10, 0.6);
    let bodies: Vec<Permit> =
        (0..4).map(|_| breaker.try_acquire().unwrap().settle_early()).collect();
    for body in bodies {
        assert_eq!(body.failure("cut"), Recorded::Counted);
    }
    let probes = breaker.snapshot();
    assert_eq!((probes.probes_succeeded, probes.probes_failed), (0, 4));
    succeed(&breaker, 4);
    assert_eq!(breaker.state(), State::HalfOpen, "two of ten are to come, and decide");
    fail(&breaker, 2);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn by_rate_a_streamed_probe_that_was_slow_fails_once_however_it_ends() {
    let (builder, hand) = builder();
    let slow = SlowCallRate::new(0.5, MS, Window::calls(2));
    let builder = builder.policy(slow.or(ConsecutiveFailures::new(5)));
    let breaker = builder.half_open(HalfOpen::rate(2, 1.0)).build().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    let probe = breaker.try_acquire().unwrap();
    hand.advance(2 * MS);
    let body = probe.settle_early();
    assert_eq!(breaker.snapshot().probes_failed, 1);
    assert_eq!(body.failure("cut"), Recorded::Ignored);
    assert_eq!((breaker.state(), breaker.snapshot().probes_failed), (State::HalfOpen, 1));
    let probe = breaker.try_acquire().unwrap();
    hand.advance(MS);
    let body = probe.settle_early();
    assert_eq!(breaker.state(), State::Closed, "one of two");
    assert_eq!(body.failure("cut"), Recorded::Counted, "its beginning was not slow");
}
