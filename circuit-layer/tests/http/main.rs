//! HTTP and gRPC behind a breaker: what counts, when it counts, and what a rejected client reads.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod body;
mod grpc;
mod half_open;
#[cfg(feature = "otel")]
mod metrics;
mod rejection;
mod retry_after;
mod server;
mod status;
mod support;
mod time;
