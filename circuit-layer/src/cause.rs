//! Why a breaker changed its state.

use std::fmt;

/// What made a breaker change its state.
///
/// Small and `Copy`, because every rejection tells the cause of the trip and must not take a lock
/// to learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Cause {
    /// So many calls failed one after the other.
    ConsecutiveFailures(u32),
    /// This percentage of the window failed.
    FailureRate(u32),
    /// This percentage of the window was slow.
    SlowCallRate(u32),
    /// This percentage of the window failed or was slow.
    FailedOrSlow(u32),
    /// A policy of your own tripped, with a code of its own.
    Custom(u32),
    /// A probe failed, or too many of them did.
    ProbeFailed,
    /// A probe did not answer within its lease.
    LeaseExpired,
    /// The wait is over; the next call is a probe.
    WaitOver,
    /// Enough probes succeeded.
    Recovered,
    /// An operator said so.
    Manual,
    /// The time limit of an operator's order ran out.
    LimitReached,
    /// The last handle of the breaker was dropped.
    Released,
}

/// A cause, or none, in one word: every rejection carries it along, and few callers ask for it.
///
/// A tag above, a number below. Zero is no cause.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CauseWord(u64);

impl CauseWord {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn cause(self) -> Option<Cause> {
        let number = u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Some(match self.0 >> 32 {
            1 => Cause::ConsecutiveFailures(number),
            2 => Cause::FailureRate(number),
            3 => Cause::SlowCallRate(number),
            4 => Cause::FailedOrSlow(number),
            5 => Cause::Custom(number),
            6 => Cause::ProbeFailed,
            7 => Cause::LeaseExpired,
            8 => Cause::WaitOver,
            9 => Cause::Recovered,
            10 => Cause::Manual,
            11 => Cause::LimitReached,
            12 => Cause::Released,
            _ => return None,
        })
    }
}

impl From<Cause> for CauseWord {
    fn from(cause: Cause) -> Self {
        let (tag, number) = match cause {
            Cause::ConsecutiveFailures(n) => (1, n),
            Cause::FailureRate(n) => (2, n),
            Cause::SlowCallRate(n) => (3, n),
            Cause::FailedOrSlow(n) => (4, n),
            Cause::Custom(n) => (5, n),
            Cause::ProbeFailed => (6, 0),
            Cause::LeaseExpired => (7, 0),
            Cause::WaitOver => (8, 0),
            Cause::Recovered => (9, 0),
            Cause::Manual => (10, 0),
            Cause::LimitReached => (11, 0),
            Cause::Released => (12, 0),
        };
        Self((tag << 32) | u64::from(number))
    }
}

impl fmt::Debug for CauseWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause().fmt(f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveFailures(n) => write!(f, "{n} consecutive failures"),
            Self::FailureRate(n) => write!(f, "{n} % of calls failed"),
            Self::SlowCallRate(n) => write!(f, "{n} % of calls were slow"),
            Self::FailedOrSlow(n) => write!(f, "{n} % of calls failed or were slow"),
            Self::Custom(n) => write!(f, "custom policy, code {n}"),
            Self::ProbeFailed => f.write_str("a probe failed"),
            Self::LeaseExpired => f.write_str("a probe did not answer within its lease"),
            Self::WaitOver => f.write_str("the wait is over"),
            Self::Recovered => f.write_str("the probes succeeded"),
            Self::Manual => f.write_str("an operator's order"),
            Self::LimitReached => f.write_str("the time limit of an order ran out"),
            Self::Released => f.write_str("the last handle was dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_survives_packing_and_zero_is_none() {
        let all = [
            Cause::ConsecutiveFailures(5),
            Cause::FailureRate(50),
            Cause::SlowCallRate(100),
            Cause::FailedOrSlow(75),
            Cause::Custom(u32::MAX),
            Cause::ProbeFailed,
            Cause::LeaseExpired,
            Cause::WaitOver,
            Cause::Recovered,
            Cause::Manual,
            Cause::LimitReached,
            Cause::Released,
        ];
        for cause in all {
            assert_eq!(CauseWord::from(cause).cause(), Some(cause));
        }
        assert_eq!(CauseWord::NONE.cause(), None);
    }
}
