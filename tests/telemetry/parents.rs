//! The spans of the clients below those of the servers that need them.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use redis_service::{Memory, Redis};
use s3_service::{MemoryStore, S3, Upload};
use tests::spans::Spans;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tower::ServiceExt;
use tracing::{Instrument, info_span};

/// A service with one route, which asks Redis and S3.
async fn app() -> Router {
    let redis = Redis::builder().memory(&Memory::new()).spans().connect().await.unwrap();
    let client = MemoryStore::new("reports").client();
    let s3 = S3::builder().bucket("reports").client(client).spans().build().await.unwrap();
    Router::new().route("/report", get(report)).with_state((redis, s3))
}

async fn report(State((redis, s3)): State<(Redis, S3)>) -> Result<(), Infallible> {
    redis.set("k", "v").await.unwrap();
    s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    Ok(())
}

/// Both calls are children of the one span of this name.
fn assert_both_below(spans: &Spans, server: &str) {
    let all = spans.all();
    let parent = all.iter().position(|span| span.name == server);
    assert!(parent.is_some(), "{all:?}");
    for (name, operation) in [("redis.call", "SET"), ("aws.call", "S3.PutObject")] {
        let [call] = spans.named(name).try_into().unwrap();
        assert_eq!((call.field("otel.name"), call.parent), (Some(operation), parent));
        assert!(call.closed);
    }
}

#[tokio::test]
async fn the_calls_of_an_axum_handler_are_children_of_the_requests_span() {
    let app = app().await.layer(from_fn(async |request: Request, next: Next| {
        next.run(request).instrument(info_span!("http request")).await
    }));
    let (spans, _listening) = Spans::listen();
    let request = http::Request::get("/report").body(axum::body::Body::empty()).unwrap();
    assert!(app.oneshot(request).await.unwrap().status().is_success());
    assert_both_below(&spans, "http request");
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .trace_fn(|_| info_span!("grpc request"))
        .add_routes(Routes::from(app))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    address
}

#[tokio::test]
async fn the_calls_of_a_tonic_handler_are_children_of_the_requests_span() {
    let address = serve(app().await).await;
    let (spans, _listening) = Spans::listen();
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let request = http::Request::get(format!("http://{address}/report")).body(Body::empty());
    let answer = channel.oneshot(request.unwrap()).await.unwrap();
    assert!(answer.status().is_success());
    assert_both_below(&spans, "grpc request");
}
