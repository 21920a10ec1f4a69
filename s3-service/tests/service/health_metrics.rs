//! The books: calls, scores, latencies, bytes.

use s3_service::{S3, Upload};

use crate::wire::Answer::{Refused, Status};
use crate::wire::{RESET, Wire, service, service_with};

#[tokio::test]
async fn successes_failures_and_rejections_are_counted_apart() {
    let wire = Wire::of([Status(200, ""), Status(500, "")]);
    let (s3, _) = service_with(&wire, |settings| settings.fail_max(2)).await;
    for _ in 0..5 {
        drop(s3.health_check().await);
    }
    let report = s3.get_health().report;
    assert_eq!((report.successes, report.failures, report.rejected), (1, 2, 2));
    assert_eq!(wire.requests(), 3, "a rejection is no request");
}

#[tokio::test]
async fn what_s3_refuses_is_no_failure_of_s3() {
    let (s3, _) = service(&Wire::of([Status(403, "AccessDenied")])).await;
    for _ in 0..10 {
        assert!(s3.head("k").await.is_err());
    }
    let report = s3.get_health().report;
    assert_eq!((report.successes, report.failures, report.score), (10, 0, 100));
}

#[tokio::test]
async fn the_score_is_the_share_of_successes_and_capped_by_the_state() {
    let wire = Wire::of([Status(200, "")]);
    let (s3, time) = service_with(&wire, |settings| settings.fail_max(2)).await;
    assert_eq!(s3.get_health().report.score, 100, "no calls are no trouble");
    for _ in 0..3 {
        s3.health_check().await.unwrap();
    }
    wire.then([Refused]);
    assert!(s3.health_check().await.is_err());
    assert_eq!(s3.get_health().report.score, 75);
    assert!(s3.health_check().await.is_err());
    assert_eq!(s3.get_health().report.score, 0, "open");
    wire.then([Status(200, "")]);
    time.advance(RESET);
    s3.health_check().await.unwrap();
    assert_eq!(s3.get_health().report.score, 50, "half-open");
}

#[tokio::test]
async fn the_last_operations_are_listed_newest_first() {
    let s3 = S3::memory();
    s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    s3.delete("k").await.unwrap();
    assert!(s3.head("k").await.is_err());
    let names = s3.get_health().report.recent.into_iter().map(|call| call.operation);
    assert_eq!(names.collect::<Vec<_>>(), ["head", "delete", "upload"]);
}

#[tokio::test]
async fn bytes_are_counted_both_ways() {
    let s3 = S3::memory();
    s3.upload(Upload::new("k", vec![7; 100_000])).await.unwrap();
    s3.download("k").await.unwrap().into_bytes().await.unwrap();
    let health = s3.get_health();
    assert_eq!((health.bytes_uploaded, health.bytes_downloaded), (100_000, 100_000));
}

#[tokio::test]
async fn a_download_that_nobody_finishes_is_in_no_count() {
    let s3 = S3::memory();
    s3.upload(Upload::new("k", vec![7; 100_000])).await.unwrap();
    let before = s3.get_health().report.successes;
    drop(s3.download("k").await.unwrap());
    assert_eq!(s3.get_health().report.successes, before);
}
