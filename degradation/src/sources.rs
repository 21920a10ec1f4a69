//! What a manager asks for things to show.
//!
//! All of it is foreign code. Whatever panics has nothing to show; it never takes a page down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use circuit_layer::CircuitBreaker;

use crate::board::Totals;
use crate::figures::Figures;
use crate::queue::QueueSource;
use crate::source::HealthSource;
use crate::status::{CacheStatus, Named, QueueStatus};

pub(crate) type CacheSource = Arc<dyn Fn() -> CacheStatus + Send + Sync>;

pub(crate) struct Sources {
    /// In the order of the builder, as everywhere.
    pub(crate) dependencies: Vec<Arc<dyn HealthSource>>,
    pub(crate) queues: Vec<(Arc<str>, Arc<dyn QueueSource>)>,
    pub(crate) caches: Vec<(Arc<str>, CacheSource)>,
}

impl Sources {
    pub(crate) fn breaker(&self, index: usize) -> Option<CircuitBreaker> {
        caught(|| self.dependencies.get(index)?.breaker()).flatten()
    }

    pub(crate) fn figures(&self, index: usize) -> Figures {
        caught(|| self.dependencies.get(index).map(|source| source.figures()))
            .flatten()
            .unwrap_or_default()
    }

    /// What a dependency has counted; of a bare breaker, what it has rejected.
    pub(crate) fn totals(&self, index: usize) -> Totals {
        match self.figures(index).calls {
            Some(report) => Totals::from(&report),
            None => {
                let breaker = self.breaker(index);
                let rejected = breaker.map_or(0, |breaker| breaker.snapshot().rejected);
                Totals { rejected, ..Totals::default() }
            }
        }
    }

    pub(crate) fn queue(&self, name: &str) -> Option<&Arc<dyn QueueSource>> {
        self.queues.iter().find(|(own, _)| &**own == name).map(|(_, queue)| queue)
    }

    pub(crate) fn queues(&self) -> Vec<Named<QueueStatus>> {
        show(&self.queues, |queue| queue.status())
    }

    pub(crate) fn caches(&self) -> Vec<Named<CacheStatus>> {
        show(&self.caches, |cache| cache())
    }
}

fn show<S, T>(all: &[(Arc<str>, S)], status: impl Fn(&S) -> T) -> Vec<Named<T>> {
    let one = |(name, source): &(Arc<str>, S)| {
        caught(|| status(source)).map(|status| Named::new(Arc::clone(name), status))
    };
    all.iter().filter_map(one).collect()
}

/// What `ask` says; None if it panics.
pub(crate) fn caught<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}
