//! The server dies, and comes back.

use std::time::Duration;

use circuit_layer::{Rejected, State};
use s3_service::test_server::Fault;
use s3_service::{ErrorType, List, Upload};

use crate::support::{RESET, Rig, rig};

async fn break_it(rig: &Rig) {
    rig.server.kill().await;
    for _ in 0..5 {
        let error = rig.s3.head("k").await.unwrap_err();
        assert_eq!(error.error_type(), Some(ErrorType::Dispatch), "{error:?}");
    }
}

#[tokio::test]
async fn a_killed_server_opens_the_breaker_after_five_failures() {
    let rig = rig().await;
    rig.s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    rig.server.kill().await;
    for n in 1..=5 {
        assert_eq!(rig.s3.breaker().state(), State::Closed, "before failure {n}");
        assert!(rig.s3.head("k").await.unwrap_err().rejected().is_none());
    }
    assert_eq!(rig.s3.breaker().state(), State::Open);
    assert_eq!(rig.s3.get_health().report.score, 0, "capped while open");
}

#[tokio::test]
async fn a_rejection_is_typed_fast_and_asks_nothing_of_the_server() {
    let rig = rig().await;
    break_it(&rig).await;
    rig.server.restart().await.unwrap();
    let asked = rig.server.requests();

    let quick = tokio::time::timeout(Duration::from_millis(500), rig.s3.head("k"));
    let error = quick.await.expect("a rejection does not wait").unwrap_err();
    let rejected = Rejected::find(&error).expect("typed");
    assert_eq!(rejected.name(), "s3");
    assert_eq!(rejected.retry_after(), Some(RESET));
    assert_eq!(error.error_type(), None);
    assert_eq!(rig.server.requests(), asked);
}

#[tokio::test]
async fn the_bare_clients_error_holds_the_rejection_too() {
    let rig = rig().await;
    break_it(&rig).await;
    let head = rig.s3.client().head_bucket().bucket("bucket").send().await;
    let error = head.unwrap_err();
    assert!(Rejected::find(&error).is_some(), "in the SdkError");
    let error = aws_sdk_s3::Error::from(error);
    assert!(Rejected::find(&error).is_some(), "in the service's error");
}

#[tokio::test]
async fn probes_close_the_breaker_when_the_server_is_back() {
    let rig = rig().await;
    rig.s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    break_it(&rig).await;
    rig.server.restart().await.unwrap();
    rig.time.advance(RESET);
    rig.s3.head("k").await.unwrap();
    assert_eq!(rig.s3.breaker().state(), State::HalfOpen);
    rig.s3.head("k").await.unwrap();
    rig.s3.head("k").await.unwrap();
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    let object = rig.s3.download("k").await.unwrap().into_bytes().await.unwrap();
    assert_eq!(object, "v", "the data outlived the outage");
}

#[tokio::test]
async fn a_probe_that_fails_opens_the_breaker_again_for_longer() {
    let rig = rig().await;
    break_it(&rig).await;
    rig.time.advance(RESET);
    assert!(rig.s3.head("k").await.unwrap_err().rejected().is_none());
    assert_eq!(rig.s3.breaker().state(), State::Open);
    let wait = rig.s3.breaker().snapshot().retry_after.unwrap();
    assert!(wait > RESET.mul_f64(1.7), "doubled within the jitter: {wait:?}");
}

#[tokio::test]
async fn missing_objects_do_not_move_the_breaker() {
    let rig = rig().await;
    for _ in 0..20 {
        let error = rig.s3.download("missing").await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.error_type(), Some(ErrorType::Client));
    }
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    assert_eq!(rig.s3.get_health().report.score, 100, "S3 is at work");
}

#[tokio::test]
async fn answers_of_the_server_are_classified() {
    let rows = [
        (Fault::SlowDown, ErrorType::Throttling, 1),
        (Fault::InternalError, ErrorType::Server, 1),
        (Fault::Answer { status: 200, code: "InternalError" }, ErrorType::Server, 1),
        (Fault::Answer { status: 400, code: "RequestTimeout" }, ErrorType::Transient, 1),
        (Fault::Answer { status: 403, code: "RequestTimeTooSkewed" }, ErrorType::Client, 0),
        (Fault::Answer { status: 501, code: "NotImplemented" }, ErrorType::Client, 0),
        (Fault::Answer { status: 412, code: "PreconditionFailed" }, ErrorType::Client, 0),
    ];
    for (fault, error_type, trips) in rows {
        let rig = rig_tripping_at_once().await;
        rig.server.inject(fault);
        let copy = s3_service::CopyObject::new("a", "b");
        let error = rig.s3.copy(copy).await.unwrap_err();
        assert_eq!(error.error_type(), Some(error_type), "{fault:?}: {error:?}");
        let state = if trips == 1 { State::Open } else { State::Closed };
        assert_eq!(rig.s3.breaker().state(), state, "{fault:?}");
    }
}

/// An answer that the SDK reads before it returns, unlike a download.
#[tokio::test]
async fn a_listing_that_is_cut_is_a_failure() {
    let rig = rig_tripping_at_once().await;
    rig.server.inject(Fault::CutBody { after: 50 });
    let error = rig.s3.list(List::new()).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Response), "{error:?}");
    assert_eq!(rig.s3.breaker().state(), State::Open);
    assert_eq!(rig.s3.get_health().report.failures, 1);
}

async fn rig_tripping_at_once() -> Rig {
    crate::support::rig_with(|settings| settings.fail_max(1)).await
}
