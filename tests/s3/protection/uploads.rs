//! Uploads that do not get on, and whose fault that was.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use circuit_layer::{CircuitBreaker, State};
use s3_service::test_server::{Fault, S3Server};
use s3_service::{ErrorType, Upload, install};

use super::interceptor::breaker;
use crate::support::{BUCKET, Frames, Then, rig_with, server};

/// A body that announces one byte more than it gives.
fn short(given: impl Into<Bytes>, then: Then) -> ByteStream {
    Frames::of([given.into()]).missing(1).then(then)
}

/// Puts `body` with a client that `change` makes impatient.
async fn put(
    server: &S3Server,
    breaker: &CircuitBreaker,
    body: ByteStream,
    change: impl FnOnce(Builder) -> Builder,
) -> SdkError<PutObjectError> {
    let config = change(install(server.config(), breaker).retry_config(RetryConfig::disabled()));
    let put = Client::from_conf(config.build()).put_object().bucket(BUCKET).key("k");
    put.body(body).send().await.unwrap_err()
}

fn attempts_of_200_ms(config: Builder) -> Builder {
    let timeout = Duration::from_millis(200);
    config.timeout_config(TimeoutConfig::builder().operation_attempt_timeout(timeout).build())
}

/// The SDK's stalled stream protection; the deadline is for where that sees no reason to act.
fn a_grace_of_one_second(config: Builder) -> Builder {
    let grace = StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(1));
    let timeout = Duration::from_secs(20);
    config
        .stalled_stream_protection(grace.build())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(timeout).build())
}

#[tokio::test]
async fn an_upload_that_waits_for_its_own_source_is_ignored() {
    let server = server().await;
    for change in [attempts_of_200_ms, a_grace_of_one_second] {
        let breaker = breaker(1);
        let error = put(&server, &breaker, short("a", Then::Wait), change).await;
        let is_late = matches!(&error, SdkError::DispatchFailure(failure) if failure.is_timeout());
        assert!(is_late || matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test]
async fn an_upload_that_waits_for_the_servers_answer_is_a_failure() {
    let server = server().await;
    let breaker = breaker(1);
    server.inject(Fault::Stall);
    let body = ByteStream::from(vec![7; 1_000_000]);
    let error = put(&server, &breaker, body, attempts_of_200_ms).await;
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(breaker.state(), State::Open);
}

/// More than the buffers between the two hold, so that the source is not the one that is waited for.
#[tokio::test]
async fn an_upload_that_the_server_stops_reading_is_a_failure() {
    let server = server().await;
    let breaker = breaker(1);
    server.inject(Fault::Stall);
    let body = short(vec![7; 32 << 20], Then::Wait);
    let error = put(&server, &breaker, body, a_grace_of_one_second).await;
    let SdkError::DispatchFailure(failure) = &error else { panic!("{error:?}") };
    assert!(failure.is_timeout(), "the protection's own error: {error:?}");
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().rejected, 0);
}

#[tokio::test]
async fn an_upload_whose_source_breaks_on_the_way_is_the_callers_and_ignored() {
    let rig = rig_with(|settings| settings.fail_max(1)).await;
    let body = short("a", Then::Break);
    let error = rig.s3.upload(Upload::new("k", body)).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Client), "{error:?}");
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    assert_eq!(rig.s3.get_health().report.failures, 0);
    assert!(rig.s3.head("k").await.unwrap_err().is_not_found());
}
