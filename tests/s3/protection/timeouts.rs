//! Deadlines that pass, and whose fault that was.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_s3::error::{BoxError, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use circuit_layer::{CircuitBreaker, State};
use s3_service::install;
use s3_service::test_server::{Fault, S3Server};

use super::interceptor::{breaker, head};
use crate::support::{BUCKET, server};

fn impatient(server: &S3Server, breaker: &CircuitBreaker) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200));
    let config = install(server.config(), breaker)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build());
    Client::from_conf(config.build())
}

/// A client whose requests are never answered, on a clock that moves when all wait.
fn unanswered(breaker: &CircuitBreaker, timeouts: TimeoutConfig, attempts: u32) -> Client {
    #[derive(Debug)]
    struct Never;
    impl HttpConnector for Never {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }
    let retries = RetryConfig::standard().with_max_attempts(attempts);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url("http://nowhere")
        .force_path_style(true)
        .timeout_config(timeouts)
        .retry_config(retries.with_initial_backoff(Duration::from_millis(1)))
        .http_client(http_client_fn(|_, _| SharedHttpConnector::new(Never)));
    Client::from_conf(install(config, breaker).build())
}

/// One row: the deadlines in milliseconds, the attempts allowed, and the failures that one call is.
async fn check(attempt: Option<u64>, operation: Option<u64>, attempts: u32, failures: u32) {
    let mut timeouts = TimeoutConfig::builder();
    timeouts.set_operation_attempt_timeout(attempt.map(Duration::from_millis));
    timeouts.set_operation_timeout(operation.map(Duration::from_millis));
    for (fail_max, state) in [(failures, State::Open), (failures + 1, State::Closed)] {
        let breaker = breaker(fail_max);
        let client = unanswered(&breaker, timeouts.clone().build(), attempts);
        assert!(head(&client).await.is_err());
        assert_eq!(breaker.state(), state, "{attempt:?} {operation:?} {attempts} {fail_max}");
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_of_every_kind_count_once_for_each_attempt() {
    check(Some(200), None, 1, 1).await;
    check(None, Some(200), 1, 1).await;
    check(Some(200), None, 3, 3).await;
    check(Some(200), Some(10_000), 3, 3).await;
    // The second attempt is cut short by the deadline of the whole: soon after it began that says
    // nothing of S3, and late it does.
    check(Some(200), Some(250), 3, 1).await;
    check(Some(200), Some(350), 3, 2).await;
}

#[tokio::test]
async fn a_read_timeout_counts_once() {
    let server = server().await;
    let breaker = breaker(1);
    let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_millis(200)).build();
    let config = install(server.config(), &breaker).timeout_config(timeouts);
    let client = Client::from_conf(config.retry_config(RetryConfig::disabled()).build());
    server.inject(Fault::Stall);
    assert!(matches!(
        client.head_bucket().bucket(BUCKET).send().await.unwrap_err(),
        SdkError::DispatchFailure(failure) if failure.is_timeout()
    ));
    assert_eq!(breaker.state(), State::Open);
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
