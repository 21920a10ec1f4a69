//! The typed facade: one method per operation.

use std::future::Future;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use circuit_layer::{CircuitBreaker, HealthMetrics};

use crate::builder::S3Builder;
use crate::error::S3Error;
use crate::operation::Operation;
use crate::request::{CopyObject, Download, List, Upload};
use crate::response::{Downloaded, ObjectInfo, Page, Stored, Written};
use crate::service::{Inner, S3Service};
use crate::status::{Health, Status};

/// One bucket, behind a circuit breaker.
///
/// # Errors
/// Every operation answers with [`S3Error`]: at once with a rejection while the breaker is open,
/// else with what S3, or the way to it, had to say after the SDK's retries. With an upload queue
/// (`S3Builder::spool`), writes are queued in both cases, and reads of their keys served from it.
///
/// # Cancellation
/// A call that is dropped gives its permit back and is in no metric, unless S3 has kept it waiting for the
/// breaker's `abandoned_after`: then it is a failure in both, of `timeout`.
///
/// # Clone
/// Cheap; clones share client, breaker and books.
///
/// ```no_run
/// use s3_service::{S3, Upload};
///
/// # async fn store() -> Result<(), Box<dyn std::error::Error>> {
/// let s3 = S3::builder()
///     .bucket("reports")
///     .endpoint("http://127.0.0.1:9000")
///     .credentials("key", "secret")
///     .build()
///     .await?;
/// s3.upload(Upload::new("2024/q1.txt", b"42".to_vec()).content_type("text/plain")).await?;
/// let report = s3.download("2024/q1.txt").await?.into_bytes().await?;
/// assert_eq!(&report[..], b"42");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct S3 {
    pub(crate) inner: Arc<Inner>,
}

#[expect(clippy::missing_errors_doc, reason = "all operations fail alike, as the type tells")]
impl S3 {
    /// Starts with the defaults.
    pub fn builder() -> S3Builder {
        S3Builder::default()
    }

    /// Stores an object.
    pub async fn upload(&self, upload: Upload) -> Result<Written, S3Error> {
        self.inner.upload(upload).await
    }

    /// Reads an object as a stream.
    pub async fn download(&self, download: impl Into<Download>) -> Result<Downloaded, S3Error> {
        self.inner.download(download.into()).await
    }

    /// Removes an object; one that is not there is removed too.
    pub async fn delete(&self, key: impl Into<String>) -> Result<Written, S3Error> {
        self.inner.delete(key.into()).await
    }

    /// One page of keys.
    pub async fn list(&self, list: List) -> Result<Page, S3Error> {
        self.inner.booked(Operation::List, self.inner.target.list(list)).await
    }

    /// An object's properties.
    pub async fn head(&self, key: impl Into<String>) -> Result<ObjectInfo, S3Error> {
        self.inner.head(key.into()).await
    }

    /// Copies an object within S3.
    pub async fn copy(&self, copy: CopyObject) -> Result<Stored, S3Error> {
        self.inner.copy(copy).await
    }

    /// Whether the bucket is there and lets us in: `HeadBucket`.
    pub async fn health_check(&self) -> Result<(), S3Error> {
        self.inner.booked(Operation::HealthCheck, self.inner.target.health_check()).await
    }

    /// Any other call of the SDK, under the same breaker and books; its operation is `other`.
    ///
    /// It does not see the upload queue: a write to a key that has queued writes overtakes them, and
    /// is overwritten by them when they drain. [`upload`](Self::upload) and [`delete`](Self::delete)
    /// wait their turn; `Spool::holds` tells of such a key.
    ///
    /// ```no_run
    /// # async fn tags(s3: s3_service::S3) -> Result<(), s3_service::S3Error> {
    /// let tags = s3
    ///     .call(|client| async move {
    ///         client.get_object_tagging().bucket("reports").key("q1").send().await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call<F, Fut, T, E>(&self, call: F) -> Result<T, S3Error>
    where
        F: FnOnce(Client) -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let answer = call(self.client().clone());
        self.inner.booked(Operation::Other, async { Ok(answer.await?) }).await
    }
}

impl S3 {
    /// The same as a tower service.
    #[must_use]
    pub fn service(&self) -> S3Service {
        S3Service { inner: Arc::clone(&self.inner) }
    }

    /// The same service past its breaker: calls are neither rejected nor judged nor queued, but they
    /// are booked. For what must be tried whatever the breaker says, such as an operator's own
    /// check: `s3.bypass().health_check().await`.
    ///
    /// Reads show what S3 has, whatever is queued. An upload to, a removal of, and a copy from or to a
    /// key that has queued writes is refused (`SpoolError::KeyQueued`): they would overwrite it.
    #[must_use]
    pub fn bypass(&self) -> Self {
        Self { inner: Arc::new(self.inner.bypass()) }
    }

    /// The SDK's client, with the breaker in it: what it does is judged, but not booked, and does not
    /// see the upload queue, as with [`call`](Self::call).
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.target.client
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.inner.target.bucket
    }

    /// The breaker.
    #[must_use]
    pub fn breaker(&self) -> &CircuitBreaker {
        &self.inner.breaker
    }

    /// The books of the calls.
    #[must_use]
    pub fn health(&self) -> &Arc<HealthMetrics> {
        &self.inner.ledger.health
    }

    /// The upload queue, if there is one.
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn spool(&self) -> Option<&crate::Spool> {
        self.inner.queue.as_ref().map(|queue| &queue.spool)
    }

    /// How S3 is doing.
    #[must_use]
    pub fn get_health(&self) -> Health {
        Health::of(&self.inner)
    }

    /// How S3 is doing, and what this service is set to; holds no secrets.
    #[must_use]
    pub fn get_status(&self) -> Status {
        Status::of(&self.inner)
    }
}
