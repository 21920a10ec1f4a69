//! What a service does only if it is asked to.

use std::time::Duration;

use super::S3Builder;

impl S3Builder {
    /// Queues uploads and removals in a folder while S3 is rejected or failing: see
    /// [`spool`](crate::spool). With [`Start::Lazy`](crate::Start::Lazy) the service starts during an
    /// outage, with the queue ready.
    #[cfg(feature = "spool")]
    pub fn spool(mut self, spool: crate::SpoolBuilder) -> Self {
        self.spool = Some(spool);
        self
    }

    /// Records the `s3_*` metrics on a `&Meter`. Several services need one
    /// [`Metrics`](circuit_layer::metrics::Metrics) for all, and a [`name`](Self::name) each.
    #[cfg(feature = "otel")]
    pub fn metrics(mut self, metrics: impl Into<circuit_layer::metrics::Metrics>) -> Self {
        self.metrics = Some(metrics.into());
        self
    }

    /// Makes every operation of the SDK that the service makes a client span, with the names and fields
    /// of OpenTelemetry's semantic conventions: see
    /// [`CircuitBreakerInterceptor::spans`](crate::CircuitBreakerInterceptor::spans). Default: no
    /// spans, at no cost.
    ///
    /// A large upload is several operations, hence several spans (`S3.CreateMultipartUpload`,
    /// `S3.UploadPart`, …), and so is everything that the upload queue sends later. What the queue
    /// answered without S3 has none.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")]
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use s3_service::{S3, Upload};
    /// use tracing::Instrument as _;
    ///
    /// # let client = s3_service::MemoryStore::new("reports").client();
    /// let s3 = S3::builder().bucket("reports").client(client).spans().build().await?;
    /// // `S3.PutObject` becomes a child of `report`.
    /// let stored = s3.upload(Upload::new("q1.txt", b"42".to_vec()));
    /// stored.instrument(tracing::info_span!("report")).await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(feature = "test-util")]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn spans(mut self) -> Self {
        self.spans = true;
        self
    }

    /// While the breaker is open, asks S3 by a `HeadBucket` whether it is back, and ends the wait when
    /// it is. So a short outage does not last as long as `reset_timeout`, and during a long one no call
    /// is spent on finding out: each question that fails begins the wait anew.
    ///
    /// A rejected call starts it, or a write that waits in the spool, `pause` after the one before at
    /// the earliest; it has 3 s, or the attempt's deadline where that is shorter, and is not repeated.
    /// Any answer will do that says that S3 is at work, so also one that the bucket is not for us. It
    /// [closes no breaker](circuit_layer::ActiveProbe): the next calls do, as probes. It goes past the
    /// breaker and is in no metric, in no count, in no health and in no span, because nobody called; an
    /// observer of the breaker hears of its answer. With the service it ends.
    ///
    /// Default: nobody asks. A [finished breaker](Self::breaker) has, or has not, an active probe of
    /// its own.
    pub fn active_probe(mut self, pause: Duration) -> Self {
        self.asked_every = Some(pause);
        self
    }
}
