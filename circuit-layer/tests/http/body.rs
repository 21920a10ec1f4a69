//! What the body says: complete, broken, dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use circuit_layer::http::PermitBody;
use circuit_layer::{CircuitBreaker, State};
use http::Response;
use http_body::Body;

use crate::support::Step::{Break, Data, Panic, Wait};
use crate::support::{Script, answer, breaker, drain, lenient, read, script, status};

/// Whether a success was counted: it ends a run of failures.
async fn counts_as_success(breaker: &CircuitBreaker) -> bool {
    answer(breaker, status(500).body(Script::default()).unwrap()).await;
    breaker.state() == State::Closed
}

/// A breaker with one failure of two counted.
async fn one_failure() -> CircuitBreaker {
    let (breaker, _) = lenient();
    answer(&breaker, status(500).body(Script::default()).unwrap()).await;
    breaker
}

#[tokio::test]
async fn a_body_that_breaks_is_one_failure_and_stays_at_its_end() {
    let (breaker, _) = lenient();
    for expected in [State::Closed, State::Open] {
        let body = script([Data("half"), Break, Break, Data("more")]);
        let mut response = answer(&breaker, Response::new(body)).await;
        let body = response.body_mut();
        assert!(matches!(read(body), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(read(body), Poll::Ready(Some(Err(_)))));
        assert!(matches!(read(body), Poll::Ready(None)));
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        drop(response);
        assert_eq!(breaker.state(), expected);
    }
}

#[tokio::test]
async fn a_body_that_ends_is_a_success_only_then() {
    let breaker = one_failure().await;
    let mut response = answer(&breaker, Response::new(script([Data("all")]))).await;
    drain(response.body_mut());
    assert!(counts_as_success(&breaker).await);
}

#[tokio::test]
async fn a_body_dropped_half_way_counts_for_nothing() {
    let breaker = one_failure().await;
    for _ in 0..10 {
        let mut response = answer(&breaker, Response::new(script([Data("half"), Wait]))).await;
        drain(response.body_mut());
        drop(response);
    }
    assert_eq!(breaker.state(), State::Closed, "no failure");
    assert!(!counts_as_success(&breaker).await, "and no success");
}

#[tokio::test]
async fn a_body_that_knows_its_end_is_complete_at_the_last_frame() {
    let breaker = one_failure().await;
    let body = script([Data("all")]).knowing_its_end();
    let mut response = answer(&breaker, Response::new(body)).await;
    assert!(matches!(read(response.body_mut()), Poll::Ready(Some(Ok(_)))));
    drop(response);
    assert!(counts_as_success(&breaker).await, "although it was never read to None");
}

#[tokio::test]
async fn a_body_of_the_promised_length_is_complete() {
    let breaker = one_failure().await;
    let response = Response::builder().header("content-length", "6");
    let body = script([Data("abc"), Data("def"), Wait]);
    let mut response = answer(&breaker, response.body(body).unwrap()).await;
    drain(response.body_mut());
    drop(response);
    assert!(counts_as_success(&breaker).await, "hyper reads no further");
}

#[tokio::test]
async fn an_empty_body_is_complete_unread() {
    let breaker = one_failure().await;
    drop(answer(&breaker, Response::new(Script::default().knowing_its_end())).await);
    assert!(counts_as_success(&breaker).await);
}

#[tokio::test]
async fn a_body_that_panics_is_a_failure() {
    let (breaker, _) = breaker();
    let mut response = answer(&breaker, Response::new(script([Panic]))).await;
    let panic = catch_unwind(AssertUnwindSafe(|| read(response.body_mut())));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "body");
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn size_and_end_are_those_of_the_inner_body() {
    let (breaker, _) = breaker();
    let body = script([Data("seven"), Data("by")]).knowing_its_end();
    let mut response = answer(&breaker, Response::new(body)).await;
    assert_eq!(response.body().size_hint().exact(), Some(7));
    assert!(!response.body().is_end_stream());
    drain(response.body_mut());
    assert!(response.body().is_end_stream());
}

#[test]
fn any_body_can_carry_any_permit() {
    let (breaker, _) = breaker();
    let permit = breaker.try_acquire().unwrap();
    let mut body = PermitBody::new(script([Data("half"), Break]), permit);
    drain(&mut body);
    assert_eq!(breaker.state(), State::Open);
}
