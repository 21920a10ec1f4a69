//! Calls that nobody saw end, clocks, locks, observers, readiness and keys.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, Event, KeyedBreakers, Outcome, Reason, State,
};
use tokio_test::task;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{SECOND, builder, fail, succeed};

type Echo = fn(()) -> Ready<io::Result<()>>;

fn echo() -> tower::util::ServiceFn<Echo> {
    service_fn(|()| ready(Ok(())))
}

fn tripped() -> CircuitBreaker {
    let breaker = CircuitBreaker::new("defect");
    fail(&breaker, 5);
    breaker
}

/// A rejection that found the lock taken slept a millisecond, and panicked where there was no timer.
#[test]
fn a_rejection_never_waits_however_many_reject_and_needs_no_runtime() {
    let layer = CircuitBreakerLayer::new(tripped());
    let reject = || {
        let mut service = layer.layer(echo());
        for _ in 0..20_000 {
            let polled = service.poll_ready(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Ok(()))));
            assert!(matches!(task::spawn(service.call(())).poll(), Poll::Ready(Err(_))));
        }
    };
    std::thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(reject)));
    });
}

/// 200 of 200 calls hung, and the breaker had seen none of them.
#[tokio::test(start_paused = true)]
async fn a_timeout_outside_does_not_hide_that_every_call_hangs() {
    let breaker = CircuitBreaker::new("defect");
    let mut service = ServiceBuilder::new()
        .timeout(2 * SECOND)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service_fn(|()| pending::<io::Result<()>>());
    for _ in 0..5 {
        assert!(service.ready().await.unwrap().call(()).await.is_err());
    }
    assert_eq!(breaker.state(), State::Open);
}

/// Nor any of 50 panics.
#[tokio::test]
async fn panics_are_seen() {
    let breaker = CircuitBreaker::new("defect");
    let explode = service_fn(|()| {
        std::future::poll_fn(|_| -> Poll<io::Result<()>> { panic!("told to panic") })
    });
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(explode);
    for _ in 0..5 {
        let call = service.ready().await.unwrap().call(());
        assert!(catch_unwind(AssertUnwindSafe(|| task::spawn(call).poll().is_ready())).is_err());
    }
    assert_eq!(breaker.state(), State::Open);
}

/// State went by one clock and waiting by another: an hour of paused time changed nothing, and a
/// waiter was polled 113 522 times in 300 ms.
#[tokio::test(start_paused = true)]
async fn state_and_waiting_go_by_the_one_clock_that_a_test_may_pause() {
    let breaker = tripped();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).backpressure().layer(echo());
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        service.poll_ready(cx)
    })
    .await
    .unwrap();
    assert!(polls <= 3, "polled {polls} times while it waited");
    service.call(()).await.unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// Listeners were told before the state was stored, and saw the old one.
#[test]
fn an_observer_sees_the_state_that_it_is_told_of() {
    let breaker = CircuitBreaker::new("defect");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (log, handle) = (Arc::clone(&heard), breaker.clone());
    breaker.observe(move |event: &Event| {
        if let Event::Transition(moved) = event {
            log.lock().unwrap().push((moved.from, moved.to, handle.state()));
        }
    });
    fail(&breaker, 5);
    assert_eq!(*heard.lock().unwrap(), [(State::Closed, State::Open, State::Open)]);
}

/// The first healthy check forced the breaker closed, without a probe.
#[test]
fn a_word_from_outside_that_all_is_well_lets_probes_decide() {
    let (builder, _hand) = builder();
    let breaker = builder.build().unwrap();
    breaker.force_open("its health check fails", None);
    breaker.release("its health check passes");
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), State::Closed);
}

/// The inner service was asked first, so a saturated backend kept an open breaker from rejecting.
#[tokio::test]
async fn an_open_breaker_rejects_at_once_over_a_service_that_is_never_ready() {
    let never = ServiceBuilder::new().concurrency_limit(0).service(echo());
    let mut service = CircuitBreakerLayer::new(tripped()).layer(never);
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::Open);
}

/// A kilobyte for each key that ever came, kept for ever.
#[test]
fn fifty_thousand_keys_leave_no_more_than_the_table_holds() {
    let keyed = KeyedBreakers::new("defect", |builder| builder).unwrap();
    for key in 0..50_000_u32 {
        keyed.get(&key).try_acquire().unwrap().success();
    }
    assert!(keyed.len() <= 1_000);
}

/// `reset` ran the callback under its lock, and a callback that asked the breaker never returned.
#[test]
fn an_observer_of_a_reset_may_ask_the_breaker() {
    let breaker = tripped();
    let admitted = Arc::new(AtomicUsize::new(0));
    let (count, handle) = (Arc::clone(&admitted), breaker.clone());
    breaker.observe(move |_: &Event| {
        count.fetch_add(usize::from(handle.try_acquire().is_ok()), Ordering::SeqCst);
    });
    breaker.reset("repaired");
    assert_eq!(admitted.load(Ordering::SeqCst), 1);
}

/// A clone was called that nobody had readied; a concurrency limit panics at that.
#[tokio::test]
async fn the_service_that_was_readied_is_called_over_a_concurrency_limit() {
    let limited = ServiceBuilder::new().concurrency_limit(1).service(echo());
    let mut service = CircuitBreakerLayer::new(CircuitBreaker::new("defect")).layer(limited);
    for _ in 0..10 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
}

/// Each application of a layer made a breaker of its own: with one for each request it was inert.
#[tokio::test]
async fn a_layer_that_is_applied_anew_for_each_request_keeps_one_breaker() {
    let failed = |_: &Result<u16, Infallible>| Outcome::failure("5xx");
    let layer = CircuitBreakerLayer::new(CircuitBreaker::new("defect")).classify(failed);
    let reached = AtomicUsize::new(0);
    for _ in 0..100 {
        let handler = service_fn(|()| {
            reached.fetch_add(1, Ordering::SeqCst);
            ready(Ok::<_, Infallible>(503_u16))
        });
        let _answer = layer.layer(handler).oneshot(()).await;
    }
    assert_eq!(reached.load(Ordering::SeqCst), 5);
}
