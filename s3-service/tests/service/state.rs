//! Closed, open, half-open, and what moves between them.

use circuit_layer::State;

use crate::wire::Answer::Status;
use crate::wire::{RESET, Wire, service, service_with};

#[tokio::test]
async fn five_failures_in_a_row_open_the_breaker() {
    let (s3, _) = service(&Wire::of([Status(500, "InternalError")])).await;
    for n in 1..=5 {
        assert_eq!(s3.breaker().state(), State::Closed, "before failure {n}");
        assert!(s3.head("k").await.unwrap_err().rejected().is_none());
    }
    assert_eq!(s3.breaker().state(), State::Open);
}

#[tokio::test]
async fn a_success_between_failures_starts_the_count_again() {
    let wire = Wire::of([Status(500, "")]);
    let (s3, _) = service(&wire).await;
    for _ in 0..3 {
        wire.then([Status(500, "")]);
        for _ in 0..4 {
            assert!(s3.health_check().await.is_err());
        }
        wire.then([Status(200, "")]);
        s3.health_check().await.unwrap();
    }
    assert_eq!(s3.breaker().state(), State::Closed);
}

#[tokio::test]
async fn an_object_that_is_missing_says_that_s3_is_there() {
    let wire = Wire::of([Status(500, ""), Status(404, "NoSuchKey")]);
    let (s3, _) = service_with(&wire, |settings| settings.fail_max(2)).await;
    for _ in 0..10 {
        assert!(s3.download("k").await.is_err());
    }
    assert_eq!(s3.breaker().state(), State::Closed);
}

#[tokio::test]
async fn after_the_reset_timeout_three_probes_close_it() {
    let wire = Wire::of([Status(503, "")]);
    let (s3, time) = service_with(&wire, |settings| settings.fail_max(1)).await;
    assert!(s3.health_check().await.is_err());
    wire.then([Status(200, "")]);
    time.advance(RESET.mul_f64(0.99));
    assert!(s3.health_check().await.unwrap_err().rejected().is_some());
    time.advance(RESET.mul_f64(0.01));
    for _ in 0..2 {
        s3.health_check().await.unwrap();
        assert_eq!(s3.breaker().state(), State::HalfOpen);
    }
    s3.health_check().await.unwrap();
    assert_eq!(s3.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_probe_that_fails_opens_it_again_for_about_twice_as_long() {
    let wire = Wire::of([Status(503, "")]);
    let (s3, time) = service_with(&wire, |settings| settings.fail_max(1)).await;
    assert!(s3.health_check().await.is_err());
    time.advance(RESET);
    assert!(s3.health_check().await.is_err());
    assert_eq!(s3.breaker().state(), State::Open);
    let wait = s3.breaker().snapshot().retry_after.unwrap();
    assert!((1.7..=2.3).contains(&(wait.as_secs_f64() / RESET.as_secs_f64())), "{wait:?}");
}
