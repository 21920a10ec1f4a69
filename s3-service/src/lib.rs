//! A circuit breaker for AWS SDK clients, and S3 as a tower service.
//!
//! When S3 slows down or dies, every caller waits out the SDK's timeouts and retries, and the outage
//! spreads. Here a breaker sits inside the SDK client, where it sees each attempt: after a few that
//! failed, calls fail at once, retries stop, and a few probes find out when S3 is back.
//!
//! | to put a breaker into | take |
//! | --- | --- |
//! | any AWS SDK client | [`CircuitBreakerInterceptor`] |
//! | an S3 client of your own | [`install()`], [`install_client`], [`install_per_bucket`] |
//! | a program that reads and writes objects of a bucket | [`S3`], or [`S3Service`] for a tower stack |
//!
//! # A breaker in a client
//! ```
//! # #[cfg(feature = "test-util")]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use circuit_layer::{CircuitBreaker, Rejected};
//!
//! # let store = s3_service::MemoryStore::new("reports");
//! # let config = store.config();
//! let breaker = CircuitBreaker::new("s3");
//! let client = aws_sdk_s3::Client::from_conf(s3_service::install(config, &breaker).build());
//! client.head_bucket().bucket("reports").send().await?;
//!
//! breaker.force_open("S3 is being moved", None);
//! let error = client.head_bucket().bucket("reports").send().await.unwrap_err();
//! assert_eq!(Rejected::find(&error).map(Rejected::name), Some("s3"));
//! # Ok(())
//! # }
//! # #[cfg(feature = "test-util")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # A bucket as a service
//! [`S3`] adds books to the breaker: health, and with the feature `otel` the `s3_*` metrics. What
//! S3 refuses (a missing object, a wrong key) is an answer and no failure; the table is in
//! [`classify`].
//!
//! ```
//! # #[cfg(feature = "test-util")]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use s3_service::{S3, Upload};
//!
//! # let client = s3_service::MemoryStore::new("reports").client();
//! let s3 = S3::builder().bucket("reports").client(client).fail_max(3).build().await?;
//! s3.upload(Upload::new("q1.txt", b"42".to_vec()).content_type("text/plain")).await?;
//! assert_eq!(s3.download("q1.txt").await?.into_bytes().await?, "42");
//! assert!(s3.head("q2.txt").await.unwrap_err().is_not_found());
//! assert_eq!(s3.get_health().report.score, 100);
//! # Ok(())
//! # }
//! # #[cfg(feature = "test-util")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # For those who ask
//! [`S3Builder::spans`], or [`CircuitBreakerInterceptor::spans`] for a client of your own, makes each
//! operation a client span by OpenTelemetry's conventions for the AWS SDK; [`S3Builder::active_probe`]
//! lets an open breaker ask by `HeadBucket` whether S3 is back.
//!
//! # Features
//! * `s3` (default): everything that knows of S3. Without it the interceptor and
//!   [`classify`] remain, for any client of the SDK, in a fifth of the compile time.
//! * `credential-chain`: the SDK's credential chain and HTTPS client, for an [`S3`] that is built
//!   from settings. Without it such a client speaks plain HTTP; a client of your own
//!   ([`S3Builder::client`]) brings whatever it has.
//! * `otel`: metrics.
//! * `spool`: [`spool`](mod@spool), the durable upload queue; on Unix.
//! * `test-util`: `S3::memory()` and `MemoryStore`, S3 in the memory of your tests, without a server.
//! * `test-server`: [`test_server`], an S3 server in the process that can be killed.

pub mod classify;

mod body;
mod error_type;
mod interceptor;

pub use body::{ByteCounter, ByteTotals, Direction, SLICE};
pub use classify::ErrorType;
pub use interceptor::{BypassBreaker, CircuitBreakerInterceptor};

#[cfg(feature = "s3")]
mod active_probe;
#[cfg(feature = "s3")]
mod builder;
#[cfg(feature = "s3")]
mod calls;
#[cfg(feature = "s3")]
mod connect;
#[cfg(feature = "s3")]
mod error;
#[cfg(feature = "s3")]
mod facade;
#[cfg(feature = "s3")]
mod global;
#[cfg(feature = "s3")]
mod http;
#[cfg(feature = "s3")]
mod init;
#[cfg(feature = "s3")]
mod install;
#[cfg(feature = "s3")]
mod ledger;
#[cfg(feature = "test-util")]
mod memory;
#[cfg(feature = "s3")]
mod operation;
#[cfg(feature = "s3")]
mod operations;
#[cfg(feature = "s3")]
mod reader;
#[cfg(feature = "s3")]
mod request;
#[cfg(feature = "s3")]
mod response;
#[cfg(feature = "s3")]
mod service;
#[cfg(feature = "spool")]
pub mod spool;
#[cfg(feature = "s3")]
mod status;
#[cfg(feature = "test-server")]
pub mod test_server;
#[cfg(feature = "s3")]
mod upload;

#[cfg(feature = "test-util")]
pub use memory::MemoryStore;

#[cfg(feature = "s3")]
pub use self::{
    builder::S3Builder,
    error::{Failure, S3Error},
    facade::S3,
    global::{close_s3, get_s3, initialize_s3},
    init::{InitError, Start},
    install::{install, install_client, install_per_bucket, is_installed},
    operation::Operation,
    request::{CopyObject, Download, List, S3Request, Upload},
    response::{Downloaded, ObjectInfo, ObjectSummary, Page, S3Response, Stored, Written},
    service::{ResponseFuture, S3Service},
    status::{Health, Status},
};

#[cfg(feature = "spool")]
pub use self::spool::{EntryId, Spool, SpoolBuilder, SpoolError, SpoolMode, SpoolStatus};
