//! Half-open that admitted everybody, or never ended.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use circuit_layer::{
    CircuitBreakerLayer, FailureRate, HalfOpen, Reason, Recorded, SlowCallRate, State, Window,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{MINUTE, MS, SECOND, builder, due, fail, succeed};

/// The verdict was read from the window, which had forgotten the first probe by the time of the second.
#[test]
fn probes_are_counted_by_themselves_and_not_in_a_window_that_forgets() {
    let (builder, hand) = builder();
    let policy = FailureRate::new(0.5, Window::time(100 * MS)).min_calls(2);
    let breaker = builder.policy(policy).half_open(HalfOpen::all(2)).build().unwrap();
    fail(&breaker, 2);
    hand.advance(MINUTE);
    succeed(&breaker, 1);
    hand.advance(150 * MS);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
}

/// Four slow calls opened it; one as slow closed it again.
#[test]
fn a_probe_as_slow_as_what_opened_it_does_not_close_it() {
    let (builder, hand) = builder();
    let policy = SlowCallRate::new(0.5, 20 * MS, Window::calls(4)).min_calls(4);
    let breaker = builder.policy(policy).half_open(HalfOpen::all(1)).build().unwrap();
    let slowly = || {
        let permit = breaker.try_acquire().unwrap();
        hand.advance(40 * MS);
        permit.success();
    };
    (0..4).for_each(|_| slowly());
    assert_eq!(breaker.state(), State::Open);
    hand.advance(MINUTE);
    slowly();
    assert_eq!(breaker.state(), State::Open);
}

/// One probe hung, and everybody was rejected until it came back, which it did not.
#[test]
fn a_probe_that_hangs_holds_its_slot_no_longer_than_its_lease() {
    let (breaker, hand) = due(1);
    let hung = breaker.try_acquire().unwrap();
    assert_eq!(breaker.try_acquire().unwrap_err().reason(), Reason::ProbesBusy);
    hand.advance(30 * SECOND);
    assert_eq!(breaker.try_acquire().unwrap_err().reason(), Reason::Open, "a failed probe");
    hand.advance(MINUTE);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(hung.failure("late"), Recorded::Stale);
}

/// All of a thousand concurrent callers went through: there was no limit at all.
#[test]
fn of_a_thousand_callers_one_is_the_probe() {
    let (breaker, _hand) = due(1);
    let admitted: Vec<_> = (0..1_000).filter_map(|_| breaker.try_acquire().ok()).collect();
    assert_eq!(admitted.len(), 1);
}

/// The limit counted calls that had ended, so none held while none had.
#[tokio::test]
async fn a_probe_counts_from_its_admission_and_not_from_its_end() {
    let (breaker, _hand) = due(1);
    let calls = AtomicUsize::new(0);
    let inner = service_fn(|()| {
        calls.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<std::io::Result<()>>()
    });
    let mut service = CircuitBreakerLayer::new(breaker).layer(inner);
    let mut waiting = Vec::new();
    for _ in 0..1_000 {
        waiting.push(service.ready().await.unwrap().call(()));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// A cancelled probe took its slot with it, for good.
#[test]
fn any_number_of_cancelled_probes_leave_the_slot_free() {
    let (breaker, _hand) = due(1);
    for _ in 0..20 {
        drop(breaker.try_acquire().unwrap());
    }
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
}

/// Whoever lost the race for the transition went through as well.
#[test]
fn two_threads_that_race_for_the_only_slot_get_it_once() {
    for _ in 0..500 {
        let (breaker, _hand) = due(1);
        let start = Barrier::new(2);
        let try_once = || {
            start.wait();
            breaker.try_acquire()
        };
        let admitted = std::thread::scope(|scope| {
            let other = scope.spawn(try_once);
            [try_once(), other.join().unwrap()].into_iter().flatten().count()
        });
        assert_eq!(admitted, 1);
    }
}

/// More successes were asked for than probes were let through.
#[test]
fn as_many_probes_are_admitted_as_successes_are_needed() {
    for probes in 1..=20 {
        let (breaker, _hand) = due(probes);
        succeed(&breaker, usize::try_from(probes).unwrap());
        assert_eq!(breaker.state(), State::Closed);
    }
    for probes in 1..=20 {
        let (builder, hand) = builder();
        let rule = HalfOpen::rate(probes, 0.5);
        let breaker = builder.fail_max(1).half_open(rule).build().unwrap();
        fail(&breaker, 1);
        hand.advance(MINUTE);
        let mut admitted = 0;
        while breaker.state() != State::Closed {
            succeed(&breaker, 1);
            admitted += 1;
        }
        assert!(admitted <= probes);
    }
}

/// The budget of probes wrapped below zero, and all forty of forty calls passed.
#[test]
fn the_budget_of_probes_never_wraps() {
    for _ in 0..100 {
        let (breaker, _hand) = due(1);
        let out = AtomicUsize::new(0);
        let callers = || {
            for _ in 0..20 {
                let Ok(permit) = breaker.try_acquire() else { continue };
                assert_eq!(out.fetch_add(1, Ordering::SeqCst), 0, "two probes at once");
                out.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(callers);
            callers();
        });
    }
}

/// Only the body of a response knew how to end a probe, so one that was cancelled before its response
/// left the gate shut.
#[tokio::test(start_paused = true)]
async fn a_probe_that_a_timeout_cancels_does_not_keep_the_gate_shut() {
    let breaker = circuit_layer::CircuitBreaker::builder("defect")
        .fail_max(1)
        .half_open(HalfOpen::all(1))
        .abandoned_after(None)
        .build()
        .unwrap();
    fail(&breaker, 1);
    tokio::time::advance(MINUTE).await;
    let hangs = std::sync::atomic::AtomicBool::new(true);
    let mut service = ServiceBuilder::new()
        .timeout(SECOND)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service_fn(|()| {
            let hangs = hangs.load(Ordering::SeqCst);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                Ok::<_, std::io::Error>(())
            }
        });
    assert!(service.ready().await.unwrap().call(()).await.is_err(), "it timed out");
    hangs.store(false, Ordering::SeqCst);
    service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
}
