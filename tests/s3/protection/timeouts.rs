//! Deadlines that pass: each is one failure for each attempt that it ends.

use std::net::Ipv4Addr;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use circuit_layer::{CircuitBreaker, State};
use s3_service::test_server::{Fault, S3Server};
use s3_service::{ErrorType, S3, Start, install};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::interceptor::{breaker, head};
use crate::support::{BUCKET, server};

const SOON: Duration = Duration::from_millis(200);

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

/// Two calls that are late: which error of the SDK each is, and what is made of it.
async fn late(s3: &S3, is_the_connectors: bool) {
    for (failures, state) in [(1, State::Closed), (2, State::Open)] {
        let error = s3.health_check().await.unwrap_err();
        assert_eq!(error.error_type(), Some(ErrorType::Timeout), "{error:?}");
        let source = std::error::Error::source(&error).expect("the SDK's own");
        let is_late = match source.downcast_ref::<SdkError<HeadBucketError>>() {
            Some(SdkError::DispatchFailure(failure)) => is_the_connectors && failure.is_timeout(),
            Some(SdkError::TimeoutError(_)) => !is_the_connectors,
            Some(_) | None => false,
        };
        assert!(is_late, "{error:?}");
        assert_eq!(s3.breaker().state(), state, "one deadline is one failure");
        assert_eq!(s3.get_health().report.failures, failures);
    }
}

/// A service that trips at the second failure.
async fn impatient(server: &S3Server, timeouts: TimeoutConfigBuilder) -> S3 {
    let retries = RetryConfig::disabled();
    let config = server.config().retry_config(retries).timeout_config(timeouts.build());
    let settings = S3::builder().bucket(BUCKET).client(Client::from_conf(config.build()));
    settings.fail_max(2).start(Start::Lazy).build().await.unwrap()
}

#[tokio::test]
async fn a_server_that_does_not_answer_counts_once_whichever_deadline_passes() {
    let server = server().await;
    server.inject(Fault::Stall);
    let timeouts = TimeoutConfig::builder;
    late(&impatient(&server, timeouts().read_timeout(SOON)).await, true).await;
    late(&impatient(&server, timeouts().operation_attempt_timeout(SOON)).await, false).await;
    late(&impatient(&server, timeouts().operation_timeout(SOON)).await, false).await;
}

/// A port that takes no more connections: nobody accepts those that wait, and their queue is full.
async fn full() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = tokio::time::timeout(SOON, TcpStream::connect(address)).await {
        waiting.push(connected.unwrap());
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_counts_once() {
    let (listener, _waiting) = full().await;
    let settings = S3::builder()
        .bucket(BUCKET)
        .endpoint(format!("http://{}", listener.local_addr().unwrap()))
        .credentials("key", "secret")
        .connect_timeout(SOON)
        .attempt_timeout(Duration::from_secs(60))
        .operation_timeout(Duration::from_secs(60));
    let settings = settings.max_attempts(1).fail_max(2).start(Start::Lazy);
    late(&settings.build().await.unwrap(), true).await;
}
