//! Why a breaker changed its state.

use std::fmt;

/// What made a breaker change its state.
///
/// Small and `Copy`, because every rejection tells the cause of the trip and must not take a lock
/// to learn it. It packs into one word for that reason.
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

impl Cause {
    /// One word: a tag above, a number below. Zero is no cause.
    pub(crate) fn pack(self) -> u64 {
        let (tag, number) = match self {
            Self::ConsecutiveFailures(n) => (1, n),
            Self::FailureRate(n) => (2, n),
            Self::SlowCallRate(n) => (3, n),
            Self::FailedOrSlow(n) => (4, n),
            Self::Custom(n) => (5, n),
            Self::ProbeFailed => (6, 0),
            Self::LeaseExpired => (7, 0),
            Self::WaitOver => (8, 0),
            Self::Recovered => (9, 0),
            Self::Manual => (10, 0),
            Self::LimitReached => (11, 0),
            Self::Released => (12, 0),
        };
        (tag << 32) | u64::from(number)
    }

    /// The inverse of [`pack`](Self::pack).
    pub(crate) fn unpack(word: u64) -> Option<Self> {
        let number = u32::try_from(word & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        match word >> 32 {
            1 => Some(Self::ConsecutiveFailures(number)),
            2 => Some(Self::FailureRate(number)),
            3 => Some(Self::SlowCallRate(number)),
            4 => Some(Self::FailedOrSlow(number)),
            5 => Some(Self::Custom(number)),
            6 => Some(Self::ProbeFailed),
            7 => Some(Self::LeaseExpired),
            8 => Some(Self::WaitOver),
            9 => Some(Self::Recovered),
            10 => Some(Self::Manual),
            11 => Some(Self::LimitReached),
            12 => Some(Self::Released),
            _ => None,
        }
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
            assert_eq!(Cause::unpack(cause.pack()), Some(cause));
        }
        assert_eq!(Cause::unpack(0), None);
    }
}
