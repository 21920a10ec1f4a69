//! S3 in the memory of the process, for tests of the code that uses it.
//!
//! A test that needs a server is a test that is not run, and a mock of [`S3`] answers what its
//! author believes of S3. [`S3::memory`] is the real service on the real SDK client, with breaker,
//! books, signatures and all; only where the client would connect, the request goes to a store in
//! the process that speaks the protocol (by s3s, which checks the signatures too). No port is
//! opened, and nothing is written to a disk.
//!
//! ```
//! use s3_service::{S3, Upload};
//!
//! # async fn run() -> Result<(), s3_service::S3Error> {
//! let s3 = S3::memory();
//! s3.upload(Upload::new("k", b"v".to_vec())).await?;
//! assert_eq!(s3.download("k").await?.into_bytes().await?, "v");
//! assert!(s3.head("missing").await.unwrap_err().is_not_found());
//!
//! s3.breaker().force_open("an outage, as far as this test is concerned", None);
//! assert!(s3.head("k").await.unwrap_err().rejected().is_some());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # What it is not
//! Two things of S3 are missing here: versions, and everything that is not an object (policies,
//! life cycles, locks), which answers 501. Entity tags are not MD5 sums, and times of writing are
//! made up: each write is a second later than the one before. For faults on the wire there is
//! the `test_server`.

#![expect(
    clippy::significant_drop_tightening,
    reason = "each request holds the one lock to its end: nobody measures a store for tests"
)]

mod api;
mod connector;
mod list;
mod multipart;
mod store;

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region, SharedHttpClient};

use crate::builder::S3Builder;
use crate::facade::S3;
use store::Store;

const KEY: &str = "memory";

/// Buckets and objects in memory, and clients of them.
///
/// # Clone
/// Clones share the buckets.
///
/// ```
/// use s3_service::{MemoryStore, S3, Start};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new("reports");
/// let settings = S3::builder().bucket("reports").client(store.client());
/// let s3 = settings.fail_max(1).start(Start::Strict).build().await?;
/// assert_eq!(s3.bucket(), "reports");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    store: Arc<Mutex<Store>>,
}

impl MemoryStore {
    /// A store with one empty bucket. More come by `CreateBucket`.
    #[must_use]
    pub fn new(bucket: &str) -> Self {
        Self { store: Arc::new(Mutex::new(Store::with_bucket(bucket))) }
    }

    /// A client of it without a breaker.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// The configuration of a client of it, to add to.
    #[must_use]
    pub fn config(&self) -> Builder {
        Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(Credentials::new(KEY, KEY, None, None, KEY))
            .region(Region::new("us-east-1"))
            .endpoint_url("http://memory")
            .force_path_style(true)
            .http_client(self.http_client())
    }

    /// What takes the place of the network, for a client of your own; unsigned requests pass.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        connector::connect(api::Api::new(Arc::clone(&self.store)))
    }
}

impl S3 {
    /// A service with its defaults on an empty bucket in memory, named `memory`.
    ///
    /// # Panics
    /// It does not: the defaults of the builder keep every rule of it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the defaults of the builder keep every rule of it")]
    pub fn memory() -> Self {
        let client = MemoryStore::new(KEY).client();
        let inner = S3Builder::default().bucket(KEY).client(client).assemble();
        Self { inner: Arc::new(inner.expect("the defaults are valid")) }
    }
}
