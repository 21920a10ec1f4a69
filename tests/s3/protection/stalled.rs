//! Downloads of which headers and first bytes arrive, and then nothing.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::StalledStreamProtectionConfig;
use circuit_layer::Clock;
use s3_service::test_server::Fault;
use s3_service::{ErrorType, S3, S3Builder, S3Error, Upload};

use crate::support::{Rig, rig_with};

const SIZE: usize = 1_000_000;
const ARRIVES: u64 = 300_000;

/// Every download of `k` stalls.
async fn stalling(change: impl FnOnce(S3Builder) -> S3Builder) -> Rig {
    let rig = rig_with(change).await;
    rig.s3.upload(Upload::new("k", vec![7; SIZE])).await.unwrap();
    rig.server.inject(Fault::StallBody { after: ARRIVES });
    rig
}

/// Reads until there is an error: how long that took, and what it was.
async fn read(s3: &S3) -> (Duration, S3Error) {
    let object = s3.download("k").await.unwrap();
    assert_eq!(object.info.size, u64::try_from(SIZE).unwrap(), "the headers were fine");
    assert_eq!(s3.breaker().snapshot().counts.failed, 0);
    #[expect(clippy::disallowed_methods, reason = "what a reader's watch says is the claim")]
    let began = Instant::now();
    let error = object.into_bytes().await.unwrap_err();
    #[expect(clippy::disallowed_methods, reason = "what a reader's watch says is the claim")]
    let took = began.elapsed();
    (took, error)
}

fn assert_is_stall(error: &S3Error) {
    assert_eq!(error.error_type(), Some(ErrorType::Body));
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        said = format!("{said}: {error}");
        source = error.source();
    }
    assert!(said.contains("minimum throughput"), "{said}");
}

fn assert_counted_once(s3: &S3) {
    let health = s3.get_health();
    assert_eq!(health.report.failures, 1, "{health:?}");
    assert_eq!(health.bytes_downloaded, ARRIVES);
    assert_eq!(s3.breaker().snapshot().counts.failed, 1);
}

#[tokio::test]
async fn a_stalled_body_is_an_error_after_the_grace_of_the_sdk_and_counts_once() {
    let rig = stalling(|settings| settings.clock(Clock::default())).await;
    let (took, error) = read(&rig.s3).await;
    assert_is_stall(&error);
    assert!((5..15).contains(&took.as_secs()), "{took:?}");
    assert_counted_once(&rig.s3);
}

#[tokio::test]
async fn a_shorter_grace_of_the_users_own_client_is_kept_and_counts_once_too() {
    let rig = stalling(|settings| settings).await;
    let grace = StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(1));
    let config = rig.server.config().stalled_stream_protection(grace.build());
    let client = Client::from_conf(config.build());
    let s3 = S3::builder().bucket(rig.s3.bucket()).client(client);
    let s3 = s3.start(s3_service::Start::Lazy).build().await.unwrap();
    let (took, error) = read(&s3).await;
    assert_is_stall(&error);
    assert!((1..5).contains(&took.as_secs()), "{took:?}");
    assert_counted_once(&s3);
}

/// Whose patience ends after `waited`.
async fn abandoned(waited: Duration) -> Rig {
    let rig = stalling(|settings| settings).await;
    let mut object = rig.s3.download("k").await.unwrap();
    let mut left = ARRIVES;
    while left > 0 {
        left -= u64::try_from(object.body.next().await.unwrap().unwrap().len()).unwrap();
    }
    assert!(tokio::time::timeout(Duration::ZERO, object.body.next()).await.is_err());
    rig.time.advance(waited);
    drop(object);
    rig
}

#[tokio::test]
async fn a_reader_that_leaves_after_a_long_silence_counts_once() {
    let rig = abandoned(Duration::from_secs(5)).await;
    assert_counted_once(&rig.s3);
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_in_no_count() {
    let rig = abandoned(Duration::from_secs(4)).await;
    assert_eq!(rig.s3.get_health().report.failures, 0);
    assert_eq!(rig.s3.breaker().snapshot().counts.failed, 0);
}
