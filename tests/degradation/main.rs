//! The degradation layer in real servers: axum over HTTP/1.1 and tonic over HTTP/2, with a breaker
//! that a dependency drives open by dying.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop"
)]

mod classes;
mod dependency;
mod grpc;
mod http;
mod table;
