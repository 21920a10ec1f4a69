//! The options of `SET`.

use std::time::Duration;

/// How long a key that is set lives, and on which condition it is set.
///
/// The default sets it without condition and without an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    pub(super) expiry: Option<Expiry>,
    pub(super) condition: Option<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Seconds(u64),
    Millis(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Missing,
    Existing,
}

impl SetOptions {
    /// No condition, no end.
    #[must_use]
    pub const fn new() -> Self {
        Self { expiry: None, condition: None }
    }

    /// `EX`: the key ends after this many seconds. Redis refuses 0.
    #[must_use]
    pub const fn ex(mut self, seconds: u64) -> Self {
        self.expiry = Some(Expiry::Seconds(seconds));
        self
    }

    /// `PX`: the key ends after this many milliseconds. Redis refuses 0.
    #[must_use]
    pub const fn px(mut self, millis: u64) -> Self {
        self.expiry = Some(Expiry::Millis(millis));
        self
    }

    /// The key ends after `ttl`, in whole milliseconds and at least one.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        self.px(millis(ttl))
    }

    /// `NX`: only if there is no such key.
    #[must_use]
    pub const fn nx(mut self) -> Self {
        self.condition = Some(Condition::Missing);
        self
    }

    /// `XX`: only if the key is there.
    #[must_use]
    pub const fn xx(mut self) -> Self {
        self.condition = Some(Condition::Existing);
        self
    }

    /// Whether the answer depends on what was there before.
    #[must_use]
    pub const fn is_conditional(&self) -> bool {
        self.condition.is_some()
    }
}

impl SetOptions {
    /// How long the key lives, if it has an end.
    pub(crate) const fn time_to_live(self) -> Option<Duration> {
        match self.expiry {
            Some(Expiry::Seconds(seconds)) => Some(Duration::from_secs(seconds)),
            Some(Expiry::Millis(millis)) => Some(Duration::from_millis(millis)),
            None => None,
        }
    }
}

/// Whole milliseconds, at least one: a positive time that rounds to 0 would delete the key.
pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
