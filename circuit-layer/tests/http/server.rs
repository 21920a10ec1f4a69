//! A real axum server behind a breaker.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use circuit_layer::http::unavailable;
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Clock, ManualClock, State};
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceExt};

use crate::support::MINUTE;

fn two_failures() -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    (CircuitBreaker::builder("app").fail_max(2).clock(clock).build().unwrap(), hand)
}

/// One line, no error handler.
fn app(breaker: &CircuitBreaker) -> Router {
    Router::new()
        .route("/ok", get(async || "fine"))
        .route("/fail", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/long", get(long))
        .layer(CircuitBreakerLayer::new(breaker.clone()).http().on_rejected(unavailable))
}

/// As a proxy answers: a length in the headers, and a stream that does not know it.
async fn long() -> Response<Body> {
    let frames = ["abc", "def"]
        .map(|text| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(text))));
    let body = Body::new(StreamBody::new(stream::iter(frames)));
    Response::builder().header("content-length", "6").body(body).unwrap()
}

async fn ask(app: &Router, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

#[tokio::test]
async fn a_router_behind_a_breaker_answers_503_while_it_is_open() {
    let (breaker, hand) = two_failures();
    let app = app(&breaker);
    assert_eq!(ask(&app, "/ok").await, 200);
    assert_eq!(ask(&app, "/fail").await, 500);
    assert_eq!(ask(&app, "/ok").await, 200);
    assert_eq!(ask(&app, "/fail").await, 500);
    assert_eq!(breaker.state(), State::Closed, "never two in a row");
    assert_eq!(ask(&app, "/fail").await, 500);
    assert_eq!(ask(&app, "/ok").await, 503);
    hand.advance(MINUTE);
    for _ in 0..3 {
        assert_eq!(ask(&app, "/ok").await, 200);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn a_layer_applied_again_for_each_request_is_one_breaker() {
    let (breaker, _) = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone()).http().on_rejected(unavailable);
    let route = Router::new().route("/fail", get(async || StatusCode::BAD_GATEWAY));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let request = Request::get("/fail").body(Body::empty()).unwrap();
        let response = layer.layer(route.clone()).oneshot(request).await.unwrap();
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [502, 502, 503]);
    let routes = Router::new()
        .route("/a", get(async || "a").layer(layer.clone()))
        .route("/b", get(async || "b").layer(layer));
    assert_eq!(ask(&routes, "/a").await, 503);
    assert_eq!(ask(&routes, "/b").await, 503);
}

#[tokio::test]
async fn over_a_socket_whole_answers_are_successes_and_rejections_say_when_to_retry() {
    let (breaker, _) = two_failures();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, app(&breaker)).into_future());
    let get = async |path: &str| {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    for success in ["/long", "/ok"] {
        assert!(get("/fail").await.starts_with("HTTP/1.1 500"));
        assert!(get(success).await.starts_with("HTTP/1.1 200"));
        assert_eq!(breaker.state(), State::Closed, "{success} ended the run of failures");
    }
    get("/fail").await;
    get("/fail").await;
    let rejected = get("/ok").await;
    assert!(rejected.starts_with("HTTP/1.1 503"), "{rejected}");
    assert!(rejected.contains("\r\nretry-after: 60\r\n"), "{rejected}");
    server.abort();
}
