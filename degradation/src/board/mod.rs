//! The decision: from what the sources said and what operators ordered to a snapshot.
//!
//! Pure: time comes in as an argument, and nothing here locks, logs or waits. The manager owns the
//! one board, tells it what it heard, and publishes what [`evaluate`](Board::evaluate) returns.

use std::sync::Arc;

use circuit_layer::Moment;

mod change;
mod chart;
mod entry;
mod log;
mod orders;

use self::change::{change, differs, record};
pub use self::chart::History;
pub(crate) use self::chart::Totals;
use self::entry::Entry;
use self::log::Log;
pub(crate) use self::log::Note;
pub use self::log::{LogEntry, LogKind};
pub(crate) use self::orders::lasting;
use crate::cause;
use crate::health::Health;
use crate::level::{Level, LevelRules, LevelTracker};
use crate::mode::{Mode, ModeRules};
use crate::score::weighted;
use crate::snapshot::{Change, Dependency, Order, Snapshot};
use crate::time::Time;

/// Everything that the decision rests on.
#[derive(Debug)]
pub(crate) struct Board {
    rules: ModeRules,
    tracker: LevelTracker,
    entries: Vec<Entry>,
    forced_level: Option<(Level, Order)>,
    forced_mode: Option<(Mode, Order)>,
    last: Option<Arc<Snapshot>>,
    log: Log,
}

/// What [`Board::evaluate`] found.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// The snapshot, and whether it differs from the last.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) is_new: bool,
    /// What to tell operators, if level, mode, flags or orders changed.
    pub(crate) change: Option<Change>,
}

impl Board {
    /// The level starts at what the first answers give.
    pub(crate) fn new(
        rules: ModeRules,
        levels: LevelRules,
        dependencies: impl IntoIterator<Item = (Arc<str>, u8, Health)>,
        now: Moment,
    ) -> Self {
        let entries = dependencies.into_iter().map(|(name, weight, health)| {
            let mut entry = Entry::new(name, weight, now);
            entry.hear(health, now);
            entry
        });
        let entries: Vec<Entry> = entries.collect();
        let score = weighted(entries.iter().map(|entry| (entry.weight, entry.score())));
        let tracker = LevelTracker::new(levels, score);
        let (forced_level, forced_mode, last) = (None, None, None);
        Self { rules, tracker, entries, forced_level, forced_mode, last, log: Log::default() }
    }

    /// Takes in what a source said.
    pub(crate) fn hear(&mut self, index: usize, health: Health, now: Moment) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.hear(health, now);
        }
    }

    /// Takes in what a source has counted.
    pub(crate) fn count(&mut self, index: usize, totals: Totals, now: Moment) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.count(totals, now);
        }
    }

    /// Writes into the log what the decision does not see.
    pub(crate) fn note(&mut self, note: &Note<'_>, at: Time) {
        self.log.note(note, at);
    }

    /// What has happened lately, the newest first.
    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.log.newest_first()
    }

    /// The chart of each dependency, and how often it went down, in the order of the builder.
    pub(crate) fn charts(&self, at: Time) -> Vec<(History, u64)> {
        let show = |entry: &Entry| (entry.chart.show(at.unix_ms(), at.now), entry.outages);
        self.entries.iter().map(show).collect()
    }

    /// When time alone may change the decision: a level is due, or an order ends.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        let forced_level = self.forced_level.as_ref().map(|(_, order)| order);
        let forced_mode = self.forced_mode.as_ref().map(|(_, order)| order);
        let drills = self.entries.iter().map(|entry| entry.drill.as_ref());
        let orders = drills.chain([forced_level, forced_mode]).flatten();
        orders.filter_map(|order| order.until).chain(self.tracker.deadline()).min()
    }

    /// Decides. `why` explains an order that has just been given; the rest explains itself.
    pub(crate) fn evaluate(&mut self, at: Time, why: Option<&str>) -> Evaluated {
        let over = self.expire(at);
        let why = why.map(str::to_owned).into_iter().chain(over).collect::<Vec<_>>();
        let dependencies: Vec<Dependency> = self.entries.iter().map(Entry::show).collect();
        let score = weighted(dependencies.iter().map(|one| (one.weight, one.score)));
        let down: Vec<&str> = dependencies.iter().filter(|d| d.down).map(|d| &*d.name).collect();
        let observed_level = self.tracker.step(score, at.now);
        let (observed_mode, flags) = self.rules.decide(&down);
        let mut snapshot = Snapshot {
            level: self.forced_level.as_ref().map_or(observed_level, |(level, _)| *level),
            mode: self.forced_mode.as_ref().map_or(observed_mode, |(mode, _)| *mode),
            flags,
            score,
            cause: Arc::from(""),
            since: at.now,
            since_unix_ms: at.unix_ms(),
            observed_level,
            observed_mode,
            forced_level: self.forced_level.as_ref().map(|(_, order)| order.clone()),
            forced_mode: self.forced_mode.as_ref().map(|(_, order)| order.clone()),
            dependencies,
            next_change: self.deadline(),
        };
        let last = self.last.take();
        match last.as_deref().filter(|last| !differs(last, &snapshot)) {
            Some(last) => {
                snapshot.cause = Arc::clone(&last.cause);
                (snapshot.since, snapshot.since_unix_ms) = (last.since, last.since_unix_ms);
            }
            None => snapshot.cause = cause::explain(&snapshot, why).into(),
        }
        let (snapshot, is_new) = match last.as_ref().filter(|last| ***last == snapshot) {
            Some(same) => (Arc::clone(same), false),
            None => (Arc::new(snapshot), true),
        };
        record(&mut self.log, last.as_deref(), &snapshot, at);
        let change = change(last.as_deref(), &snapshot, at);
        self.last = Some(Arc::clone(&snapshot));
        Evaluated { snapshot, is_new, change }
    }
}

#[cfg(test)]
mod tests;
