//! Calls that never got to say how they ended: dropped, panicked, hung.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, ManualClock, State, abandons, if_abandoned,
};
use futures_util::FutureExt;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{MINUTE, MS, boom, builder, defaults, fail, poll_once, tripped};

const SECOND: Duration = Duration::from_secs(1);

async fn explode() -> Result<(), std::io::Error> {
    tokio::task::yield_now().await;
    panic!("inner")
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_over_a_hung_service_opens_the_breaker() {
    let breaker = CircuitBreaker::new("hung");
    let mut service = ServiceBuilder::new()
        .timeout(SECOND)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(|()| pending::<Result<(), std::io::Error>>()));
    for _ in 0..5 {
        assert!(service.ready().await.unwrap().call(()).await.is_err());
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_shorter_than_abandoned_after_hides_the_hang() {
    let breaker = CircuitBreaker::new("hidden");
    let mut service = ServiceBuilder::new()
        .timeout(SECOND - MS)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(|()| pending::<Result<(), std::io::Error>>()));
    for _ in 0..50 {
        assert!(service.ready().await.unwrap().call(()).await.is_err());
    }
    assert_eq!(breaker.state(), State::Closed, "this is the ordering trap, and it is documented");
}

#[test]
fn a_probe_s_time_begins_when_it_first_has_to_wait() {
    for (waits, state) in [(SECOND - MS, State::HalfOpen), (SECOND, State::Open)] {
        let (breaker, hand) = tripped();
        hand.advance(MINUTE);
        let mut service = CircuitBreakerLayer::new(breaker.clone())
            .layer(service_fn(|()| pending::<Result<(), std::io::Error>>()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut call = Box::pin(service.call(()));
        hand.advance(MINUTE / 4);
        assert!(poll_once(&mut call).is_pending());
        hand.advance(waits);
        drop(call);
        assert_eq!(breaker.state(), state, "{waits:?}");
    }
}

#[test]
fn a_call_dropped_before_abandoned_after_is_ignored_and_at_it_a_failure() {
    for (out, expected) in [(SECOND - MS, State::Closed), (SECOND, State::Open)] {
        let (breaker, hand) = defaults();
        fail(&breaker, 4);
        let permit = breaker.try_acquire().unwrap();
        hand.advance(out);
        drop(permit);
        assert_eq!(breaker.state(), expected);
    }
}

#[test]
fn a_dropped_call_never_counts_where_so_configured() {
    let (builder, hand) = builder();
    let breaker = builder.abandoned_after(None).build().unwrap();
    for _ in 0..50 {
        let permit = breaker.try_acquire().unwrap();
        hand.advance(SECOND * 100);
        drop(permit);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_was_never_polled_counts_for_nothing_however_late() {
    let breaker = CircuitBreaker::new("unpolled");
    let mut service = CircuitBreakerLayer::new(breaker.clone())
        .layer(service_fn(|()| pending::<Result<(), std::io::Error>>()));
    for _ in 0..10 {
        let call = service.ready().await.unwrap().call(());
        tokio::time::advance(SECOND * 10).await;
        drop(call);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_future_frees_its_slot_at_every_stage() {
    let breaker =
        CircuitBreaker::builder("probe").fail_max(1).half_open_max_attempts(1).build().unwrap();
    let service = ServiceBuilder::new().layer(CircuitBreakerLayer::new(breaker.clone())).service(
        service_fn(|ok: bool| async move {
            if ok {
                return Ok(());
            }
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            Err(boom())
        }),
    );
    assert!(service.clone().oneshot(false).await.is_err());
    tokio::time::advance(Duration::from_secs(60)).await;
    for polls in 0..3 {
        let mut probe = Box::pin(service.clone().oneshot(false));
        for _ in 0..polls {
            assert!(poll_once(&mut probe).is_pending());
        }
        drop(probe);
    }
    service.clone().oneshot(true).await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn a_panic_is_one_failure_and_goes_on() {
    let breaker = CircuitBreaker::new("panics");
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(|()| explode()));
    for calls in 1..=5 {
        let outcome = AssertUnwindSafe(service.clone().oneshot(())).catch_unwind().await;
        assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "inner");
        let expected = if calls < 5 { State::Closed } else { State::Open };
        assert_eq!(breaker.state(), expected);
    }
}

#[tokio::test]
async fn a_future_dropped_while_its_thread_unwinds_from_something_else_is_no_failure() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 4);
    let mut service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(|()| pending::<Result<(), std::io::Error>>()));
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll_once(&mut call).is_pending());
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _call = call;
        panic!("foreign");
    }));
    assert!(unwound.is_err());
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn a_panicking_probe_re_opens_and_leaves_no_slot_behind() {
    let (breaker, hand) = tripped();
    hand.advance(Duration::from_secs(60));
    let guarded = breaker.call(explode());
    assert!(AssertUnwindSafe(guarded).catch_unwind().await.is_err());
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.probes_in_flight), (State::Open, 0));
}

#[tokio::test]
async fn a_panicking_classifier_counts_as_a_failure_and_goes_on() {
    let (breaker, _hand) = defaults();
    let classify = |_: &Result<(), std::io::Error>| -> circuit_layer::Outcome { panic!("judge") };
    for _ in 0..5 {
        let call = breaker.call_with(classify, async { Ok::<_, std::io::Error>(()) });
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn the_bare_guard_times_a_call_from_its_admission() {
    let (breaker, hand) = defaults();
    fail(&breaker, 4);
    let mut call = Box::pin(breaker.call(poll_fn(|_| Poll::<Result<(), std::io::Error>>::Pending)));
    assert!(poll_once(&mut call).is_pending());
    hand.advance(SECOND);
    drop(call);
    assert_eq!(breaker.state(), State::Open);
}

/// How often a hung call has been noted that is dropped after `polls` and after so long, and what its
/// breaker has counted.
fn noted(breaker: &CircuitBreaker, hand: &ManualClock, polls: u32, out: Duration) -> (u64, u64) {
    let notes = Cell::new(0);
    let hung = breaker.call(pending::<Result<(), std::io::Error>>());
    let mut call = Box::pin(if_abandoned(hung, || notes.set(notes.get() + 1)));
    for _ in 0..polls {
        assert!(poll_once(&mut call).is_pending());
    }
    hand.advance(out);
    drop(call);
    (notes.get(), breaker.snapshot().counts.failed)
}

#[test]
fn who_counts_dropped_calls_hears_of_those_that_the_breaker_counts_and_of_no_others() {
    let check = |polls, out, expected| {
        let (breaker, hand) = defaults();
        assert_eq!(noted(&breaker, &hand, polls, out), expected, "{polls} polls, {out:?}");
    };
    check(0, SECOND * 60, (0, 0));
    check(1, SECOND - MS, (0, 0));
    check(1, SECOND, (1, 1));
    check(2, SECOND * 60, (1, 1));
}

#[test]
fn a_rejected_call_is_never_abandoned_nor_one_of_a_breaker_that_counts_no_drops() {
    let (breaker, hand) = tripped();
    let notes = Cell::new(0);
    let rejected = breaker.call(pending::<Result<(), std::io::Error>>());
    let mut call = Box::pin(if_abandoned(rejected, || notes.set(notes.get() + 1)));
    assert!(poll_once(&mut call).is_ready());
    hand.advance(SECOND * 10);
    drop(call);
    assert_eq!(notes.get(), 0);

    let (builder, hand) = builder();
    let breaker = builder.abandoned_after(None).build().unwrap();
    assert_eq!(noted(&breaker, &hand, 1, SECOND * 60), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ended_is_not_abandoned_by_being_dropped_late() {
    let breaker = CircuitBreaker::new("ended");
    let notes = Cell::new(0);
    let slow = breaker.call(async {
        breaker.clock().sleep_until(breaker.now() + SECOND * 10).await;
        Ok::<_, std::io::Error>(42)
    });
    let mut call = Box::pin(if_abandoned(slow, || notes.set(notes.get() + 1)));
    assert_eq!(call.as_mut().await.unwrap(), 42);
    drop(call);
    assert_eq!(notes.get(), 0);
}

#[test]
fn a_call_abandoned_in_another_thread_is_none_of_this_one() {
    let (breaker, hand) = defaults();
    let permit = breaker.try_acquire().unwrap();
    hand.advance(SECOND);
    let elsewhere = || std::thread::scope(|scope| drop(scope.spawn(|| drop(permit))));
    assert!(!abandons(elsewhere));
    assert_eq!(breaker.snapshot().counts.failed, 1);
    let permit = breaker.try_acquire().unwrap();
    hand.advance(SECOND);
    assert!(abandons(|| drop(permit)));
}
