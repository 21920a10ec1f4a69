//! The decision: from what the sources said and what operators ordered to a snapshot.
//!
//! Pure: time comes in as an argument, and nothing here locks, logs or waits. The manager owns the
//! one board, tells it what it heard, and publishes what [`evaluate`](Board::evaluate) returns.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;

use crate::cause;
use crate::entry::Entry;
use crate::health::Health;
use crate::level::{Level, LevelRules, LevelTracker};
use crate::mode::{Mode, ModeRules};
use crate::score::weighted;
use crate::snapshot::{Change, Dependency, Order, Snapshot};

/// Two clocks read together: one to compute with, one to show people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) now: Moment,
    pub(crate) unix: Duration,
}

impl Time {
    pub(crate) fn unix_ms(self) -> u64 {
        u64::try_from(self.unix.as_millis()).unwrap_or(u64::MAX)
    }

    fn order(self, reason: &str, limit: Option<Duration>) -> Order {
        let later = |limit| Self { now: self.now + limit, unix: self.unix.saturating_add(limit) };
        let until = limit.map(later);
        Order {
            reason: reason.into(),
            until: until.map(|until| until.now),
            until_unix_ms: until.map(Self::unix_ms),
        }
    }
}

/// Everything that the decision rests on.
#[derive(Debug)]
pub(crate) struct Board {
    rules: ModeRules,
    tracker: LevelTracker,
    entries: Vec<Entry>,
    forced_level: Option<(Level, Order)>,
    forced_mode: Option<(Mode, Order)>,
    last: Option<Arc<Snapshot>>,
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
            let mut entry = Entry::new(name, weight);
            entry.hear(health, now);
            entry
        });
        let entries: Vec<Entry> = entries.collect();
        let score = weighted(entries.iter().map(|entry| (entry.weight, entry.score())));
        let tracker = LevelTracker::new(levels, score);
        Self { rules, tracker, entries, forced_level: None, forced_mode: None, last: None }
    }

    /// Takes in what a source said.
    pub(crate) fn hear(&mut self, index: usize, health: Health, now: Moment) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.hear(health, now);
        }
    }

    pub(crate) fn force_level(
        &mut self,
        level: Level,
        reason: &str,
        limit: Option<Duration>,
        at: Time,
    ) {
        self.forced_level = Some((level, at.order(reason, limit)));
    }

    pub(crate) fn force_mode(
        &mut self,
        mode: Mode,
        reason: &str,
        limit: Option<Duration>,
        at: Time,
    ) {
        self.forced_mode = Some((mode, at.order(reason, limit)));
    }

    /// Ends the forced level and the forced mode.
    pub(crate) fn release(&mut self) {
        self.forced_level = None;
        self.forced_mode = None;
    }

    /// Starts or ends a drill. False if there is no such dependency.
    pub(crate) fn drill(&mut self, name: &str, drill: Option<(&str, Duration)>, at: Time) -> bool {
        let entry = self.entries.iter_mut().find(|entry| &*entry.name == name);
        let found = entry.is_some();
        if let Some(entry) = entry {
            entry.drill = drill.map(|(reason, limit)| at.order(reason, Some(limit)));
        }
        found
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
        let over = self.expire(at.now);
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
        let change = change(last.as_deref(), &snapshot, at);
        self.last = Some(Arc::clone(&snapshot));
        Evaluated { snapshot, is_new, change }
    }

    /// Ends the orders whose limit has come, and says which.
    fn expire(&mut self, now: Moment) -> Vec<String> {
        let level = self.forced_level.take_if(|(_, order)| is_over(order, now));
        let mode = self.forced_mode.take_if(|(_, order)| is_over(order, now));
        let mut over: Vec<String> =
            level.iter().map(|_| "the forced level ran out".to_owned()).collect();
        over.extend(mode.iter().map(|_| "the forced mode ran out".to_owned()));
        for entry in &mut self.entries {
            let drill = entry.drill.take_if(|order| is_over(order, now));
            over.extend(drill.iter().map(|_| format!("the drill of {} is over", entry.name)));
        }
        over
    }
}

fn is_over(order: &Order, now: Moment) -> bool {
    order.until.is_some_and(|until| now >= until)
}

/// Whether operators want to know: what is offered changed, or an order did.
fn differs(old: &Snapshot, new: &Snapshot) -> bool {
    let drills = |snapshot: &Snapshot| -> Vec<Option<Order>> {
        snapshot.dependencies.iter().map(|dependency| dependency.drill.clone()).collect()
    };
    (old.level, old.mode, &old.flags) != (new.level, new.mode, &new.flags)
        || (&old.forced_level, &old.forced_mode) != (&new.forced_level, &new.forced_mode)
        || drills(old) != drills(new)
}

/// The change from the last snapshot, or at the start from a service with nothing amiss.
fn change(old: Option<&Snapshot>, new: &Snapshot, at: Time) -> Option<Change> {
    let (level, mode) = old.map_or_else(Default::default, |old| (old.level, old.mode));
    let changed = match old {
        Some(old) => differs(old, new),
        None => (level, mode) != (new.level, new.mode) || !new.flags.is_empty(),
    };
    changed.then(|| Change {
        level: (level, new.level),
        mode: (mode, new.mode),
        flags: new.flags.clone(),
        score: new.score,
        cause: Arc::clone(&new.cause),
        at: at.now,
        at_unix_ms: at.unix_ms(),
    })
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
