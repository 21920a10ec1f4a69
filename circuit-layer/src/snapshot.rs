//! Everything there is to know about a breaker at one moment.

use std::time::Duration;

use crate::cause::Cause;
use crate::cell::Cell;
use crate::clock::Moment;
use crate::state::{Control, State};
use crate::window::Counts;

/// What a breaker looks like at one moment. All of it was true at the same time, but for
/// [`rejected`](Self::rejected), which is counted without the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// The breaker's name.
    pub name: &'static str,
    /// The state.
    pub state: State,
    /// Who decides: the machine, or an operator's order.
    pub control: Control,
    /// The operator's reason, as long as an order holds.
    pub reason: Option<String>,
    /// What is left of the order's time limit; None without an order or a limit.
    pub control_ends_in: Option<Duration>,
    /// How many states have been entered, this one included, by all breakers that ever lived in
    /// this breaker's place.
    pub generation: u64,
    /// What tripped the breaker; None while closed.
    pub cause: Option<Cause>,
    /// What is left of the wait while open; zero once the next call is a probe. None in other
    /// states, and while forced open without a limit.
    pub retry_after: Option<Duration>,
    /// The end of that wait on the breaker's clock, to [sleep](crate::Clock::sleep_until) until then.
    pub deadline: Option<Moment>,
    /// What the closed state has seen, by the measure of the policy; zero in other states, and for a
    /// policy that ignores successes while all is well.
    pub counts: Counts,
    /// Probes that are out.
    pub probes_in_flight: u32,
    /// Probes of this half-open state that have succeeded.
    pub probes_succeeded: u32,
    /// Probes of this half-open state that have failed or lapsed.
    pub probes_failed: u32,
    /// How often recovery has failed lately: the exponent of the backoff.
    pub level: u32,
    /// Rejected calls, ever.
    pub rejected: u64,
    /// Outcomes that came after the end of their generation, ever.
    pub stale: u64,
    /// Probes that did not answer within their lease, ever.
    pub leases_expired: u64,
    /// Transitions that no observer got by themselves because 1024 were waiting for delivery: each of
    /// them has been merged into the one that came after it.
    pub events_dropped: u64,
}

impl Snapshot {
    pub(crate) fn take(cell: &Cell, name: &'static str) -> Self {
        let rejected = cell.rejected();
        let taken = cell.look(|machine, ledger, at| {
            machine.tick(at);
            let tripped = machine.tripped();
            let until = tripped.and_then(|(until, _)| until).filter(|until| !until.is_never());
            let counts = machine.counts(at.now);
            let probes = machine.probes();
            Self {
                name,
                state: machine.state(),
                control: machine.control(),
                reason: machine.reason().map(str::to_owned),
                control_ends_in: machine.limit().map(|limit| limit - at.now),
                generation: machine.generation(),
                cause: tripped.map(|(_, cause)| cause),
                retry_after: until.map(|until| until - at.now),
                deadline: until,
                counts,
                probes_in_flight: probes.map_or(0, |probes| probes.in_flight()),
                probes_succeeded: probes.map_or(0, |probes| probes.succeeded),
                probes_failed: probes.map_or(0, |probes| probes.failed),
                level: machine.level(),
                rejected,
                stale: ledger.stale,
                leases_expired: machine.lapsed(),
                events_dropped: ledger.outbox.dropped,
            }
        });
        // A handle keeps its breaker alive, so there is one to look at.
        taken.unwrap_or_else(|| Self::of_nothing(name))
    }

    fn of_nothing(name: &'static str) -> Self {
        Self {
            name,
            state: State::Closed,
            control: Control::Automatic,
            reason: None,
            control_ends_in: None,
            generation: 0,
            cause: Some(Cause::Released),
            retry_after: None,
            deadline: None,
            counts: Counts::default(),
            probes_in_flight: 0,
            probes_succeeded: 0,
            probes_failed: 0,
            level: 0,
            rejected: 0,
            stale: 0,
            leases_expired: 0,
            events_dropped: 0,
        }
    }
}
