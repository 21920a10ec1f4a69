//! What a caller gets instead of an answer.
//!
//! A rejected caller needs three things: to know that the dependency was not asked, to know when
//! asking makes sense again, and to find both however many layers have wrapped the error.
//! [`Rejected`] carries them, and [`Rejected::find`] digs it out of any error chain.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::cause::{Cause, CauseWord};
use crate::state::State;

/// The breaker did not admit the call: the inner service was neither polled nor called.
///
/// Plain data without drop glue, so that the closed path of the response future pays nothing for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub(crate) name: &'static str,
    pub(crate) state: State,
    pub(crate) reason: Reason,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) cause: CauseWord,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The breaker is open and its wait is not over.
    Open,
    /// The breaker is half-open and every probe slot is taken.
    ProbesBusy,
    /// An operator forced the breaker open.
    ForcedOpen,
    /// The breaker closed a moment ago and lets traffic in by and by.
    RampUp,
    /// The last `poll_ready` of this service did not ready the inner service, so there is no
    /// readied instance to call, although the breaker might admit by now.
    NotReady,
}

impl Rejected {
    /// The breaker's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The state that rejected.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Why the call was not admitted.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// How long until a call may be admitted: the rest of the wait. None where nobody can know,
    /// which is while probes are out ([`Reason::ProbesBusy`]) and while an operator holds the
    /// breaker open without a limit.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What tripped the breaker. None where nothing did, as when it is ramping up.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.cause.cause()
    }

    /// The first rejection in an error and its sources, whatever wrapped it.
    ///
    /// ```
    /// use circuit_layer::{Error, Rejected, CircuitBreaker};
    ///
    /// let breaker = CircuitBreaker::new("search");
    /// breaker.force_open("maintenance", None);
    /// let rejected = breaker.try_acquire().unwrap_err();
    ///
    /// let wrapped = std::io::Error::other(Error::<std::io::Error>::Rejected(rejected));
    /// assert_eq!(Rejected::find(&wrapped), Some(&rejected));
    /// ```
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            // An `io::Error` shows its payload's source as its own and hides the payload.
            let payload = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            next = match payload {
                Some(payload) => Some(payload),
                None => error.source(),
            };
        }
        None
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "circuit breaker `{}` ", self.name)?;
        match self.reason {
            Reason::Open => f.write_str("is open"),
            Reason::ProbesBusy => f.write_str("is half-open and every probe is out"),
            Reason::ForcedOpen => f.write_str("is forced open"),
            Reason::RampUp => f.write_str("is ramping up"),
            Reason::NotReady => f.write_str("had no readied service to call"),
        }?;
        if let Some(cause) = self.cause() {
            write!(f, " ({cause})")?;
        }
        match self.retry_after {
            Some(wait) => write!(f, ", retry after {wait:?}"),
            None => Ok(()),
        }
    }
}

impl StdError for Rejected {}

/// The error of a service behind a breaker.
///
/// Exhaustive: a call is either not made or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Error<E> {
    /// The call was not made.
    Rejected(Rejected),
    /// The call was made and failed.
    Inner(E),
}

impl<E> Error<E> {
    /// The rejection, if this is one.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// The inner service's error, if the call was made.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Rejected(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected(_) => "the call was not made",
            Self::Inner(_) => "the call failed",
        })
    }
}

impl<E: StdError + 'static> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Inner(error) => Some(error),
        }
    }
}
