//! The interceptor inside clients that the service did not make.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata as _};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use circuit_layer::{CircuitBreaker, Rejected, State};
use s3_service::test_server::{Fault, S3Server};
use s3_service::{
    BypassBreaker, ByteTotals, CircuitBreakerInterceptor, ErrorType, InitError, S3, Start, install,
    install_client,
};

use crate::support::{BUCKET, server};

pub(crate) fn breaker(fail_max: u32) -> CircuitBreaker {
    CircuitBreaker::builder("bare").fail_max(fail_max).build().unwrap()
}

fn retrying(server: &S3Server, breaker: &CircuitBreaker) -> Client {
    let retries =
        RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(1));
    Client::from_conf(install(server.config(), breaker).retry_config(retries).build())
}

pub(crate) async fn head(client: &Client) -> Result<(), aws_sdk_s3::Error> {
    client.head_bucket().bucket(BUCKET).send().await?;
    Ok(())
}

#[tokio::test]
async fn retries_stop_when_the_breaker_opens_and_the_caller_gets_s3s_own_last_error() {
    let server = server().await;
    let breaker = breaker(2);
    let client = retrying(&server, &breaker);
    server.inject(Fault::SlowDown);
    let asked = server.requests();
    let got = client.get_object().bucket(BUCKET).key("k").send().await;
    let error = aws_sdk_s3::Error::from(got.unwrap_err());
    assert_eq!(error.code(), Some("SlowDown"));
    assert_eq!(server.requests() - asked, 2, "five attempts were allowed");
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().rejected, 0);
}

#[tokio::test]
async fn every_attempt_is_judged() {
    let server = server().await;
    let breaker = breaker(10);
    let client = retrying(&server, &breaker);
    server.inject(Fault::InternalError);
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Closed);
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Open, "two operations of five attempts");
}

#[tokio::test]
async fn presigning_passes_while_open() {
    let server = server().await;
    let breaker = breaker(1);
    let client = retrying(&server, &breaker);
    client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"v"))
        .send()
        .await
        .unwrap();
    breaker.force_open("test", None);
    let valid = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let signed = client.get_object().bucket(BUCKET).key("k").presigned(valid).await.unwrap();
    assert!(signed.uri().contains("X-Amz-Signature"));
    assert_eq!(breaker.snapshot().rejected, 0);
    let error = head(&client).await.unwrap_err();
    assert!(Rejected::find(&error).is_some(), "while calls are rejected");
}

#[tokio::test]
async fn two_interceptors_count_once() {
    let server = server().await;
    let breaker = breaker(2);
    let totals = Arc::new(ByteTotals::default());
    let interceptor = || {
        let counter = Arc::<ByteTotals>::clone(&totals);
        CircuitBreakerInterceptor::new(breaker.clone()).count_bytes(counter)
    };
    let config = server.config().retry_config(RetryConfig::disabled());
    let config = config.interceptor(interceptor()).interceptor(interceptor()).build();
    let client = Client::from_conf(config);

    let put = client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"hello"));
    put.send().await.unwrap();
    let got = client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "hello");
    assert_eq!((totals.uploaded(), totals.downloaded()), (5, 5));

    server.inject(Fault::InternalError);
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Closed, "one failure is one");
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.state(), State::Open);
    assert!(head(&client).await.is_err());
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[tokio::test]
async fn a_client_is_installed_once_and_keeps_its_connections() {
    let server = server().await;
    let breaker = breaker(1);
    let bare = server.client();
    let client = install_client(&bare, &breaker);
    let again = install_client(&client, &breaker);
    let ours = |client: &Client| {
        let interceptors = client.config().interceptors();
        interceptors.filter(|i| i.name() == CircuitBreakerInterceptor::NAME).count()
    };
    assert_eq!((ours(&bare), ours(&client), ours(&again)), (0, 1, 1));
    head(&bare).await.unwrap();
    let connected = server.connections();
    head(&client).await.unwrap();
    head(&again).await.unwrap();
    assert_eq!(server.connections(), connected);
}

#[tokio::test]
async fn a_service_over_a_users_client_has_one_point_of_admission() {
    let server = server().await;
    let breaker = breaker(1);
    let guarded = install_client(&server.client(), &breaker);

    let settings = S3::builder().bucket(BUCKET).client(guarded.clone());
    let refused = settings.build().await;
    assert!(matches!(refused, Err(InitError::ForeignBreaker)), "{refused:?}");

    let settings = S3::builder().bucket(BUCKET).client(guarded).breaker(breaker.clone());
    let s3 = settings.start(Start::Strict).build().await.unwrap();
    breaker.force_open("test", None);
    assert!(s3.health_check().await.unwrap_err().rejected().is_some());
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[tokio::test]
async fn a_bypass_is_neither_rejected_nor_judged() {
    let server = server().await;
    let breaker = breaker(1);
    let client = retrying(&server, &breaker);
    let bypass = || client.head_bucket().bucket(BUCKET).customize().interceptor(BypassBreaker);
    server.inject(Fault::InternalError);
    assert!(bypass().send().await.is_err());
    assert_eq!(breaker.state(), State::Closed);
    server.clear();
    breaker.force_open("test", None);
    bypass().send().await.unwrap();
}

#[tokio::test]
async fn a_bypass_keeps_its_retries_while_the_breaker_is_open() {
    let server = server().await;
    let breaker = breaker(1);
    let client = retrying(&server, &breaker);
    breaker.force_open("test", None);
    server.inject_times(Fault::SlowDown, 1);
    let asked = server.requests();
    let bypass = client.head_bucket().bucket(BUCKET).customize().interceptor(BypassBreaker);
    bypass.send().await.unwrap();
    assert_eq!(server.requests() - asked, 2);
}

#[tokio::test]
async fn an_attempt_that_was_never_sent_is_ignored() {
    let server = server().await;
    let client = Client::from_conf(server.config().interceptor(Unsignable).build());
    let settings = S3::builder().bucket(BUCKET).client(client).start(Start::Lazy);
    let s3 = settings.fail_max(1).build().await.unwrap();
    let asked = server.requests();
    let error = s3.health_check().await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Other), "{error:?}");
    assert_eq!(server.requests(), asked);
    assert_eq!(s3.breaker().state(), State::Closed);
    assert_eq!(s3.get_health().report.failures, 0);
}

#[derive(Debug)]
struct Unsignable;

impl Intercept for Unsignable {
    fn name(&self) -> &'static str {
        "Unsignable"
    }

    fn modify_before_signing(
        &self,
        _context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Err("no key".into())
    }
}
