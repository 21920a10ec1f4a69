//! Whether a service has to find S3 to start, and why it did not.

use circuit_layer::ConfigError;

use crate::error::S3Error;

/// Whether S3 has to be there for the service to start.
#[expect(clippy::exhaustive_enums, reason = "it has, or it has not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The bucket is checked with `HeadBucket`; no service without an answer.
    #[default]
    Strict,
    /// The service starts, whatever S3 does.
    Lazy,
}

/// The error of [`S3Builder::build`](crate::S3Builder::build) and of the process-wide instance.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// No bucket was named.
    #[error("a bucket is required")]
    MissingBucket,
    /// No way to sign requests.
    #[error(
        "no credentials: give an access key and its secret, a client of your own, or enable the \
         feature `credential-chain`"
    )]
    MissingCredentials,
    /// The client that the builder makes can not speak TLS.
    #[error(
        "the endpoint is not plain http: give a client of your own, or enable the feature \
         `credential-chain`"
    )]
    NoTls,
    /// The user's client has a breaker already, and the builder was not given it.
    #[error("the client has a circuit breaker already: give that breaker too, or a client without")]
    ForeignBreaker,
    /// A setting of the breaker is out of range.
    #[error("the circuit breaker can not be built")]
    Breaker(#[from] ConfigError),
    /// The instruments can not be made.
    #[cfg(feature = "otel")]
    #[error("the metrics can not be recorded")]
    Metrics(#[from] circuit_layer::metrics::RecorderError),
    /// The folder of the upload queue can not be used.
    #[cfg(feature = "spool")]
    #[error("the upload queue can not be opened")]
    Spool(#[from] crate::SpoolError),
    /// S3 did not answer for the bucket, or refused it.
    #[error("bucket `{bucket}` can not be used")]
    Bucket {
        /// The bucket.
        bucket: String,
        /// What happened.
        source: S3Error,
    },
    /// There is a process-wide instance already.
    #[error("S3 is initialized already: close it first")]
    AlreadyInitialized,
    /// There is no process-wide instance.
    #[error("S3 is not initialized")]
    NotInitialized,
}
