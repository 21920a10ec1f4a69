//! What the headers say.

use std::io;

use circuit_layer::{BoxError, BoxErrorsAsFailures, CircuitBreakerLayer, Outcome, Rejected, State};
use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::classify::StatusInRangeAsFailures;

use crate::support::{Script, Step, answer, answer_by, breaker, drain, lenient, script, status};

#[tokio::test]
async fn an_ordinary_503_is_a_failure() {
    for (code, expected) in [
        (500, State::Open),
        (503, State::Open),
        (599, State::Open),
        (200, State::Closed),
        (302, State::Closed),
        (404, State::Closed),
        (429, State::Closed),
    ] {
        let (breaker, _) = breaker();
        let response = answer(&breaker, status(code).body(Script::default()).unwrap()).await;
        assert_eq!(breaker.state(), expected, "{code}, before anything of the body is read");
        assert_eq!(response.status(), code);
    }
}

#[tokio::test]
async fn a_classifier_of_ones_own_decides() {
    let (breaker, _) = breaker();
    let classifier = StatusInRangeAsFailures::new(400..=499).into_make_classifier();
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let classifier =
        tower_http::classify::MakeClassifier::make_classifier(&classifier, &Request::new(()));
    let layer = layer.http_with(classifier);
    answer_by(layer.clone(), status(503).body(Script::default()).unwrap()).await;
    assert_eq!(breaker.state(), State::Closed);
    answer_by(layer, status(429).body(Script::default()).unwrap()).await;
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_failed_response_counts_once_even_if_its_body_breaks() {
    let (breaker, _) = lenient();
    let body = script([Step::Data("oops"), Step::Break]);
    let mut response = answer(&breaker, status(500).body(body).unwrap()).await;
    drain(response.body_mut());
    assert_eq!(breaker.state(), State::Closed);
    answer(&breaker, status(500).body(Script::default()).unwrap()).await;
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn errors_stay_failures_and_boxed_ones_can_be_told_so() {
    let (first, _) = breaker();
    let service =
        CircuitBreakerLayer::new(first.clone()).http().layer(service_fn(async |_: Request<()>| {
            Err::<Response<Script>, _>(io::Error::other("refused"))
        }));
    assert!(service.oneshot(Request::new(())).await.is_err());
    assert_eq!(first.state(), State::Open);

    let (second, _) = breaker();
    let layer = CircuitBreakerLayer::new(second.clone()).classify(BoxErrorsAsFailures).http();
    let service = layer.layer(service_fn(async |_: Request<()>| {
        Err::<Response<Script>, _>(BoxError::from("refused"))
    }));
    assert!(service.oneshot(Request::new(())).await.is_err());
    assert_eq!(second.state(), State::Open);
}

#[tokio::test]
async fn what_the_classifier_of_results_ignores_is_not_judged_again() {
    let (breaker, _) = breaker();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(|result: &Result<Response<Script>, io::Error>| match result {
            Ok(response) if response.status() == StatusCode::NOT_IMPLEMENTED => Outcome::Ignored,
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::failure("error"),
        })
        .http();
    let service = layer.layer(service_fn(async |code: u16| {
        Ok::<_, io::Error>(status(code).body(Script::default()).unwrap())
    }));
    service.clone().oneshot(501).await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
    service.oneshot(502).await.unwrap();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_rejection_that_an_inner_breaker_answered_trips_nobody() {
    let (outer, _) = breaker();
    let (inner, _) = breaker();
    inner.force_open("maintenance", None);
    let rejected = inner.try_acquire().unwrap_err();
    let response = answer(&outer, Response::from(rejected)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.extensions().get::<Rejected>(), Some(&rejected));
    assert_eq!(outer.state(), State::Closed);
}

#[tokio::test]
async fn an_error_that_is_classified_as_a_success_is_one() {
    let (breaker, _) = lenient();
    let layer = CircuitBreakerLayer::new(breaker.clone()).classify(
        |result: &Result<Response<Script>, io::Error>| match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Outcome::failure("error"),
            _ => Outcome::Success,
        },
    );
    let service = layer.http().layer(service_fn(async |kind: io::ErrorKind| {
        Err::<Response<Script>, _>(io::Error::from(kind))
    }));
    for kind in [io::ErrorKind::Other, io::ErrorKind::NotFound, io::ErrorKind::Other] {
        assert!(service.clone().oneshot(kind).await.is_err());
    }
    assert_eq!(breaker.state(), State::Closed, "never two failures in a row");
}
