//! A source with a timeout of its own, because one check is slower than all others.

use std::time::Duration;

use circuit_layer::CircuitBreaker;

use super::{HealthFuture, HealthSource, Wake};
use crate::figures::Figures;
use crate::probed::ProbeFuture;

/// A source with a timeout of its own. See [`HealthSource::within`].
#[derive(Clone, Copy, Debug)]
pub struct Within<S> {
    pub(super) source: S,
    pub(super) timeout: Duration,
}

impl<S: HealthSource> HealthSource for Within<S> {
    fn health(&self) -> HealthFuture<'_> {
        self.source.health()
    }

    fn watch(&self, wake: Wake) {
        self.source.watch(wake);
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        self.source.breaker()
    }

    fn figures(&self) -> Figures {
        self.source.figures()
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.timeout)
    }

    fn probe(&self) -> Option<ProbeFuture<'_>> {
        self.source.probe()
    }
}
