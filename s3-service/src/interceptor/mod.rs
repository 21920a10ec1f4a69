//! The breaker inside an AWS SDK client.
//!
//! A breaker around `send()` judges whole operations: one failure of it costs three attempts and
//! their backoff, and the SDK's retries keep hammering a service that is down. A breaker at the
//! connector sees neither the SDK's timeouts (they drop its future) nor the errors that come inside
//! a 200. An interceptor sees every attempt and how it ended:
//!
//! ```text
//! read_before_attempt             admit, or reject before identity and signing are paid for
//! modify_before_transmit          wrap the request body
//! read_before_transmit            from here on the attempt is evidence
//! modify_before_deserialization   wrap the response body
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
//! the permit is given back, as a failure only from the breaker's `abandoned_after` on.

mod breakers;
mod bypass;
mod facts;
mod settle;
mod slot;

use std::sync::Arc;

use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{DisableInterceptor, Intercept};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use circuit_layer::{CircuitBreaker, Control, Rejected, State};

use breakers::{Breakers, Chooser};
pub use bypass::BypassBreaker;
#[cfg(feature = "s3")]
pub(crate) use facts::connector_kind;

use crate::body::{ByteCounter, DownloadBody, Source, Tail, UploadBody};
use slot::{Attempt, Slot};

/// A circuit breaker as an interceptor of an AWS SDK client.
///
/// Put it into the client's configuration, once: a second one, of the same or of another breaker,
/// rests. For S3, [`install()`](crate::install()) does it; for any other service:
///
/// ```text
/// aws_sdk_dynamodb::config::Builder::interceptor(CircuitBreakerInterceptor::new(breaker))
/// ```
///
/// While the breaker is open, operations fail at once with a dispatch failure in whose sources
/// [`Rejected::find`](circuit_layer::Rejected::find) finds the typed rejection, the SDK's retries
/// stop, so that a caller gets the service's own last error, and presigning passes, since it needs
/// no network.
///
/// # Clone
/// Clones share the breakers and the counter.
#[derive(Clone, Debug)]
pub struct CircuitBreakerInterceptor {
    breakers: Breakers,
    counter: Option<Arc<dyn ByteCounter>>,
}

impl CircuitBreakerInterceptor {
    /// The name under which the SDK lists it; [`is_installed`](Self::is_installed) looks for it.
    pub const NAME: &'static str = "CircuitBreakerInterceptor";

    /// An interceptor that asks `breaker`.
    #[must_use]
    pub const fn new(breaker: CircuitBreaker) -> Self {
        Self { breakers: Breakers::One(breaker), counter: None }
    }

    /// An interceptor that asks the breaker that `choose` names for an attempt, such as one for each
    /// queue or table. The bag holds the operation's `Metadata` and its endpoint parameters.
    ///
    /// For the buckets of S3, [`install_per_bucket`](crate::install_per_bucket) does it.
    #[must_use]
    pub fn choosing(choose: impl Fn(&ConfigBag) -> CircuitBreaker + Send + Sync + 'static) -> Self {
        Self { breakers: Breakers::Chosen(Chooser(Arc::new(choose))), counter: None }
    }

    /// Tells `counter` of every payload byte, in both directions, retries included.
    #[must_use]
    pub fn count_bytes(mut self, counter: Arc<dyn ByteCounter>) -> Self {
        self.counter = Some(counter);
        self
    }

    /// Whether one of its kind is among `interceptors`, such as those of a client's configuration.
    pub fn is_installed<I: Intercept>(interceptors: impl IntoIterator<Item = I>) -> bool {
        interceptors.into_iter().any(|interceptor| interceptor.name() == Self::NAME)
    }

    fn admit(&self, cfg: &ConfigBag) -> Result<Attempt, Rejected> {
        let unjudged = is_presigning(cfg) || bypass::is_bypassed(cfg);
        let breaker = self.breakers.of(cfg);
        let permit = if unjudged { None } else { Some(breaker.try_acquire()?) };
        Ok(Attempt::new(breaker, permit))
    }
}

/// The SDK signs URLs by running an operation that stops before the wire; what marks it is that the
/// invocation id is switched off.
fn is_presigning(cfg: &ConfigBag) -> bool {
    cfg.load::<DisableInterceptor<InvocationIdInterceptor>>().is_some()
}

/// Whether a retry would be rejected anyway, and hide the service's own error.
fn rejects(breaker: &CircuitBreaker) -> bool {
    breaker.state() != State::Closed && breaker.snapshot().control != Control::ObserveOnly
}

/// The retry strategy reads its limit after this attempt's last hook, from this very bag.
fn stop_retries(cfg: &mut ConfigBag) {
    let config = cfg.load::<RetryConfig>().cloned().unwrap_or_else(RetryConfig::disabled);
    cfg.interceptor_state().store_put(config.with_max_attempts(1));
}

impl Intercept for CircuitBreakerInterceptor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if slot::is_taken(cfg) {
            return Ok(());
        }
        let (slot, result) = match self.admit(cfg) {
            Ok(attempt) => (Slot::Admitted(attempt), Ok(())),
            Err(rejected) => (Slot::Rejected, Err(rejected.into())),
        };
        slot::put(cfg, slot);
        result
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(attempt) = slot::attempt(cfg) else {
            return Ok(());
        };
        let body = context.request_mut().body_mut();
        if attempt.source.is_none() && body.content_length() != Some(0) {
            let source = Arc::new(Source::default());
            attempt.source = Some(Arc::clone(&source));
            let inner = std::mem::replace(body, SdkBody::taken());
            *body = UploadBody::wrap(inner, self.counter.clone(), source);
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempt) = slot::attempt(cfg) {
            attempt.transmitted = true;
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(attempt) = slot::attempt(cfg) else {
            return Ok(());
        };
        if attempt.tail.is_none() {
            let tail = Arc::new(Tail::default());
            attempt.tail = Some(Arc::clone(&tail));
            let body = context.response_mut().body_mut();
            let inner = std::mem::replace(body, SdkBody::taken());
            let breaker = attempt.breaker.clone();
            *body = DownloadBody::wrap(inner, self.counter.clone(), tail, breaker);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempt) = slot::take(cfg) {
            let breaker = attempt.breaker.clone();
            let run = settle::Run { components, timeouts: cfg.load::<TimeoutConfig>() };
            settle::settle(attempt, context, &run);
            if context.inner().is_failed() && rejects(&breaker) {
                stop_retries(cfg);
            }
        }
        // An error from here would be replaced by a retry, and S3's own be lost.
        Ok(())
    }
}
