//! What became of a breaker's active probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use circuit_layer::{CircuitBreaker, Event, Subscription};

/// How many were answered and how many were not, since it began to listen.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    yes: Arc<AtomicUsize>,
    no: Arc<AtomicUsize>,
}

impl Answers {
    /// Listens to this breaker, until the subscription is ended.
    #[must_use]
    pub fn of(breaker: &CircuitBreaker) -> (Self, Subscription) {
        let answers = Self::default();
        let Self { yes, no } = answers.clone();
        let listening = breaker.observe(move |event: &Event| {
            if let Event::ActiveProbe { healthy, .. } = event {
                if *healthy { &yes } else { &no }.fetch_add(1, Ordering::Relaxed);
            }
        });
        (answers, listening)
    }

    /// How many were answered.
    #[must_use]
    pub fn yes(&self) -> usize {
        self.yes.load(Ordering::Relaxed)
    }

    /// How many were not, or too late.
    #[must_use]
    pub fn no(&self) -> usize {
        self.no.load(Ordering::Relaxed)
    }
}
