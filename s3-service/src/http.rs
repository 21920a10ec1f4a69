//! The HTTP client of a client that the builder makes.
//!
//! TLS doubles what this crate costs to compile, and whoever talks to AWS has a client of their own
//! to hand over. So the builder speaks plain HTTP, which `MinIO`, Garage and test servers behind a
//! private network take, unless the feature `credential-chain` brings the SDK's HTTPS client.

use aws_sdk_s3::config::SharedHttpClient;

/// A client without TLS. `build_http` is hidden from the SDK's documentation, which would rather
/// see TLS everywhere; should it go, this line stops compiling and nothing else changes.
pub(crate) fn plain() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}
