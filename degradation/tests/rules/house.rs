//! The four dependencies of the design, each behind a breaker.

use std::time::Duration;

use circuit_layer::CircuitBreaker;
use degradation::{DegradationManager, LevelRules, Snapshot};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

const WEIGHTS: [(&str, u8); 4] = [("database", 50), ("openai", 30), ("redis", 15), ("s3", 5)];

pub(crate) struct House {
    breakers: Vec<CircuitBreaker>,
    pub(crate) manager: DegradationManager,
}

impl House {
    /// With those down whose first letter is in `letters`.
    pub(crate) fn new(letters: &str, levels: LevelRules) -> Self {
        let breakers: Vec<_> = WEIGHTS.map(|(name, _)| CircuitBreaker::new(name)).into();
        set(&breakers, letters);
        let mut builder = DegradationManager::builder().levels(levels);
        for ((name, weight), breaker) in WEIGHTS.into_iter().zip(&breakers) {
            builder = builder.dependency(name, weight, breaker.clone());
        }
        Self { breakers, manager: builder.build().unwrap() }
    }

    /// From now on those are down, and the others are up.
    pub(crate) fn down(&self, letters: &str) {
        set(&self.breakers, letters);
    }

    /// What is published once so much time has passed.
    pub(crate) async fn after(&self, time: Duration) -> std::sync::Arc<Snapshot> {
        let clock = self.manager.clock();
        clock.sleep_until(clock.now() + time + Duration::from_millis(1)).await;
        self.manager.snapshot()
    }
}

fn set(breakers: &[CircuitBreaker], letters: &str) {
    for breaker in breakers {
        if breaker.name().chars().next().is_some_and(|first| letters.contains(first)) {
            breaker.force_open("down", None);
        } else {
            breaker.reset("up");
        }
    }
}
