//! Breakers for HTTP and gRPC: judged by the response, up to the end of its body.
//!
//! A service that answers `503` has answered; to tower that is a success. And one that answers `200`
//! may still fail: gRPC sends its status in the trailers, and a body can break half-way. So a
//! response is judged in stages, by a classifier of tower-http, and the permit travels in the body
//! until the verdict is known.
//!
//! | what happens | is |
//! | --- | --- |
//! | the classifier fails the headers, or later the trailers | a failure |
//! | the body ends, or is empty | a success |
//! | the body breaks | a failure |
//! | whoever reads the body drops it | nothing |
//! | an inner breaker rejected, as an error or as a response | nothing |
//!
//! The call's time ends at the headers: how long a body takes is up to its reader. A probe settles
//! there too, as a success unless the headers say otherwise, so that a slow reader holds no slot; if
//! the rest fails, that is one failure more.
//!
//! In an axum server, or in front of any other HTTP service:
//!
//! ```
//! use axum::{Router, routing::get};
//! use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, http::unavailable};
//!
//! let breaker = CircuitBreaker::new("search");
//! let app: Router = Router::new()
//!     .route("/search", get(async || "found"))
//!     .layer(CircuitBreakerLayer::new(breaker).http().on_rejected(unavailable));
//! ```
//!
//! gRPC, judged by statuses and classes of your own:
//!
//! ```
//! use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, http::unavailable};
//! use tower_http::classify::{GrpcCode, GrpcErrorsAsFailures};
//!
//! # type Empty = http_body_util::Empty<bytes::Bytes>;
//! # use tower::{Layer, ServiceExt, service_fn};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let classifier = GrpcErrorsAsFailures::new().with_success(GrpcCode::NotFound);
//! let breaker = CircuitBreaker::new("inventory");
//! breaker.force_open("maintenance", None);
//! let layer = CircuitBreakerLayer::new(breaker).http_with(classifier).on_rejected(unavailable);
//!
//! let service = layer.layer(service_fn(async |_: http::Request<Empty>| {
//!     Ok::<_, std::convert::Infallible>(http::Response::new(Empty::new()))
//! }));
//! let request = http::Request::builder().header("content-type", "application/grpc");
//! let Ok(response) = service.oneshot(request.body(Empty::new()).unwrap()).await;
//! assert_eq!(response.headers()["grpc-status"], "14");
//! # }
//! ```

mod body;
mod grpc;
mod rejection;
mod responses;
mod retry_after;

pub use self::body::PermitBody;
pub use self::grpc::{GrpcEnd, GrpcServerErrorsAsFailures};
pub use self::rejection::{grpc_message, grpc_unavailable, retry_after_seconds, unavailable};
pub use self::responses::Responses;
pub use self::retry_after::retry_after;
