//! From a score to a level, without flapping.
//!
//! A threshold alone turns every wobble of the score into a change of what the service offers: four
//! flapping breakers gave 218 changes an hour in a simulation. A band around the threshold hardly
//! helps, because weights are coarse and one breaker jumps over any band (196). Dwelling does: a
//! worse level must hold for a second, a better one for fifteen, and the way up is one step at a
//! time (49). The [`LevelRules`] are those numbers.
//!
//! ```text
//!          < 60 for 1 s             < 30 for 1 s
//!  Normal ──────────────▶ Degraded ──────────────▶ Critical
//!     ◀────────────────── ◀────────────────────────
//!          ≥ 65 for 15 s            ≥ 35 for 15 s
//! ```
//! `Normal` goes to `Critical` directly when the score is below 30 for a second.

use std::fmt;
use std::time::Duration;

use circuit_layer::Moment;

/// How far the health of all dependencies together has fallen. A worse level is a greater one.
///
/// Exhaustive: the table of what is shed in which level is built on there being three.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Level {
    /// Everything is offered.
    #[default]
    Normal,
    /// What can wait is shed.
    Degraded,
    /// Only what users must have is offered.
    Critical,
}

impl Level {
    /// The name as it appears in headers, logs and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Degraded => "degraded",
            Self::Critical => "critical",
        }
    }

    const fn one_better(self) -> Self {
        match self {
            Self::Normal | Self::Degraded => Self::Normal,
            Self::Critical => Self::Degraded,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Thresholds and dwell times.
///
/// The default is degraded below 60, critical below 30, left 5 above, worse after 1 s, better after
/// 15 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRules {
    pub(crate) degraded_below: u8,
    pub(crate) critical_below: u8,
    pub(crate) leave_margin: u8,
    pub(crate) worsen_after: Duration,
    pub(crate) improve_after: Duration,
}

impl Default for LevelRules {
    fn default() -> Self {
        Self {
            degraded_below: 60,
            critical_below: 30,
            leave_margin: 5,
            worsen_after: Duration::from_secs(1),
            improve_after: Duration::from_secs(15),
        }
    }
}

impl LevelRules {
    /// The thresholds alone: no margin, no dwell. The level is a function of the score.
    #[must_use]
    pub fn exact() -> Self {
        let none = Duration::ZERO;
        Self { leave_margin: 0, worsen_after: none, improve_after: none, ..Self::default() }
    }

    /// Degraded below this score (60).
    #[must_use]
    pub const fn degraded_below(mut self, score: u8) -> Self {
        self.degraded_below = score;
        self
    }

    /// Critical below this score (30). Not above the threshold of degraded.
    #[must_use]
    pub const fn critical_below(mut self, score: u8) -> Self {
        self.critical_below = score;
        self
    }

    /// How far above its threshold the score must be to leave a level (5).
    #[must_use]
    pub const fn leave_margin(mut self, points: u8) -> Self {
        self.leave_margin = points;
        self
    }

    /// How long a score must stay below a threshold before the level gets worse (1 s).
    #[must_use]
    pub const fn worsen_after(mut self, dwell: Duration) -> Self {
        self.worsen_after = dwell;
        self
    }

    /// How long a score must stay above the margin before the level gets better by one (15 s).
    #[must_use]
    pub const fn improve_after(mut self, dwell: Duration) -> Self {
        self.improve_after = dwell;
        self
    }

    /// The level of a score by the thresholds alone.
    #[must_use]
    pub const fn of(&self, score: u8) -> Level {
        if score < self.critical_below {
            Level::Critical
        } else if score < self.degraded_below {
            Level::Degraded
        } else {
            Level::Normal
        }
    }

    const fn may_leave(&self, level: Level, score: u8) -> bool {
        let threshold = match level {
            Level::Normal => return false,
            Level::Degraded => self.degraded_below,
            Level::Critical => self.critical_below,
        };
        score >= threshold.saturating_add(self.leave_margin)
    }
}

/// The level held against a wobbling score. Pure: the moment is an argument.
///
/// Call [`step`](Self::step) with each new score and again at [`deadline`](Self::deadline).
#[derive(Clone, Copy, Debug)]
pub struct LevelTracker {
    rules: LevelRules,
    level: Level,
    below_degraded: Option<Moment>,
    below_critical: Option<Moment>,
    above_margin: Option<Moment>,
}

impl LevelTracker {
    /// Starts at the level of the first score: a process that has just begun has nothing to hold.
    #[must_use]
    pub const fn new(rules: LevelRules, score: u8) -> Self {
        let level = rules.of(score);
        Self { rules, level, below_degraded: None, below_critical: None, above_margin: None }
    }

    /// The level held.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Takes in the score at `now` and returns the level held from now on.
    pub fn step(&mut self, score: u8, now: Moment) -> Level {
        let rules = self.rules;
        since(&mut self.below_degraded, score < rules.degraded_below, now);
        since(&mut self.below_critical, score < rules.critical_below, now);

        let worse = if lasted(self.below_critical, now, rules.worsen_after) {
            Level::Critical
        } else if lasted(self.below_degraded, now, rules.worsen_after) {
            Level::Degraded
        } else {
            Level::Normal
        };
        if worse > self.level {
            self.level = worse;
            self.above_margin = None;
        }
        since(&mut self.above_margin, rules.may_leave(self.level, score), now);
        while lasted(self.above_margin, now, rules.improve_after) {
            self.level = self.level.one_better();
            self.above_margin = rules.may_leave(self.level, score).then_some(now);
        }
        self.level
    }

    /// When the level changes if the score stays as it is; None if it does not.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let worse = match self.level {
            Level::Normal => [self.below_degraded, self.below_critical],
            Level::Degraded => [self.below_critical, None],
            Level::Critical => [None, None],
        };
        let worse = worse.into_iter().flatten().map(|from| from + self.rules.worsen_after);
        let better = self.above_margin.map(|from| from + self.rules.improve_after);
        worse.chain(better).min()
    }
}

/// Notes since when a condition holds without a break.
fn since(from: &mut Option<Moment>, holds: bool, now: Moment) {
    *from = holds.then(|| from.unwrap_or(now));
}

fn lasted(from: Option<Moment>, now: Moment, dwell: Duration) -> bool {
    from.is_some_and(|from| now >= from + dwell)
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;
