//! The laws of tower, for the breaker's own service.

use std::future::{Ready, ready};
use std::task::{Context, Poll, Waker};

use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Reason, State};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::support::{Count, MINUTE, boom, defaults, fail, tripped};

/// Insists on being polled ready before each call, on this very instance.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
    polled: Count,
    called: Count,
    fails: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            ..Self { polled: self.polled.clone(), called: self.called.clone(), ..*self }
        }
    }
}

impl Service<()> for Strict {
    type Response = ();
    type Error = std::io::Error;
    type Future = Ready<Result<(), std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.polled.up();
        if self.fails {
            return Poll::Ready(Err(boom()));
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being polled ready");
        self.called.up();
        ready(Ok(()))
    }
}

fn poll_ready<S: Service<()>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn the_readied_instance_is_the_one_called() {
    let (breaker, _hand) = defaults();
    let mut service = CircuitBreakerLayer::new(breaker).layer(Strict::default());
    for _ in 0..3 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    assert_eq!(service.get_ref().called.get(), 3);
}

#[tokio::test]
async fn a_clone_inherits_no_readiness() {
    let (breaker, _hand) = defaults();
    let mut service = CircuitBreakerLayer::new(breaker).layer(Strict::default());
    assert!(poll_ready(&mut service).is_ready());
    let rejected = service.clone().call(()).await.unwrap_err();
    assert_eq!(rejected.rejected().unwrap().reason(), Reason::NotReady);
    service.call(()).await.unwrap();
}

#[tokio::test]
async fn readiness_is_used_up_by_one_call() {
    let (breaker, _hand) = defaults();
    let mut service = CircuitBreakerLayer::new(breaker).layer(Strict::default());
    assert!(poll_ready(&mut service).is_ready());
    service.call(()).await.unwrap();
    assert!(service.call(()).await.is_err());
    assert_eq!(service.get_ref().called.get(), 1);
}

#[tokio::test]
async fn an_open_breaker_is_ready_and_rejects_without_touching_the_inner_service() {
    let (breaker, _hand) = tripped();
    let mut service = CircuitBreakerLayer::new(breaker).layer(Strict::default());
    for _ in 0..3 {
        assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
        assert!(service.call(()).await.is_err());
    }
    assert_eq!(service.get_ref().polled.get(), 0);
}

#[tokio::test]
async fn a_busy_half_open_breaker_does_not_touch_the_inner_service_either() {
    let (breaker, hand) = tripped();
    hand.advance(MINUTE);
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    let mut service = CircuitBreakerLayer::new(breaker).layer(Strict::default());
    assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
    let error = service.call(()).await.unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::ProbesBusy);
    assert_eq!(service.get_ref().polled.get(), 0);
    drop(probes);
}

#[tokio::test]
async fn an_open_breaker_rejects_although_the_inner_service_is_saturated() {
    let (breaker, _hand) = tripped();
    let saturated = ServiceBuilder::new().concurrency_limit(0).service(Strict::default());
    let mut service = CircuitBreakerLayer::new(breaker).layer(saturated);
    assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
    assert!(service.call(()).await.is_err());
}

#[tokio::test]
async fn poll_ready_reserves_no_probe() {
    let (breaker, hand) = tripped();
    hand.advance(MINUTE);
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let mut services: Vec<_> = (0..10).map(|_| layer.layer(Strict::default())).collect();
    for service in &mut services {
        assert!(poll_ready(service).is_ready());
    }
    assert_eq!(breaker.state(), State::Open, "asking does not end the wait");
    let mut admitted = 0;
    let mut calls = Vec::new();
    for service in &mut services {
        let call = service.call(());
        admitted += service.get_ref().called.get();
        calls.push(call);
    }
    assert_eq!(admitted, 3);
    drop(services);
    assert_eq!(breaker.snapshot().probes_in_flight, 3);
    drop(calls);
    assert_eq!(breaker.snapshot().probes_in_flight, 0);
}

#[tokio::test]
async fn a_call_is_rejected_when_poll_ready_found_it_shut_although_the_wait_is_over_by_now() {
    let (breaker, hand) = tripped();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Strict::default());
    assert!(poll_ready(&mut service).is_ready());
    hand.advance(MINUTE);
    assert!(service.call(()).await.is_err());
    assert_eq!(breaker.state(), State::Open);
    service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[tokio::test]
async fn a_breaker_that_trips_between_poll_ready_and_call_rejects() {
    let (breaker, _hand) = defaults();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Strict::default());
    assert!(poll_ready(&mut service).is_ready());
    fail(&breaker, 5);
    assert!(service.call(()).await.is_err());
    assert_eq!(service.get_ref().called.get(), 0);
}

#[test]
fn an_error_of_the_inner_poll_ready_is_passed_on_and_counts_for_nothing() {
    let (breaker, _hand) = defaults();
    let inner = Strict { fails: true, ..Strict::default() };
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner);
    for _ in 0..10 {
        assert!(matches!(poll_ready(&mut service), Poll::Ready(Err(_))));
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_works_under_a_buffer_and_a_concurrency_limit() {
    let breaker = CircuitBreaker::builder("buffered").fail_max(2).build().unwrap();
    let service = ServiceBuilder::new()
        .buffer(16)
        .concurrency_limit(4)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .concurrency_limit(2)
        .service(tower::service_fn(
            |ok: bool| async move { if ok { Ok(()) } else { Err(boom()) } },
        ));
    for ok in [true, false, false] {
        assert_eq!(service.clone().oneshot(ok).await.is_ok(), ok);
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(service.clone().oneshot(true).await.is_err());
    tokio::time::advance(MINUTE).await;
    for _ in 0..3 {
        service.clone().oneshot(true).await.unwrap();
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn what_was_found_shut_is_not_called_even_if_the_breaker_has_closed_meanwhile() {
    let (breaker, _hand) = tripped();
    let called = Count::default();
    let calls = called.clone();
    let mut service =
        CircuitBreakerLayer::new(breaker.clone()).layer(tower::service_fn(move |()| {
            calls.up();
            async { Ok::<_, std::io::Error>(()) }
        }));
    ServiceExt::<()>::ready(&mut service).await.unwrap();
    breaker.reset("repaired");
    let rejected = service.call(()).await.unwrap_err();
    assert_eq!(rejected.rejected().unwrap().reason(), Reason::NotReady);
    assert_eq!(called.get(), 0);
}
