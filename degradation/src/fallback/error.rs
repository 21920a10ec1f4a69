//! What a caller gets when nobody answers.

use std::error::Error as StdError;
use std::fmt;

/// The error of a service with a fallback. `E` is the service's error, `F` the fallback's.
///
/// Exhaustive: nobody was asked, or the service; then the fallback was not to be asked, could not be
/// asked, or was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum FallbackError<E, F> {
    /// Nobody was asked: the last `poll_ready` did not ready this instance.
    NotReady,
    /// The service failed in a way that the fallback does not answer.
    Service(E),
    /// The fallback was not asked: all its slots are taken.
    Busy {
        /// The service's error, which the fallback would have answered.
        cause: E,
    },
    /// The fallback was asked and failed too.
    Fallback {
        /// The service's error, which the fallback should have answered.
        cause: E,
        /// The fallback's error.
        error: F,
    },
}

impl<E, F> FallbackError<E, F> {
    /// The service's error, whatever the fallback did; None if the service was not asked.
    #[must_use]
    pub const fn cause(&self) -> Option<&E> {
        match self {
            Self::NotReady => None,
            Self::Service(cause) | Self::Busy { cause } | Self::Fallback { cause, .. } => {
                Some(cause)
            }
        }
    }

    /// The service's error, by value.
    pub fn into_cause(self) -> Option<E> {
        match self {
            Self::NotReady => None,
            Self::Service(cause) | Self::Busy { cause } | Self::Fallback { cause, .. } => {
                Some(cause)
            }
        }
    }
}

impl<E, F> fmt::Display for FallbackError<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "there was no readied service to call",
            Self::Service(_) => "the call failed",
            Self::Busy { .. } => "the call failed, and every slot of the fallback is taken",
            Self::Fallback { .. } => "the call failed, and so did the fallback",
        })
    }
}

/// The source is the service's error, so that a rejection is found by `Rejected::find` and is no
/// failure to a breaker further out; but the fallback's where that failed, which is one.
impl<E, F> StdError for FallbackError<E, F>
where
    E: StdError + 'static,
    F: StdError + 'static,
{
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NotReady => None,
            Self::Service(cause) | Self::Busy { cause } => Some(cause),
            Self::Fallback { error, .. } => Some(error),
        }
    }
}
