//! The breaker inside an AWS SDK client.
//!
//! A breaker around `send()` judges whole operations: one failure of it costs three attempts and
//! their backoff, and the SDK's retries keep hammering a service that is down. A breaker at the
//! connector sees neither the SDK's timeouts (they drop its future) nor the errors that come inside
//! a 200. An interceptor sees every attempt and how it ended:
//!
//! ```text
//! read_before_attempt             admit, or reject before identity and signing are paid for
//! modify_before_transmit          wrap the request body, if it streams or is counted
//! read_before_transmit            from here on the attempt is evidence
//! modify_before_deserialization   wrap the response body, if there is one
//! read_after_attempt              judge and settle, or hand the permit to the body;
//!                                 if the breaker is open now, stop the SDK's retries
//! ```
//!
//! Nothing here knows of S3: it needs aws-smithy-runtime-api, aws-smithy-types and aws-runtime, and
//! serves any client of the SDK. aws-smithy-runtime must be 1.16.2 or newer: before it the last
//! hook did not run when the SDK's own timeout fired (smithy-rs#4318), so every timeout looked like
//! a cancellation.
//!
//! # Timeouts
//! Set the SDK's (`operation_attempt_timeout`). A timeout of the caller's own drops the operation:
//! the permit is given back, as a failure only from the breaker's `abandoned_after` on, and only if it
//! is the service that was waited for.

mod breakers;
mod bypass;
mod facts;
mod hooks;
mod settle;
mod slot;
mod span;

use std::sync::Arc;

use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_types::config_bag::ConfigBag;
use circuit_layer::CircuitBreaker;

use breakers::{Breakers, Chooser};
pub use bypass::BypassBreaker;
#[cfg(feature = "s3")]
pub(crate) use facts::connector_kind;

use crate::body::ByteCounter;

/// A circuit breaker as an interceptor of an AWS SDK client.
///
/// Put it into the client's configuration, once: a second one, of the same or of another breaker,
/// rests. For S3, [`install()`](crate::install()) does it; clients of all services take it alike:
///
/// ```
/// # #[cfg(feature = "test-util")]
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use circuit_layer::CircuitBreaker;
/// use s3_service::CircuitBreakerInterceptor;
///
/// # let config = s3_service::MemoryStore::new("reports").config();
/// let breaker = CircuitBreaker::new("s3");
/// let config = config.interceptor(CircuitBreakerInterceptor::new(breaker));
/// let client = aws_sdk_s3::Client::from_conf(config.build());
/// client.head_bucket().bucket("reports").send().await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "test-util")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
///
/// With a breaker to your measure, bytes counted, and one call that passes it by:
///
/// ```
/// # #[cfg(feature = "test-util")]
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use circuit_layer::{Backoff, CircuitBreaker};
/// use s3_service::{BypassBreaker, ByteTotals, CircuitBreakerInterceptor};
///
/// # let config = s3_service::MemoryStore::new("reports").config();
/// let breaker = CircuitBreaker::builder("s3")
///     .fail_max(3)
///     .reset_timeout(Duration::from_secs(10))
///     .backoff(Backoff::exponential(2.0))
///     .build()?;
/// let totals = Arc::new(ByteTotals::default());
/// let interceptor = CircuitBreakerInterceptor::new(breaker.clone()).count_bytes(totals.clone());
/// let client = aws_sdk_s3::Client::from_conf(config.interceptor(interceptor).build());
///
/// let put = client.put_object().bucket("reports").key("q1").body(b"42".to_vec().into());
/// put.send().await?;
/// assert_eq!(totals.uploaded(), 2);
///
/// breaker.force_open("a drill", None);
/// let check = client.head_bucket().bucket("reports");
/// check.customize().interceptor(BypassBreaker).send().await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "test-util")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
///
/// While the breaker is open, operations fail at once with a dispatch failure in whose sources
/// [`Rejected::find`](circuit_layer::Rejected::find) finds the typed rejection, the SDK's retries
/// stop, so that a caller gets the service's own last error, and presigning passes, since it needs
/// no network.
///
/// # Cost
/// About 1 % of the SDK's own instructions for a PUT or HEAD of S3 and less for a GET, where it is put in for good, as
/// [`install()`](crate::install()) does and `SharedInterceptor::permanent` for any client. By
/// `interceptor(…)` as above it is about 5 000 instructions more: the SDK then looks before each hook
/// whether somebody has disabled it.
///
/// # Clone
/// Clones share the breakers and the counter.
#[derive(Clone, Debug)]
pub struct CircuitBreakerInterceptor {
    breakers: Breakers,
    counter: Option<Arc<dyn ByteCounter>>,
    spans: bool,
}

impl CircuitBreakerInterceptor {
    /// The name under which the SDK lists it; [`is_installed`](Self::is_installed) looks for it.
    pub const NAME: &'static str = "CircuitBreakerInterceptor";

    /// An interceptor that asks `breaker`.
    #[must_use]
    pub const fn new(breaker: CircuitBreaker) -> Self {
        Self::asking(Breakers::One(breaker))
    }

    /// An interceptor that asks the breaker that `choose` names for an attempt, such as one for each
    /// queue or table. The bag holds the operation's `Metadata` and its endpoint parameters.
    ///
    /// For the buckets of S3, [`install_per_bucket`](crate::install_per_bucket) does it.
    #[must_use]
    pub fn choosing(choose: impl Fn(&ConfigBag) -> CircuitBreaker + Send + Sync + 'static) -> Self {
        Self::asking(Breakers::Chosen(Chooser(Arc::new(choose))))
    }

    const fn asking(breakers: Breakers) -> Self {
        Self { breakers, counter: None, spans: false }
    }

    /// Tells `counter` of every payload byte, in both directions, retries included.
    #[must_use]
    pub fn count_bytes(mut self, counter: Arc<dyn ByteCounter>) -> Self {
        self.counter = Some(counter);
        self
    }

    /// Makes every operation of the client a client span, by `tracing` at level INFO, with the names
    /// and fields that OpenTelemetry's semantic conventions have for the AWS SDK: `rpc.method`,
    /// `aws.request_id`, `error.type` and so on. Default: no spans, at no cost.
    ///
    /// One span holds all attempts of the operation. It is named by service and operation
    /// (`S3.PutObject`), and a child of the span that is current when the operation begins (at level
    /// DEBUG, of one that the SDK makes there); a rejected one has one too, with `error.type` = `rejected`. For operations of S3 it tells bucket, key, copy
    /// source and region (feature `s3`). `error.type` is the service's own code (`NoSuchKey`) or else
    /// an [`ErrorType`](crate::ErrorType) (`timeout`).
    ///
    /// It ends with the answer; that of a download, whose answer has only begun when the SDK returns
    /// it, with the end of its body, or when that is dropped. The transitions of the breaker that the
    /// operation causes are events in it, if the breaker has a
    /// [`TracingObserver`](circuit_layer::TracingObserver).
    #[must_use]
    pub const fn spans(mut self) -> Self {
        self.spans = true;
        self
    }

    /// Whether one of its kind is among `interceptors`, such as those of a client's configuration.
    pub fn is_installed<I: Intercept>(interceptors: impl IntoIterator<Item = I>) -> bool {
        interceptors.into_iter().any(|interceptor| interceptor.name() == Self::NAME)
    }
}
