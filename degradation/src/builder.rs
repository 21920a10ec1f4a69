//! How a manager is put together, and what can be wrong with it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Clock;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::board::Board;
use crate::config_error::ConfigError;
use crate::health::Health;
use crate::level::LevelRules;
use crate::manager::DegradationManager;
use crate::mode::ModeRules;
use crate::queue::QueueSource;
use crate::score::WEIGHTS_SUM;
use crate::source::{HealthSource, Wake};
use crate::sources::{CacheSource, Sources, caught};
use crate::status::CacheStatus;
use crate::tasks::{self, Pace, Watched};

/// Puts a [`DegradationManager`] together. See there for examples.
#[must_use = "a builder does nothing until built"]
pub struct DegradationBuilder {
    dependencies: Vec<(Arc<str>, u8, Arc<dyn HealthSource>)>,
    queues: Vec<(Arc<str>, Arc<dyn QueueSource>)>,
    caches: Vec<(Arc<str>, CacheSource)>,
    levels: LevelRules,
    modes: ModeRules,
    pace: Pace,
    clock: Clock,
}

impl DegradationBuilder {
    pub(crate) fn new() -> Self {
        Self {
            dependencies: Vec::new(),
            queues: Vec::new(),
            caches: Vec::new(),
            levels: LevelRules::default(),
            modes: ModeRules::default(),
            pace: Pace { every: Duration::from_secs(1), timeout: Duration::from_secs(1) },
            clock: Clock::default(),
        }
    }

    /// Adds a dependency with its weight in percent.
    ///
    /// The default rules and [`Snapshot`](crate::Snapshot)'s questions know the names `database`,
    /// `openai`, `redis` and `s3`; any other name is yours. A weight of 0 is watched and not counted.
    pub fn dependency(mut self, name: &str, weight: u8, source: impl HealthSource) -> Self {
        self.dependencies.push((name.into(), weight, Arc::new(source)));
        self
    }

    /// Adds a queue for operators to look into. It decides nothing.
    pub fn queue(mut self, name: &str, queue: impl QueueSource) -> Self {
        self.queues.push((name.into(), Arc::new(queue)));
        self
    }

    /// Adds a cache to show. It decides nothing. `status` must not block; while it panics, the cache
    /// is not shown.
    pub fn cache(
        mut self,
        name: &str,
        status: impl Fn() -> CacheStatus + Send + Sync + 'static,
    ) -> Self {
        self.caches.push((name.into(), Arc::new(status)));
        self
    }

    /// Thresholds and dwell times.
    pub const fn levels(mut self, rules: LevelRules) -> Self {
        self.levels = rules;
        self
    }

    /// The table from what is down to mode and flags.
    pub fn modes(mut self, rules: ModeRules) -> Self {
        self.modes = rules;
        self
    }

    /// How often a source is asked when it does not say that anything has changed (1 s).
    pub const fn check_every(mut self, pause: Duration) -> Self {
        self.pace.every = pause;
        self
    }

    /// How long a source may take to answer before it is unknown (1 s).
    pub const fn check_timeout(mut self, timeout: Duration) -> Self {
        self.pace.timeout = timeout;
        self
    }

    /// The clock (tokio's).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Asks every source once and starts watching.
    ///
    /// What answers at once, as breakers do, is in the first snapshot; the rest is unknown until it
    /// has answered. The level starts at what the first score gives, without dwelling.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the rule that is broken, or that there is no tokio runtime.
    pub fn build(self) -> Result<DegradationManager, ConfigError> {
        self.validate()?;
        let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let Self { dependencies, queues, caches, levels, modes, pace, clock } = self;
        let sources = dependencies.iter().map(|(_, _, source)| Arc::clone(source)).collect();
        let sources = Sources { dependencies: sources, queues, caches };
        let first: Vec<(Arc<str>, u8, Health, Watched)> = dependencies
            .into_iter()
            .map(|(name, weight, source)| {
                let notify = Arc::new(Notify::new());
                tasks::watch(&*source, Wake::new(&notify));
                let health = tasks::ask_at_once(&*source);
                let timeout = own_timeout(&*source);
                (name, weight, health, Watched { source, notify, timeout })
            })
            .collect();
        let (known, watched): (Vec<_>, Vec<_>) = first
            .into_iter()
            .map(|(name, weight, health, watched)| ((name, weight, health), watched))
            .unzip();
        let board = Board::new(modes, levels, known, clock.now());
        Ok(DegradationManager::start(board, clock, sources, |shared| {
            tasks::spawn(&runtime, shared, watched, pace)
        }))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.dependencies.is_empty() {
            return Err(ConfigError::NoDependency);
        }
        let names = distinct(self.dependencies.iter().map(|(name, _, _)| name))?;
        distinct(self.queues.iter().map(|(name, _)| name))?;
        distinct(self.caches.iter().map(|(name, _)| name))?;
        let sum = self.dependencies.iter().map(|(_, weight, _)| u32::from(*weight)).sum();
        if sum != WEIGHTS_SUM {
            return Err(ConfigError::Weights { sum });
        }
        let unknown = self.modes.names().find(|name| !names.contains(name));
        if let Some(name) = unknown.filter(|_| self.modes.names_must_exist) {
            return Err(ConfigError::UnknownName { name: name.into() });
        }
        self.levels.validate()?;
        let own = self.dependencies.iter().filter_map(|(_, _, source)| own_timeout(&**source));
        let mut waits = own.chain([self.pace.every, self.pace.timeout]);
        if waits.any(|wait| wait.is_zero()) {
            return Err(ConfigError::Pace);
        }
        Ok(())
    }
}

fn own_timeout(source: &dyn HealthSource) -> Option<Duration> {
    caught(|| source.timeout()).flatten()
}

fn distinct<'a>(
    names: impl Iterator<Item = &'a Arc<str>>,
) -> Result<BTreeSet<&'a str>, ConfigError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(&**name) {
            return Err(ConfigError::DuplicateName { name: Arc::clone(name) });
        }
    }
    Ok(seen)
}

impl LevelRules {
    fn validate(&self) -> Result<(), ConfigError> {
        let (degraded, critical) = (self.degraded_below, self.critical_below);
        if critical > degraded || degraded > 100 {
            return Err(ConfigError::Thresholds { degraded, critical });
        }
        let margin = self.leave_margin;
        if degraded.saturating_add(margin) > 100 {
            return Err(ConfigError::Margin { threshold: degraded, margin });
        }
        Ok(())
    }
}

impl fmt::Debug for DegradationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            self.dependencies.iter().map(|(name, weight, _)| (name, weight)).collect();
        f.debug_struct("DegradationBuilder")
            .field("dependencies", &names)
            .field("levels", &self.levels)
            .field("modes", &self.modes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
