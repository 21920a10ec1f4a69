use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use circuit_layer::{BoxError, CircuitBreaker, CircuitBreakerLayer, Error, Rejected};
use http::Response;
use tokio_test::task::spawn;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use super::*;

type Broken = Error<io::Error>;

/// A service behind a breaker, which an operator holds open or not.
fn breaker(open: bool) -> CircuitBreakerLayer {
    let breaker = CircuitBreaker::new("prices");
    if open {
        breaker.force_open("a test", None);
    }
    CircuitBreakerLayer::new(breaker)
}

fn fails(
    kind: io::ErrorKind,
) -> impl Service<u64, Response = u64, Error = io::Error, Future: Send + Unpin> + Clone {
    service_fn(move |_: u64| ready(Err::<u64, _>(kind.into())))
}

fn doubles() -> impl Service<u64, Response = u64, Error = Infallible, Future: Unpin> + Clone {
    service_fn(|n: u64| ready(Ok::<_, Infallible>(2 * n)))
}

#[tokio::test]
async fn a_rejected_call_is_answered_by_the_fallback_and_says_so() {
    let layer = FallbackLayer::new(doubles());
    let well = service_fn(|n: u64| ready(Ok::<_, io::Error>(n)));
    let stack =
        |open| ServiceBuilder::new().layer(layer.clone()).layer(breaker(open)).service(well);
    let served = stack(false).oneshot(4).await.unwrap();
    assert_eq!((served.response, served.by, served.is_fallback()), (4, ServedBy::Service, false));
    assert_eq!(layer.counters().served(), 0);
    let served = stack(true).oneshot(4).await.unwrap();
    assert_eq!((served.response, served.by, served.is_fallback()), (8, ServedBy::Fallback, true));
    assert_eq!(layer.counters().served(), 1);
}

#[tokio::test]
async fn a_failure_is_passed_on_unless_it_was_chosen() {
    let refused = io::ErrorKind::ConnectionRefused;
    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::new(doubles()))
        .layer(breaker(false))
        .service(fails(refused));
    let error = stack.oneshot(4).await.unwrap_err();
    assert!(matches!(&error, FallbackError::Service(Error::Inner(e)) if e.kind() == refused));

    let layer = FallbackLayer::new(doubles())
        .on(|error: &Broken| matches!(error, Error::Inner(e) if e.kind() == io::ErrorKind::ConnectionRefused));
    let stack = |kind| {
        let layers = ServiceBuilder::new().layer(layer.clone()).layer(breaker(false));
        layers.service(fails(kind))
    };
    assert_eq!(stack(refused).oneshot(4).await.unwrap().response, 8);
    stack(io::ErrorKind::NotFound).oneshot(4).await.unwrap_err();
}

#[tokio::test]
async fn a_rejection_among_boxed_errors_is_found() {
    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::new(doubles()).on(BoxRejections))
        .map_err(BoxError::from)
        .layer(breaker(true))
        .service(fails(io::ErrorKind::Other));
    assert_eq!(stack.oneshot(4).await.unwrap().response, 8);
}

#[tokio::test]
async fn a_request_that_is_not_kept_has_no_fallback() {
    let layer = FallbackLayer::new(doubles()).keep(|n: &u64| (*n < 10).then_some(*n));
    let stack = || {
        let layers = ServiceBuilder::new().layer(layer.clone()).layer(breaker(true));
        layers.service(fails(io::ErrorKind::Other))
    };
    assert_eq!(stack().oneshot(9).await.unwrap().response, 18);
    let error = stack().oneshot(10).await.unwrap_err();
    assert!(matches!(error, FallbackError::Service(Error::Rejected(_))));
}

#[tokio::test]
async fn a_failure_of_the_fallback_is_an_error_of_its_own_and_tells_both() {
    let layer = FallbackLayer::new(fails(io::ErrorKind::TimedOut));
    let stack = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(breaker(true))
        .service(fails(io::ErrorKind::Other));
    let error = stack.oneshot(4).await.unwrap_err();
    assert_eq!(error.to_string(), "the call failed, and so did the fallback");
    assert!(error.cause().is_some_and(|cause| cause.rejected().is_some()));
    assert!(Rejected::find(&error).is_none(), "the fallback was asked: that is a failure");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::TimedOut));
    assert_eq!((layer.counters().served(), layer.counters().failed()), (0, 1));
}

#[tokio::test]
async fn beyond_its_bound_the_fallback_is_not_asked_and_a_slot_is_free_again_at_the_end() {
    let (fallback, mut asked) = mock::pair::<u64, u64>();
    let layer = FallbackLayer::new(fallback).concurrency(1);
    let mut stack = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(breaker(true))
        .service(fails(io::ErrorKind::Other));
    let mut first = spawn(stack.ready().await.unwrap().call(1));
    assert!(first.poll().is_pending());
    let (request, answer) = asked.next_request().await.unwrap();
    assert_eq!(request, 1);

    let error = stack.clone().oneshot(2).await.unwrap_err();
    assert!(matches!(error, FallbackError::Busy { .. }));
    assert!(error.cause().is_some_and(|cause| cause.rejected().is_some()));
    assert_eq!(layer.counters().busy(), 1);
    assert!(first.poll().is_pending());

    answer.send_response(7);
    assert!(first.is_woken());
    assert!(matches!(first.poll(), Poll::Ready(Ok(Served { response: 7, .. }))));
    let mut next = spawn(stack.call_ready(3).await);
    assert!(next.poll().is_pending(), "the slot is free although the first future still lives");
    drop((first, next));
}

/// `ready` and `call` in one, for a service that is always ready.
trait CallReady: Service<u64> {
    async fn call_ready(&mut self, request: u64) -> Self::Future;
}

impl<S: Service<u64, Error: std::fmt::Debug>> CallReady for S {
    async fn call_ready(&mut self, request: u64) -> Self::Future {
        self.ready().await.unwrap().call(request)
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_while_the_fallback_is_busy_or_asked_gives_its_slot_back() {
    let (fallback, mut asked) = mock::pair::<u64, u64>();
    asked.allow(0);
    let layer = FallbackLayer::new(fallback).concurrency(1);
    let mut stack = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(breaker(true))
        .service(fails(io::ErrorKind::Other));
    let mut waiting = spawn(stack.call_ready(1).await);
    assert!(waiting.poll().is_pending(), "the fallback is not ready");
    drop(waiting);
    let mut waiting = spawn(stack.call_ready(2).await);
    assert!(waiting.poll().is_pending());
    asked.allow(1);
    assert!(waiting.is_woken(), "the fallback's readiness wakes the call");
    assert!(waiting.poll().is_pending());
    assert_eq!(asked.next_request().await.map(|(request, _)| request), Some(2));
    drop(waiting);
    let mut last = spawn(stack.call_ready(3).await);
    assert!(last.poll().is_pending());
    drop(last);
    assert_eq!(layer.counters().busy(), 0);
}

#[tokio::test]
async fn a_fallback_that_is_broken_fails_in_its_own_name() {
    let (fallback, mut asked) = mock::pair::<u64, u64>();
    asked.send_error("out of order");
    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::new(fallback))
        .layer(breaker(true))
        .service(fails(io::ErrorKind::Other));
    let error = stack.oneshot(1).await.unwrap_err();
    assert!(format!("{error:?}").contains("out of order"), "{error:?}");
    assert!(matches!(error, FallbackError::Fallback { .. }));
}

/// Panics when it is called without having been readied, and counts how often it was.
#[derive(Debug, Default)]
struct Strict(bool, Arc<AtomicUsize>);

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self(false, Arc::clone(&self.1))
    }
}

impl Service<u64> for Strict {
    type Response = u64;
    type Error = io::Error;
    type Future = Ready<io::Result<u64>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        assert!(std::mem::take(&mut self.0), "called without having been readied");
        self.1.fetch_add(1, Ordering::Relaxed);
        ready(Ok(request))
    }
}

#[tokio::test]
async fn each_call_of_the_fallback_has_a_readiness_of_its_own() {
    let fallback = Strict::default();
    let calls = Arc::clone(&fallback.1);
    let mut stack = ServiceBuilder::new()
        .layer(FallbackLayer::new(fallback))
        .layer(breaker(true))
        .service(Strict::default());
    for n in 0..3 {
        assert_eq!(stack.ready().await.unwrap().call(n).await.unwrap().response, n);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_call_without_readiness_asks_nobody() {
    let mut service = FallbackLayer::new(Strict::default()).layer(Strict::default());
    let error = service.call(1).await.unwrap_err();
    assert!(matches!(error, FallbackError::NotReady), "{error}");
    assert!(error.cause().is_none());
}

#[tokio::test]
async fn a_panic_of_the_fallback_reaches_the_caller_and_gives_its_slot_back() {
    let panics = service_fn(|n: u64| async move {
        assert!(n > 1, "no luck");
        Ok::<_, Infallible>(n)
    });
    let layer = FallbackLayer::new(panics).concurrency(1);
    for _ in 0..2 {
        let service = ServiceBuilder::new()
            .layer(layer.clone())
            .layer(breaker(true))
            .service(fails(io::ErrorKind::Other));
        let panicked = tokio::spawn(service.oneshot(1)).await.unwrap_err();
        assert!(panicked.is_panic());
    }
    assert_eq!(layer.counters().busy(), 0);
}

#[tokio::test]
async fn with_no_slots_the_fallback_is_never_asked() {
    let layer = FallbackLayer::new(doubles()).concurrency(0);
    let stack = layer.layer(breaker(true).layer(fails(io::ErrorKind::Other)));
    let error = stack.oneshot(1).await.unwrap_err();
    assert!(matches!(error, FallbackError::Busy { .. }));
    assert!(Rejected::find(&error).is_some(), "nobody was asked: no failure to anybody");
    let all = FallbackLayer::new(doubles()).concurrency(usize::MAX);
    let stack = all.layer(breaker(true).layer(fails(io::ErrorKind::Other)));
    assert_eq!(stack.oneshot(1).await.unwrap().response, 2);
}

#[tokio::test]
async fn an_http_answer_of_the_fallback_is_marked() {
    let answer = |text: &'static str| {
        service_fn(move |_: u64| ready(Ok::<_, io::Error>(Response::new(text))))
    };
    for (open, body, header, by) in [
        (false, "fresh", None, ServedBy::Service),
        (true, "old", Some("fallback"), ServedBy::Fallback),
    ] {
        let stack = ServiceBuilder::new()
            .map_response(Served::into_response)
            .layer(FallbackLayer::new(answer("old")))
            .layer(breaker(open))
            .service(answer("fresh"));
        let response = stack.oneshot(1).await.unwrap();
        let found = response.headers().get("x-degraded").map(|value| value.to_str().unwrap());
        assert_eq!((found, *response.body()), (header, body));
        assert_eq!(response.extensions().get(), Some(&by));
    }
}
