//! The interceptor in a client of another AWS service, which speaks another protocol.

use std::time::Duration;

use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use circuit_layer::{CircuitBreaker, Rejected, State};
use s3_service::CircuitBreakerInterceptor;
use s3_service::test_server::{Fault, S3Server};
use tests::spans::{Fields, Spans};

use super::interceptor::breaker;
use crate::support::server;

fn sts(server: &S3Server, breaker: &CircuitBreaker) -> Client {
    client(server, CircuitBreakerInterceptor::new(breaker.clone()))
}

fn client(server: &S3Server, interceptor: CircuitBreakerInterceptor) -> Client {
    let retries = RetryConfig::standard().with_max_attempts(5);
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .retry_config(retries.with_initial_backoff(Duration::from_millis(1)))
        .interceptor(interceptor);
    let s3 = server.config().build();
    Client::from_conf(config.http_client(s3.http_client().unwrap()).build())
}

#[tokio::test]
async fn the_breaker_of_another_service_judges_stops_retries_and_rejects_alike() {
    let server = server().await;
    let breaker = breaker(2);
    let client = sts(&server, &breaker);
    let asked = server.requests();

    server.inject(Fault::Answer { status: 503, code: "ServiceUnavailable" });
    let error = client.get_caller_identity().send().await.unwrap_err();
    let answer = error.raw_response().expect("the service's own last answer");
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(server.requests() - asked, 2, "five attempts were allowed");
    assert_eq!(breaker.state(), State::Open);

    let error = client.get_caller_identity().send().await.unwrap_err();
    assert_eq!(Rejected::find(&error).expect("typed").name(), "bare");
    assert_eq!(server.requests() - asked, 2);
}

#[tokio::test]
async fn what_another_service_refuses_is_an_answer() {
    let server = server().await;
    let breaker = breaker(1);
    let client = sts(&server, &breaker);
    server.inject(Fault::Answer { status: 403, code: "AccessDenied" });
    assert!(client.get_caller_identity().send().await.is_err());
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn an_operation_of_another_service_is_a_span_under_that_services_name() {
    let server = server().await;
    let client = client(&server, CircuitBreakerInterceptor::new(breaker(5)).spans());
    let (spans, _listening) = Spans::listen();
    server.inject(Fault::Answer { status: 403, code: "AccessDenied" });
    client.get_caller_identity().send().await.unwrap_err();
    let [span] = spans.named("aws.call").try_into().unwrap();
    let expected: Fields = [
        ("otel.name", "STS.GetCallerIdentity"),
        ("otel.kind", "client"),
        ("otel.status_code", "ERROR"),
        ("rpc.system", "aws-api"),
        ("rpc.service", "STS"),
        ("rpc.method", "GetCallerIdentity"),
        ("http.response.status_code", "403"),
        ("error.type", "AccessDenied"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    assert_eq!((span.fields, span.closed), (expected, true));
}
