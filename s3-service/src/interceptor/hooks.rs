//! What happens at each hook of the SDK.

use std::sync::Arc;

use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{DisableInterceptor, Intercept};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use circuit_layer::{CircuitBreaker, Control, Rejected, State};
use http_body::Body as _;
use tracing::Span;

use super::CircuitBreakerInterceptor;
use super::slot::{Attempt, Slot};
use super::{bypass, settle, slot, span};
use crate::body::{DownloadBody, Source, Tail, UploadBody, stalled_after};

impl CircuitBreakerInterceptor {
    fn admit(&self, cfg: &mut ConfigBag) -> Result<Attempt, Rejected> {
        let unjudged = bypass::is_bypassed(cfg) || is_presigning(cfg);
        let (breaker, span) = (self.breakers.of(cfg), self.span(cfg));
        let permit = if unjudged { None } else { Some(span.in_scope(|| breaker.try_acquire())?) };
        Ok(Attempt::new(breaker, permit, span))
    }

    fn span(&self, cfg: &ConfigBag) -> Span {
        if self.spans { span::of(cfg) } else { Span::none() }
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

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.spans && !is_presigning(cfg) {
            span::begin(cfg);
        }
        Ok(())
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
            if self.counter.is_none() && body.bytes().is_some() {
                // Nobody counts, and what is in memory starves nobody.
                return Ok(());
            }
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
        let body = context.response_mut().body_mut();
        // An empty body is over at its headers: nobody need ever poll it.
        if attempt.tail.is_none() && !body.is_end_stream() {
            let tail = Arc::new(Tail::default());
            attempt.tail = Some(Arc::clone(&tail));
            let inner = std::mem::replace(body, SdkBody::taken());
            let breaker = attempt.breaker.clone();
            let stalled_after = stalled_after(cfg.load::<StalledStreamProtectionConfig>());
            *body = DownloadBody::wrap(inner, self.counter.clone(), tail, breaker, stalled_after);
        }
        if self.spans {
            span::answered(cfg);
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
            // What went past the breaker is not rejected by it, and may go again.
            let retried = attempt.permit.is_some() && context.inner().is_failed();
            let breaker = retried.then(|| attempt.breaker.clone());
            let run = settle::Run { components, cfg };
            self.span(cfg).in_scope(|| settle::settle(attempt, context, &run));
            if breaker.is_some_and(|breaker| rejects(&breaker)) {
                stop_retries(cfg);
            }
        }
        // An error from here would be replaced by a retry, and S3's own be lost.
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.spans {
            span::end(cfg, context.inner(), components);
        }
        Ok(())
    }
}
