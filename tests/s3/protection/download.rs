//! Downloads that do not end well.

use std::time::Duration;

use circuit_layer::State;
use s3_service::test_server::Fault;
use s3_service::{ErrorType, S3Builder, Upload};

use crate::support::{Rig, rig_with, until};

const SIZE: usize = 1_000_000;

async fn rig() -> Rig {
    let rig = rig_with(|settings| settings.fail_max(1)).await;
    rig.s3.upload(Upload::new("k", vec![7; SIZE])).await.unwrap();
    rig
}

#[tokio::test]
async fn a_body_that_is_cut_is_a_failure() {
    let rig = rig().await;
    rig.server.inject_times(Fault::CutBody { after: 300_000 }, 1);
    let downloaded = rig.s3.download("k").await.unwrap();
    assert_eq!(rig.s3.breaker().state(), State::Closed, "the headers were fine");
    let error = downloaded.into_bytes().await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Body));
    assert_eq!(rig.s3.breaker().state(), State::Open);
    let health = rig.s3.get_health();
    assert_eq!(health.report.failures, 1);
    assert!(health.bytes_downloaded <= 300_000, "{}", health.bytes_downloaded);
}

#[tokio::test]
async fn a_killed_server_fails_the_download_in_flight() {
    // An unoptimised build hashes 32 MB for seconds, and on a busy machine for more.
    let patient = Duration::from_secs(60);
    let settings = |settings: S3Builder| {
        settings.fail_max(1).attempt_timeout(patient).operation_timeout(patient)
    };
    let rig = rig_with(settings).await;
    rig.s3.upload(Upload::new("big", vec![7; SIZE * 32])).await.unwrap();
    let mut downloaded = rig.s3.download("big").await.unwrap();
    let first = downloaded.body.next().await.unwrap().unwrap();
    assert!(!first.is_empty());
    rig.server.kill().await;
    assert!(downloaded.into_bytes().await.is_err());
    assert_eq!(rig.s3.breaker().state(), State::Open);
}

#[tokio::test]
async fn a_body_that_its_reader_drops_is_in_no_count() {
    let rig = rig().await;
    let before = rig.s3.health().requests();
    let mut downloaded = rig.s3.download("k").await.unwrap();
    downloaded.body.next().await.unwrap().unwrap();
    drop(downloaded);
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    assert_eq!(rig.s3.health().requests(), before);
}

#[tokio::test]
async fn a_reader_that_stops_at_the_announced_length_has_read_it_all() {
    let rig = rig().await;
    rig.s3.upload(Upload::new("empty", Vec::new())).await.unwrap();
    let before = rig.s3.health().successes();
    // As an HTTP server does that sends the object on under its own content-length.
    for (key, size) in [("k", SIZE), ("empty", 0)] {
        let mut downloaded = rig.s3.download(key).await.unwrap();
        let mut read = 0;
        while read < size {
            read += downloaded.body.next().await.unwrap().unwrap().len();
        }
        drop(downloaded);
    }
    assert_eq!(rig.s3.health().successes(), before + 2);
}

#[tokio::test]
async fn a_slow_reader_does_not_hold_a_probe() {
    let rig = rig_with(|settings| settings.fail_max(1).half_open_max_attempts(1)).await;
    rig.s3.upload(Upload::new("k", vec![7; SIZE])).await.unwrap();
    rig.server.inject_times(Fault::InternalError, 1);
    assert!(rig.s3.head("k").await.is_err());
    rig.time.advance(crate::support::RESET);
    let unread = rig.s3.download("k").await.unwrap();
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    rig.s3.head("k").await.unwrap();
    drop(unread);
}

#[tokio::test]
async fn a_dropped_call_leaks_no_permit() {
    let rig = rig_with(|settings| settings.fail_max(1).half_open_max_attempts(1)).await;
    rig.server.inject_times(Fault::InternalError, 1);
    assert!(rig.s3.head("k").await.is_err());
    rig.time.advance(crate::support::RESET);

    rig.server.inject_times(Fault::Stall, 1);
    let asked = rig.server.requests();
    let s3 = rig.s3.clone();
    let probe = tokio::spawn(async move { s3.head("k").await });
    until("the probe arrives", || rig.server.requests() > asked).await;
    assert_eq!(rig.s3.breaker().snapshot().probes_in_flight, 1);
    let busy = rig.s3.head("k").await.unwrap_err();
    assert!(busy.rejected().is_some(), "the one slot is taken");

    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert_eq!(rig.s3.breaker().snapshot().probes_in_flight, 0);
    assert!(rig.s3.head("k").await.unwrap_err().is_not_found());
    assert_eq!(rig.s3.breaker().state(), State::Closed);
}
