//! Deadlines that pass, and whose fault that was.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{BoxError, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use circuit_layer::{CircuitBreaker, State};
use s3_service::install;
use s3_service::test_server::{Fault, S3Server};

use crate::interceptor::{breaker, head};
use crate::support::{BUCKET, server};

fn impatient(server: &S3Server, breaker: &CircuitBreaker) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200));
    let config = install(server.config(), breaker)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build());
    Client::from_conf(config.build())
}

#[tokio::test]
async fn an_attempt_timeout_counts_once() {
    let server = server().await;
    let breaker = breaker(2);
    let client = impatient(&server, &breaker);
    server.inject(Fault::Stall);
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Closed, "one timeout is one failure");
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Open);
}

/// Gives one byte of two, and then waits for ever.
struct Stalling(Option<Bytes>);

impl http_body::Body for Stalling {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(2)
    }
}

#[tokio::test]
async fn an_upload_that_waits_for_its_own_source_is_ignored() {
    let server = server().await;
    let breaker = breaker(1);
    let client = impatient(&server, &breaker);
    let body = ByteStream::from_body_1_x(Stalling(Some(Bytes::from_static(b"a"))));
    let put = client.put_object().bucket(BUCKET).key("k").body(body).content_length(2);
    let error = put.send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn an_upload_that_waits_for_the_server_is_a_failure() {
    let server = server().await;
    let breaker = breaker(1);
    let client = impatient(&server, &breaker);
    server.inject(Fault::Stall);
    let body = ByteStream::from(vec![7; 1_000_000]);
    let put = client.put_object().bucket(BUCKET).key("k").body(body);
    let error = put.send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(breaker.state(), State::Open);
}
