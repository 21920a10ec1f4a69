//! What a rejected client reads.

use std::convert::Infallible;
use std::time::Duration;

use circuit_layer::http::unavailable;
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Clock, Rejected, State};
use http::{Request, Response, StatusCode};
use http_body::Body;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{MINUTE, SECOND, Script, breaker, script, tripped};

async fn rejected(breaker: &CircuitBreaker, content_type: &str) -> Response<impl Body> {
    let layer = CircuitBreakerLayer::new(breaker.clone()).http().on_rejected(unavailable);
    let service = layer
        .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(script([])))));
    let request = Request::builder().header("content-type", content_type).body(()).unwrap();
    service.oneshot(request).await.unwrap()
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn http_gets_503_with_the_wait_in_whole_seconds_rounded_up() {
    let ms = Duration::from_millis(1);
    for (gone, expected) in [
        (Duration::ZERO, "60"),
        (ms, "60"),
        (SECOND, "59"),
        (MINUTE - ms * 1500, "2"),
        (MINUTE - ms, "1"),
    ] {
        let (breaker, hand) = breaker();
        breaker.try_acquire().unwrap().failure("x");
        hand.advance(gone);
        let response = rejected(&breaker, "application/json").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&response, "retry-after"), Some(expected), "after {gone:?}");
        assert!(header(&response, "grpc-status").is_none());
    }
}

#[tokio::test]
async fn a_wait_that_nobody_knows_is_not_told() {
    let (busy, _) = tripped(1);
    let probe = busy.try_acquire().unwrap();
    let (forced, _) = breaker();
    forced.force_open("maintenance", None);
    for breaker in [busy, forced] {
        let response = rejected(&breaker, "text/plain").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&response, "retry-after"), None);
        let response = rejected(&breaker, "application/grpc").await;
        assert_eq!(header(&response, "grpc-status"), Some("14"));
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), None);
    }
    drop(probe);
}

#[tokio::test]
async fn grpc_gets_unavailable_in_the_headers() {
    for content_type in ["application/grpc", "application/grpc+proto", "Application/GRPC; x=y"] {
        let (clock, hand) = Clock::manual();
        let breaker =
            CircuitBreaker::builder("100 % süß").fail_max(1).clock(clock).build().unwrap();
        breaker.try_acquire().unwrap().failure("x");
        hand.advance(Duration::from_micros(500));
        let response = rejected(&breaker, content_type).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), Some("application/grpc"));
        assert_eq!(header(&response, "grpc-status"), Some("14"));
        let message = header(&response, "grpc-message").unwrap();
        let expected = "circuit breaker `100 %25 s%C3%BC%C3%9F` is open";
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(header(&response, "grpc-retry-pushback-ms"), Some("60000"));
        assert_eq!(header(&response, "retry-after"), None);
    }
}

#[tokio::test]
async fn grpc_web_and_lookalikes_get_http() {
    for content_type in ["application/grpc-web", "application/grpcx", "application/grp"] {
        let (breaker, _) = breaker();
        breaker.force_open("maintenance", None);
        let response = rejected(&breaker, content_type).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{content_type}");
    }
}

#[tokio::test]
async fn a_rejected_call_can_be_answered_by_a_response_or_by_an_error_of_the_service() {
    let (breaker, _) = breaker();
    breaker.force_open("maintenance", None);
    let inner = service_fn(async |n: u32| Ok::<u32, String>(n));
    let layer = CircuitBreakerLayer::new(breaker)
        .classify(|_: &Result<u32, std::io::Error>| circuit_layer::Outcome::Success);
    let service = layer
        .on_rejected(
            |rejected: Rejected, n: u32| {
                if n == 0 { Err(std::io::Error::other(rejected)) } else { Ok(n * 100) }
            },
        )
        .layer(inner.map_err(std::io::Error::other));
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 700);
    let error = service.oneshot(0).await.unwrap_err();
    assert_eq!(Rejected::find(&error).unwrap().state(), State::Open);
}

#[tokio::test]
async fn a_call_that_was_never_readied_is_answered_too() {
    use tower::Service;
    let (breaker, _) = breaker();
    let mut service = CircuitBreakerLayer::new(breaker.clone())
        .on_rejected(|rejected: Rejected, ()| Ok(rejected.reason()))
        .layer(service_fn(async |()| Err::<circuit_layer::Reason, _>(std::io::Error::other("no"))));
    assert_eq!(service.call(()).await.unwrap(), circuit_layer::Reason::NotReady);
    assert!(service.ready().await.unwrap().call(()).await.is_err());
    assert_eq!(breaker.state(), State::Open);
    let open = service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!(open, circuit_layer::Reason::Open);
}

#[test]
fn a_rejection_converts_into_a_response_by_itself() {
    let (breaker, _) = breaker();
    breaker.force_open("maintenance", Some(SECOND * 30));
    let response: Response<Script> = breaker.try_acquire().unwrap_err().into();
    assert_eq!(header(&response, "retry-after"), Some("30"));
}
