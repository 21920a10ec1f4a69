//! From settings to a running service.

mod optional;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use circuit_layer::{CircuitBreaker, Clock};

use crate::connect;
use crate::facade::S3;
use crate::init::{InitError, Start};

/// The settings of an [`S3`]; only the bucket has no default.
#[must_use = "a builder does nothing until it is built"]
#[derive(Debug)]
pub struct S3Builder {
    pub(crate) bucket: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) client: Option<Client>,
    pub(crate) region: String,
    pub(crate) credentials: Option<Keys>,
    pub(crate) endpoint: Option<String>,
    pub(crate) path_style: Option<bool>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) operation_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) fail_max: u32,
    pub(crate) reset_timeout: Duration,
    pub(crate) half_open_max_attempts: u32,
    pub(crate) clock: Clock,
    pub(crate) breaker: Option<CircuitBreaker>,
    pub(crate) start: Start,
    pub(crate) spans: bool,
    pub(crate) asked_every: Option<Duration>,
    #[cfg(feature = "spool")]
    pub(crate) spool: Option<crate::SpoolBuilder>,
    #[cfg(feature = "otel")]
    pub(crate) metrics: Option<circuit_layer::metrics::Metrics>,
}

/// An access key and its secret, which no `Debug` shows.
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl Default for S3Builder {
    fn default() -> Self {
        Self {
            bucket: None,
            name: None,
            client: None,
            region: "us-east-1".to_owned(),
            credentials: None,
            endpoint: None,
            path_style: None,
            attempt_timeout: Duration::from_secs(10),
            operation_timeout: Duration::from_secs(30),
            // The SDK's own default.
            connect_timeout: Duration::from_millis(3_100),
            max_attempts: 3,
            fail_max: 5,
            reset_timeout: Duration::from_secs(60),
            half_open_max_attempts: 3,
            clock: Clock::default(),
            breaker: None,
            start: Start::Strict,
            spans: false,
            asked_every: None,
            #[cfg(feature = "spool")]
            spool: None,
            #[cfg(feature = "otel")]
            metrics: None,
        }
    }
}

impl S3Builder {
    /// The bucket. Required.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// The service's name among several, such as one per bucket, each with a breaker of its own: the
    /// name of that breaker (`s3` by default) and the instance in the metrics (none by default).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The user's own client: region, credentials, endpoint, path style, timeouts and attempts are
    /// then its own. The service works on a copy of it with the breaker inside, over the same
    /// connections.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// The region; `us-east-1` by default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Access key and secret. Without them the SDK's chain is asked, which needs the feature
    /// `credential-chain`.
    pub fn credentials(
        mut self,
        access_key: impl Into<String>,
        secret_key: impl Into<String>,
    ) -> Self {
        let keys = Keys { access_key: access_key.into(), secret_key: secret_key.into() };
        self.credentials = Some(keys);
        self
    }

    /// The URL of an S3-compatible service; AWS's own for the region by default.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Whether the bucket is in the path and not in the host name; by default it is where an
    /// endpoint is given.
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.path_style = Some(path_style);
        self
    }

    /// The deadline of one attempt, to the end of its answer, and for a download to the headers; 10 s
    /// by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The deadline of a call, its retries and their backoff included; 30 s by default. Of an upload
    /// in parts each part has it, and so has what begins and ends the upload.
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = timeout;
        self
    }

    /// The deadline of a new connection; 3.1 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often a call is tried in all; 3 by default, 1 for no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The breaker trips after this many failed attempts in a row; 5 by default.
    pub fn fail_max(mut self, failures: u32) -> Self {
        self.fail_max = failures;
        self
    }

    /// How long the breaker stays open at first; 60 s by default, doubled by each failed recovery
    /// up to 10 min.
    pub fn reset_timeout(mut self, wait: Duration) -> Self {
        self.reset_timeout = wait;
        self
    }

    /// How many probes go out in half-open; 3 by default.
    pub fn half_open_max_attempts(mut self, probes: u32) -> Self {
        self.half_open_max_attempts = probes;
        self
    }

    /// The clock of the breaker that is built here.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A finished breaker, in place of the four settings above.
    pub fn breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Whether S3 has to be there; [`Start::Strict`] by default.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Starts the service.
    ///
    /// # Errors
    /// [`InitError`], one variant for each thing that is missing or wrong; with [`Start::Strict`]
    /// also when S3 does not answer for the bucket.
    ///
    /// # Cancellation
    /// Nothing is left behind.
    pub async fn build(mut self) -> Result<S3, InitError> {
        if self.client.is_none() {
            self.bucket_name()?;
            self.client = Some(connect::client(&self).await?);
        }
        #[cfg_attr(not(feature = "spool"), expect(unused_mut, reason = "there is no queue to add"))]
        let mut inner = self.assemble()?;
        #[cfg(feature = "spool")]
        {
            inner.queue = connect::queue(&self, &inner).await?;
        }
        let s3 = S3 { inner: Arc::new(inner) };
        if self.start == Start::Strict
            && let Err(source) = s3.health_check().await
        {
            return Err(InitError::Bucket { bucket: s3.bucket().to_owned(), source });
        }
        #[cfg(feature = "spool")]
        if let (Some(queue), Some(spool)) = (&s3.inner.queue, &self.spool) {
            queue.start(&s3.inner, spool.uploads());
        }
        Ok(s3)
    }
}
