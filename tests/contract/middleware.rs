//! Every middleware of the workspace keeps every law.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, ConsecutiveFailures, FailureRate, Outcome, Rejected,
    SlowCallRate, TripPolicy, Window,
};
use degradation::{
    Class, Criticality, DegradationLayer, DegradationManager, FallbackLayer, Mode, Readiness,
    Routes, Shutdown,
};
use http::{Request, Response};
use http_body_util::Full;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, ServiceBuilder, service_fn};

use crate::inner::Inner;
use crate::laws::{broken, broken_over};

const NONE: [&str; 0] = [];

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("contract")
}

fn request() -> Request<Full<Bytes>> {
    Request::new(Full::default())
}

fn response() -> Response<Full<Bytes>> {
    Response::new(Full::default())
}

fn manager() -> DegradationManager {
    DegradationManager::builder().dependency("all", 100, breaker()).build().unwrap()
}

#[test]
fn a_breaker_with_the_defaults() {
    let layer = || CircuitBreakerLayer::new(breaker());
    assert_eq!(broken(|| 7, |inner| layer().layer(inner), || 1_u64), NONE);
}

#[test]
fn a_breaker_that_counts_and_times_each_call() {
    let windows = FailureRate::new(1.0, Window::calls(1_000))
        .or(SlowCallRate::new(1.0, Duration::from_secs(60), Window::time(Duration::from_secs(60))))
        .or(ConsecutiveFailures::new(1_000));
    let stack = |inner| {
        let breaker = CircuitBreaker::builder("contract").policy(windows.clone()).build().unwrap();
        CircuitBreakerLayer::new(breaker).layer(inner)
    };
    assert_eq!(broken(|| 7, stack, || 1_u64), NONE);
}

#[test]
fn a_breaker_with_a_classifier_and_an_answer_for_the_rejected() {
    let verdict = |_: &Result<u64, io::Error>| Outcome::Success;
    let answer = |_: Rejected, request: u64| Ok::<_, io::Error>(request);
    let layer = || CircuitBreakerLayer::new(breaker()).classify(verdict);
    // A call without a readiness is answered as a rejected one, so it never reaches inner.
    assert_eq!(broken(|| 7, |inner| layer().on_rejected(answer).layer(inner), || 1), NONE);
}

#[tokio::test]
async fn a_breaker_that_waits_instead_of_rejecting() {
    let layer = || CircuitBreakerLayer::new(breaker()).backpressure();
    assert_eq!(broken(|| 7, |inner| layer().layer(inner), || 1_u64), NONE);
}

#[test]
fn a_breaker_that_observes_only_or_is_disabled_or_held_closed() {
    let orders: [fn(&CircuitBreaker); 3] = [
        |breaker| breaker.observe_only("contract", None),
        |breaker| breaker.disable("contract", None),
        |breaker| breaker.force_closed("contract", None),
    ];
    for order in orders {
        let stack = |inner| {
            let breaker = breaker();
            order(&breaker);
            CircuitBreakerLayer::new(breaker).layer(inner)
        };
        assert_eq!(broken(|| 7, stack, || 1_u64), NONE);
    }
}

#[test]
fn breakers_for_http_and_grpc() {
    let http = |inner| CircuitBreakerLayer::new(breaker()).http().layer(inner);
    assert_eq!(broken(response, http, request), NONE);
    let grpc = |inner| CircuitBreakerLayer::new(breaker()).grpc().layer(inner);
    assert_eq!(broken(response, grpc, request), NONE);
}

#[test]
fn a_breaker_around_a_breaker() {
    let stack = |inner| {
        ServiceBuilder::new()
            .layer(CircuitBreakerLayer::new(breaker()))
            .layer(CircuitBreakerLayer::new(breaker()))
            .service(inner)
    };
    assert_eq!(broken(|| 7, stack, || 1_u64), NONE);
}

#[tokio::test]
async fn degradation() {
    let stack = |inner| DegradationLayer::new(&manager()).layer(inner);
    assert_eq!(broken(response, stack, request), NONE);
}

#[tokio::test]
async fn degradation_that_sheds_what_others_ask() {
    // What is asked here passes, and every readiness may be needed for what does not.
    let stack = |inner| {
        let manager = manager();
        manager.force_mode(Mode::Minimal, "contract", None);
        let routes = Routes::new().route("/", Class::write(Criticality::CriticalPlus));
        DegradationLayer::new(&manager).routes(routes).layer(inner)
    };
    let found = broken(response, stack, request);
    // It is ready although inner is not, for what is to be shed: the wait is in the call.
    assert_eq!(found, ["waits while inner is busy, and is woken"]);
}

#[test]
fn a_fallback_that_is_not_needed() {
    let other = service_fn(|_: u64| async { Ok::<_, io::Error>(8) });
    let layer = || FallbackLayer::new(other).on(|_: &io::Error| true);
    assert_eq!(broken(|| 7, |inner| layer().layer(inner), || 1_u64), NONE);
}

/// It is transparent: it hands the mistake of a caller who did not ask for readiness on, so it stands
/// over a service that notices.
#[tokio::test]
async fn the_memory_in_front_of_redis() {
    let closed = || redis_service::Error::Redis(redis_service::RedisError::Closed);
    let stack = |rig: &_| {
        let layer = redis_service::FallbackLayer::new(redis_service::FallbackConfig::new());
        let inner = Inner::failing(rig, || redis_service::Value::Nil, closed);
        layer.layer(ConcurrencyLimit::new(inner, 8))
    };
    assert_eq!(broken_over(stack, || redis_service::Request::Ping), NONE);
    let get = || redis_service::Request::Get { key: Bytes::from_static(b"key") };
    assert_eq!(broken_over(stack, get), NONE);
}

#[tokio::test]
async fn requests_that_end_with_a_shutdown() {
    let stack = |inner| Shutdown::new(&Readiness::starting()).cut_off().layer(inner);
    assert_eq!(broken(response, stack, request), NONE);
}
