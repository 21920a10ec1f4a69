//! The states, each with its own data.

use std::time::Duration;

use super::{At, Ramp};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::half_open::Probes;
use crate::policy::TripPolicy;

#[derive(Debug)]
pub(super) enum Phase {
    Closed {
        policy: Box<dyn TripPolicy>,
        since: Moment,
        ramp: Option<Ramp>,
    },
    /// `wait` is how long the whole of it is.
    Open {
        until: Moment,
        wait: Duration,
        cause: Cause,
    },
    HalfOpen {
        probes: Probes,
        cause: Cause,
    },
}

impl Phase {
    pub(super) fn closed(at: At<'_>) -> Self {
        Self::Closed { policy: (at.rules.policy)(), since: at.now, ramp: None }
    }

    pub(super) fn half_open(cause: Cause) -> Self {
        Self::HalfOpen { probes: Probes::default(), cause }
    }

    /// The same state without the evidence that it has gathered.
    pub(super) fn afresh(&self, at: At<'_>) -> Self {
        match *self {
            Self::Closed { .. } => Self::closed(at),
            Self::Open { until, wait, cause } => Self::Open { until, wait, cause },
            Self::HalfOpen { cause, .. } => Self::half_open(cause),
        }
    }
}
