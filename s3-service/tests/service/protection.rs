//! What the breaker counts, and what it keeps from whom.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::presigning::PresigningConfig;
use circuit_layer::{CircuitBreaker, Rejected, State};
use s3_service::{CopyObject, ErrorType, install};

use crate::wire::Answer::{self, Body, Never, Refused, Status, TimedOut};
use crate::wire::{Wire, service_with};

/// One row of the table: what a copy meets, how the breaker counts it, the label. A copy, because
/// its errors may come inside a 200.
async fn check(answer: Answer, counts: bool, label: ErrorType) {
    let (s3, _) = service_with(&Wire::of([answer]), |settings| settings.fail_max(1)).await;
    let error = s3.copy(CopyObject::new("a", "b")).await.unwrap_err();
    assert_eq!(error.error_type(), Some(label), "{answer:?}: {error:?}");
    let state = if counts { State::Open } else { State::Closed };
    assert_eq!(s3.breaker().state(), state, "{answer:?}");
    assert_eq!(s3.get_health().report.failures, u64::from(counts), "{answer:?}");
}

#[tokio::test]
async fn a_service_that_fails_is_a_failure_whatever_the_status() {
    for status in [500, 502, 503, 504] {
        check(Status(status, ""), true, ErrorType::Server).await;
    }
    check(Status(500, "InternalError"), true, ErrorType::Server).await;
    check(Status(503, "ServiceUnavailable"), true, ErrorType::Server).await;
    check(Status(200, "InternalError"), true, ErrorType::Server).await;
}

#[tokio::test]
async fn throttling_is_a_failure_whatever_the_status() {
    check(Status(503, "SlowDown"), true, ErrorType::Throttling).await;
    check(Status(200, "SlowDown"), true, ErrorType::Throttling).await;
    check(Status(429, "TooManyRequests"), true, ErrorType::Throttling).await;
    check(Status(429, ""), true, ErrorType::Throttling).await;
    check(Status(403, "RequestLimitExceeded"), true, ErrorType::Throttling).await;
}

#[tokio::test]
async fn a_request_that_s3_gave_up_waiting_for_is_a_failure() {
    check(Status(400, "RequestTimeout"), true, ErrorType::Transient).await;
    check(Status(408, ""), true, ErrorType::Transient).await;
}

#[tokio::test]
async fn a_wire_that_breaks_or_is_late_is_a_failure() {
    check(Refused, true, ErrorType::Dispatch).await;
    check(TimedOut, true, ErrorType::Timeout).await;
}

#[tokio::test]
async fn an_answer_that_is_not_one_of_s3_is_a_failure() {
    check(Body(200, "<html>Welcome to the gateway</html>"), true, ErrorType::Response).await;
    check(Body(200, "upstream is busy"), true, ErrorType::Response).await;
    check(Body(200, "<CopyObj"), true, ErrorType::Response).await;
}

#[tokio::test]
async fn what_s3_refuses_is_an_answer() {
    for code in ["AccessDenied", "SignatureDoesNotMatch", "ExpiredToken", "InvalidObjectState"] {
        check(Status(403, code), false, ErrorType::Client).await;
    }
    for (status, code) in [
        (301, "PermanentRedirect"),
        (304, ""),
        (307, "TemporaryRedirect"),
        (400, "InvalidArgument"),
        (401, ""),
        (403, "RequestTimeTooSkewed"),
        (404, "NoSuchKey"),
        (404, "NoSuchBucket"),
        (404, ""),
        (409, "BucketNotEmpty"),
        (412, "PreconditionFailed"),
        (416, "InvalidRange"),
        (501, "NotImplemented"),
        (505, ""),
    ] {
        check(Status(status, code), false, ErrorType::Client).await;
    }
}

#[tokio::test]
async fn a_rejection_is_typed_and_nothing_is_sent() {
    let wire = Wire::of([Status(200, "")]);
    let (s3, _) = service_with(&wire, |settings| settings).await;
    s3.breaker().force_open("test", Some(Duration::from_secs(9)));
    let error = s3.head("k").await.unwrap_err();
    let rejected = Rejected::find(&error).expect("typed");
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(9)));
    assert_eq!((error.error_type(), error.status()), (None, None));
    let bare = s3.client().head_bucket().bucket("b").send().await.unwrap_err();
    assert!(Rejected::find(&bare).is_some(), "in the SDK's error");
    assert!(Rejected::find(&aws_sdk_s3::Error::from(bare)).is_some(), "in the service's error");
    assert_eq!(wire.requests(), 0);
}

#[tokio::test]
async fn retries_stop_when_it_opens_and_the_caller_gets_s3s_own_last_error() {
    let wire = Wire::of([Status(500, ""), Status(503, "SlowDown")]);
    let breaker = CircuitBreaker::builder("bare").fail_max(2).build().unwrap();
    let retries = aws_sdk_s3::config::retry::RetryConfig::standard().with_max_attempts(5);
    let config = install(wire.config(), &breaker)
        .retry_config(retries.with_initial_backoff(Duration::from_millis(1)));
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let error = client.get_object().bucket("b").key("k").send().await.unwrap_err();
    assert_eq!(error.code(), Some("SlowDown"));
    assert_eq!((wire.requests(), breaker.snapshot().rejected), (2, 0));
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn presigning_passes_while_open() {
    let (s3, _) = service_with(&Wire::of([Refused]), |settings| settings).await;
    s3.breaker().force_open("test", None);
    let valid = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let signed = s3.client().get_object().bucket("b").key("k").presigned(valid).await.unwrap();
    assert!(signed.uri().contains("X-Amz-Signature"));
    assert_eq!(s3.breaker().snapshot().rejected, 0);
}

#[tokio::test]
async fn a_field_that_is_missing_is_not_seen_by_the_breaker() {
    let (s3, _) = service_with(&Wire::of([Refused]), |settings| settings.fail_max(1)).await;
    let no_key = s3.call(|client| async move { client.get_object().bucket("b").send().await });
    assert_eq!(no_key.await.unwrap_err().error_type(), Some(ErrorType::Client));
    assert_eq!(s3.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_dropped_call_gives_its_permit_back() {
    let change = |settings: s3_service::S3Builder| settings.fail_max(1).half_open_max_attempts(1);
    let wire = Wire::of([Refused]);
    let (s3, time) = service_with(&wire, change).await;
    assert!(s3.head("k").await.is_err());
    time.advance(crate::wire::RESET);
    wire.then([Never]);
    let prober = s3.clone();
    let probe = tokio::spawn(async move { prober.head("k").await });
    while wire.requests() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(s3.breaker().snapshot().probes_in_flight, 1);
    assert!(s3.head("k").await.unwrap_err().rejected().is_some(), "the one slot is taken");
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert_eq!(s3.breaker().snapshot().probes_in_flight, 0);
    wire.then([Status(404, "")]);
    assert!(s3.head("k").await.unwrap_err().is_not_found());
}
