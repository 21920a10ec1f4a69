//! What goes into the machine and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::cause::CauseWord;
use crate::clock::Moment;
use crate::error::Reason;
use crate::half_open::HalfOpen;
use crate::policy::TripPolicy;
use crate::state::State;

/// What the user configured.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) policy: Arc<dyn Fn() -> Box<dyn TripPolicy> + Send + Sync>,
    pub(crate) reset_timeout: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) half_open: HalfOpen,
    pub(crate) lease: Duration,
    /// From when on a call is slow, where the policy watches for that.
    pub(crate) slow: Option<Duration>,
    pub(crate) ramp_up: Option<Duration>,
}

/// The circumstances of one step.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) now: Moment,
    pub(crate) rules: &'a Rules,
    /// A random number from 0 to 1.
    pub(crate) roll: f64,
}

impl At<'_> {
    /// Whether the answer has taken too long to begin, where the policy watches for that.
    pub(super) fn is_slow(&self, time: Time) -> bool {
        let took = time.answered.unwrap_or(self.now) - time.started;
        self.rules.slow.is_some_and(|slow| took > slow)
    }
}

/// Which admission an outcome belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) generation: u64,
    /// The probe's lease; zero for a call that is no probe.
    pub(crate) probe: u32,
    /// Which of the policies that one generation may see was told of the start; zero if none was.
    pub(crate) watch: u32,
}

impl Ticket {
    /// Admits a call of which nothing counts. Generation 0 is never entered.
    pub(crate) const UNCOUNTED: Self = Self { generation: 0, probe: 0, watch: 0 };

    /// Whether a policy wants to know how long the call takes.
    pub(crate) fn is_timed(self) -> bool {
        self.watch != 0
    }
}

/// When a call started and, if that was before its end, when its answer began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) started: Moment,
    pub(crate) answered: Option<Moment>,
}

impl From<Moment> for Time {
    fn from(started: Moment) -> Self {
        Self { started, answered: None }
    }
}

/// A call that was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) state: State,
    pub(crate) reason: Reason,
    pub(crate) until: Option<Moment>,
    pub(crate) cause: CauseWord,
}
