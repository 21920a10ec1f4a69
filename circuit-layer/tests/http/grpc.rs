//! gRPC: the status is in the trailers, or in the headers, or missing.

use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, State};
use http::Response;
use std::time::Duration;
use tower_http::classify::{GrpcCode, GrpcErrorsAsFailures};

use crate::support::Step::{Break, Data, Trailers, Wait};
use crate::support::{Script, answer_by, breaker, drain, script, status};

async fn grpc(breaker: &CircuitBreaker, response: Response<Script>) -> State {
    let layer = CircuitBreakerLayer::new(breaker.clone()).grpc();
    drain(answer_by(layer, response).await.body_mut());
    breaker.state()
}

#[tokio::test]
async fn trailers_decide_at_the_end() {
    for (code, expected) in [
        ("0", State::Closed),
        ("1", State::Closed),
        ("2", State::Open),
        ("3", State::Closed),
        ("4", State::Open),
        ("5", State::Closed),
        ("7", State::Closed),
        ("8", State::Closed),
        ("12", State::Open),
        ("13", State::Open),
        ("14", State::Open),
        ("15", State::Open),
        ("16", State::Closed),
        ("77", State::Open),
        ("nonsense", State::Open),
    ] {
        let (breaker, _) = breaker();
        let body = script([Data("message"), Trailers(code)]);
        assert_eq!(grpc(&breaker, Response::new(body)).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_response_of_trailers_only_decides_at_the_headers() {
    for (code, expected) in [("0", State::Closed), ("5", State::Closed), ("14", State::Open)] {
        let (breaker, _) = breaker();
        let response = Response::builder().header("grpc-status", code);
        let layer = CircuitBreakerLayer::new(breaker.clone()).grpc();
        let unread = answer_by(layer, response.body(Script::default()).unwrap()).await;
        assert_eq!(breaker.state(), expected, "{code}");
        drop(unread);
    }
}

#[tokio::test]
async fn a_response_without_a_status_has_that_of_http() {
    for (code, expected) in [
        (503, State::Open),
        (429, State::Open),
        (404, State::Open),
        (500, State::Open),
        (401, State::Closed),
        (403, State::Closed),
        (200, State::Open),
    ] {
        let (breaker, _) = breaker();
        let response = status(code).body(Script::default()).unwrap();
        assert_eq!(grpc(&breaker, response).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_a_failure_and_one_that_is_dropped_is_nothing() {
    let (breaker, _) = breaker();
    let dropped = script([Data("message"), Wait]);
    assert_eq!(grpc(&breaker, Response::new(dropped)).await, State::Closed);
    assert_eq!(grpc(&breaker, Response::new(script([Data("x"), Break]))).await, State::Open);
}

#[tokio::test]
async fn the_wait_is_the_pushback_of_the_trailers() {
    let (breaker, _) = breaker();
    grpc(&breaker, Response::new(script([Trailers("14")]))).await;
    assert_eq!(breaker.snapshot().retry_after, Some(Duration::from_millis(2500)));
}

#[tokio::test]
async fn the_classifier_of_tower_http_decides_by_its_own_rules() {
    let classifier = GrpcErrorsAsFailures::new().with_success(GrpcCode::NotFound);
    for (code, expected) in [("0", State::Closed), ("5", State::Closed), ("3", State::Open)] {
        let (breaker, _) = breaker();
        let layer = CircuitBreakerLayer::new(breaker.clone()).http_with(classifier.clone());
        let body = script([Data("message"), Trailers(code)]);
        drain(answer_by(layer, Response::new(body)).await.body_mut());
        assert_eq!(breaker.state(), expected, "{code}");
    }
}
