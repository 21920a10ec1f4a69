//! What is said of a dependency: whether it is there, and how well it does.

use std::sync::Arc;
use std::time::Duration;

use crate::score::FULL_SCORE;

/// Whether a dependency is there.
///
/// Exhaustive: there is no fourth answer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Status {
    /// It answers, well or badly; the score tells how well.
    Up,
    /// It is not asked any more: its breaker rejects.
    Down,
    /// Nobody knows: never seen, or the last question had no answer. What was known last counts on
    /// (at first: well), because a lack of evidence must not shed requests.
    #[default]
    Unknown,
}

/// The health of one dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub(crate) score: u8,
    pub(crate) status: Status,
    pub(crate) detail: Option<Arc<str>>,
    pub(crate) retry_after: Option<Duration>,
}

impl Health {
    /// It answers, with a score of 0–100 (what is above counts as 100).
    #[must_use]
    pub fn up(score: u8) -> Self {
        Self { score: score.min(FULL_SCORE), status: Status::Up, ..Self::default() }
    }

    /// It is gone: the score is 0, and the modes that name it apply.
    #[must_use]
    pub fn down() -> Self {
        Self { status: Status::Down, ..Self::default() }
    }

    /// Nobody knows.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Says why, for operators. Endpoints show it, so it must hold no secret.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Arc<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// How long until it will be tried again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The score, 0–100. It means nothing while the status is unknown.
    #[must_use]
    pub const fn score(&self) -> u8 {
        self.score
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }
}
