//! The call's time ends at the headers.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, Clock, ConsecutiveFailures, ManualClock, SlowCallRate,
    State, TripPolicy, Window,
};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::Step::{Break, Data, Wait};
use crate::support::{MINUTE, SECOND, Script, answer, breaker, drain, script};

/// Opens at the first call that takes more than a second, or at two failures in a row.
fn impatient() -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    let slow = SlowCallRate::new(1.0, SECOND, Window::calls(1)).min_calls(1);
    let breaker = CircuitBreaker::builder("test")
        .policy(slow.or(ConsecutiveFailures::new(2)))
        .clock(clock)
        .build()
        .unwrap();
    (breaker, hand)
}

#[tokio::test]
async fn a_body_of_a_thousand_seconds_is_not_abandoned() {
    let (breaker, hand) = breaker();
    let response = answer(&breaker, Response::new(script([Data("a"), Wait]))).await;
    hand.advance(SECOND * 1000);
    drop(response);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn neither_is_one_whose_headers_took_a_while() {
    let breaker = CircuitBreaker::builder("test").fail_max(1).build().unwrap();
    let clock = breaker.clock().clone();
    let service =
        CircuitBreakerLayer::new(breaker.clone()).http().layer(service_fn(move |_: Request<()>| {
            let headers = clock.sleep_until(clock.now() + SECOND * 5);
            async move {
                headers.await;
                Ok::<_, Infallible>(Response::new(script([Data("a"), Wait])))
            }
        }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    tokio::time::advance(SECOND * 1000).await;
    drop(response);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_until_it_is_dropped_is_a_failure() {
    for (patience, expected) in [(SECOND, State::Open), (SECOND / 2, State::Closed)] {
        let breaker = CircuitBreaker::builder("test").fail_max(1).build().unwrap();
        let service = CircuitBreakerLayer::new(breaker.clone())
            .http()
            .layer(service_fn(|_: Request<()>| pending::<Result<Response<Script>, Infallible>>()));
        let call = service.oneshot(Request::new(()));
        assert!(tokio::time::timeout(patience, call).await.is_err());
        assert_eq!(breaker.state(), expected);
    }
}

#[tokio::test]
async fn a_long_body_is_no_slow_call() {
    let (breaker, hand) = impatient();
    let mut read = answer(&breaker, Response::new(script([Data("a")]))).await;
    let dropped = answer(&breaker, Response::new(script([Data("a"), Wait]))).await;
    hand.advance(MINUTE);
    assert_eq!(breaker.snapshot().counts.slow, 0, "nor is it in flight any more");
    drain(read.body_mut());
    drop(dropped);
    let counts = breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.slow), (1, 0));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn a_long_body_that_breaks_is_a_failure_and_not_slow() {
    let (breaker, hand) = impatient();
    for expected in [State::Closed, State::Open] {
        let mut read = answer(&breaker, Response::new(script([Data("a"), Break]))).await;
        hand.advance(MINUTE);
        drain(read.body_mut());
        assert_eq!(breaker.state(), expected);
    }
}

#[tokio::test]
async fn headers_that_come_late_are_slow_once() {
    for late in [Duration::from_millis(1001), MINUTE] {
        let (clock, hand) = Clock::manual();
        let slow = SlowCallRate::new(1.0, SECOND, Window::calls(10)).min_calls(10);
        let breaker = CircuitBreaker::builder("test").policy(slow).clock(clock).build().unwrap();
        let layer = CircuitBreakerLayer::new(breaker.clone()).http();
        let service = layer.layer(service_fn(move |_: Request<()>| {
            hand.advance(late);
            std::future::ready(Ok::<_, Infallible>(Response::new(script([Data("a")]))))
        }));
        let mut response = service.oneshot(Request::new(())).await.unwrap();
        drain(response.body_mut());
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.slow), (1, 1), "{late:?}");
    }
}

#[tokio::test]
async fn a_response_with_late_headers_that_is_dropped_is_no_failure() {
    let (clock, hand) = Clock::manual();
    let slow = SlowCallRate::new(1.0, SECOND, Window::calls(10)).min_calls(10);
    let breaker = CircuitBreaker::builder("test")
        .policy(slow.or(ConsecutiveFailures::new(1)))
        .clock(clock)
        .build()
        .unwrap();
    let late = hand.clone();
    let layer = CircuitBreakerLayer::new(breaker.clone()).http();
    let service = layer.layer(service_fn(move |_: Request<()>| {
        late.advance(SECOND * 2);
        std::future::ready(Ok::<_, Infallible>(Response::new(script([Data("a"), Wait]))))
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    hand.advance(MINUTE);
    drop(response);
    assert_eq!(breaker.state(), State::Closed);
}
