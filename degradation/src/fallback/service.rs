//! The service of a [`FallbackLayer`].

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;

use super::choice::{Choose, Keep};
use super::error::FallbackError;
use super::future::{FallbackFuture, Spare};
use super::layer::FallbackLayer;
use super::served::Served;

/// A service and its fallback.
///
/// Its readiness is the inner service's: the fallback is readied, a clone of its own for each call,
/// only once it is needed. Being busy there is no backpressure here; the bound is what keeps callers
/// from piling up.
///
/// # Clone
///
/// A clone has a clone of the inner service and of the fallback; it inherits no readiness, and
/// shares the slots and the counters.
pub struct FallbackService<S, F, C, K> {
    inner: S,
    layer: FallbackLayer<F, C, K>,
    /// Whether the last `poll_ready` readied `inner`.
    ready: bool,
}

impl<S: Clone, F: Clone, C: Clone, K: Clone> Clone for FallbackService<S, F, C, K> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.layer.clone())
    }
}

impl<S, F, C, K> FallbackService<S, F, C, K> {
    pub(super) const fn new(inner: S, layer: FallbackLayer<F, C, K>) -> Self {
        Self { inner, layer, ready: false }
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, without its fallback.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, F, C, K, R> Service<R> for FallbackService<S, F, C, K>
where
    S: Service<R>,
    F: Service<R, Response = S::Response> + Clone,
    C: Choose<S::Error> + Clone,
    K: Keep<R>,
{
    type Response = Served<S::Response>;
    type Error = FallbackError<S::Error, F::Error>;
    type Future = FallbackFuture<S::Future, S::Error, F, C, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let polled = self.inner.poll_ready(cx);
        self.ready = matches!(polled, Poll::Ready(Ok(())));
        polled.map_err(FallbackError::Service)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if !std::mem::take(&mut self.ready) {
            return FallbackFuture::not_ready();
        }
        let layer = &self.layer;
        let spare = layer.keeper().keep(&request).map(|request| Spare {
            request,
            fallback: layer.fallback().clone(),
            choose: layer.choose().clone(),
            slots: Arc::clone(layer.slots()),
            counters: layer.counters(),
        });
        FallbackFuture::new(self.inner.call(request), spare)
    }
}

impl<S: fmt::Debug, F, C, K> fmt::Debug for FallbackService<S, F, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
