//! The state machine: what happens next, decided from values alone.
//!
//! ```text
//!                trip (policy)                    wait over, at the next admission
//!   ┌────────┐ ───────────────▶ ┌──────┐ ────────────────────────────────▶ ┌───────────┐
//!   │ Closed │                  │ Open │                                   │ Half-open │
//!   └────────┘                  └──────┘ ◀──────────────────────────────── └───────────┘
//!        ▲                                 a probe failed, or its lease ended     │
//!        └────────────────────────────────────────────────────────────────────────┘
//!                                  enough probes succeeded
//! ```
//!
//! Nothing here reads a clock, takes a lock, writes a log or awaits: `now`, the rules and a random
//! number come in as [`At`], transitions go out through [`Machine::take_transitions`]. Every state
//! keeps its data in its own variant, so it can not outlive the state. [`Machine::enter`] alone
//! enters a state, and bumps the generation each time; a [`Ticket`] of an older generation settles
//! nothing.

mod active_probe;
mod answers;
mod directive;
mod level;
mod moves;
mod order;
mod phase;
mod ramp;
mod terms;
#[cfg(test)]
mod tests;
mod update;

use std::sync::Arc;
use std::time::Duration;

use self::level::Level;
pub(crate) use self::order::Order;
use self::phase::Phase;
use self::ramp::Ramp;
pub(crate) use self::terms::{At, Refusal, Rules, Ticket, Time};
use crate::cause::{Cause, CauseWord};
use crate::clock::Moment;
use crate::error::Reason;
use crate::half_open::Decision;
use crate::observe::Transition;
use crate::outcome::{Outcome, Recorded};
use crate::policy::Call;
use crate::state::{Control, State};

#[derive(Debug)]
pub(crate) struct Machine {
    name: &'static str,
    generation: u64,
    phase: Phase,
    control: Control,
    /// Why the operator gave the order that holds.
    reason: Option<Arc<str>>,
    /// When an order other than a forced open ends by itself.
    limit: Moment,
    level: Level,
    /// How many policies this machine has had in the same place, this one included.
    watch: u32,
    /// Leases that ended before their probe did, ever.
    lapsed: u64,
    transitions: Vec<Transition>,
}

impl Machine {
    /// A closed machine that continues the generations of the cell it lives in.
    pub(crate) fn new(name: &'static str, generation: u64, at: At<'_>) -> Self {
        Self {
            name,
            generation,
            phase: Phase::closed(at),
            control: Control::Automatic,
            reason: None,
            limit: Moment::NEVER,
            level: Level::default(),
            watch: 1,
            lapsed: 0,
            transitions: Vec::new(),
        }
    }

    /// May this call go?
    pub(crate) fn admit(&mut self, at: At<'_>) -> Result<Ticket, Refusal> {
        self.tick(at);
        if let Phase::Open { until, cause, .. } = self.phase
            && at.now >= until
        {
            self.enter(Phase::half_open(cause), self.unforced(), Cause::WaitOver, None, at);
        }
        let objection = self.objection(at.now, &at.rules.half_open);
        if let Some(refusal) = objection.or_else(|| self.ramping(at.now)) {
            return if self.control == Control::ObserveOnly {
                Ok(Ticket::UNCOUNTED)
            } else {
                Err(refusal)
            };
        }
        let watch = if at.rules.slow.is_some() { self.watch } else { 0 };
        let probe = match &mut self.phase {
            Phase::HalfOpen { probes, .. } => probes.admit(at.now, at.rules.lease),
            Phase::Closed { policy, .. } if watch != 0 => {
                policy.start(at.now);
                0
            }
            Phase::Closed { .. } | Phase::Open { .. } => 0,
        };
        Ok(Ticket { generation: self.generation, probe, watch })
    }

    /// Takes a call's outcome.
    pub(crate) fn settle(
        &mut self,
        ticket: Ticket,
        time: Option<Time>,
        outcome: Outcome,
        at: At<'_>,
    ) -> Recorded {
        self.tick(at);
        if ticket.generation != self.generation {
            return Recorded::Stale;
        }
        let (failed, retry_after) = match outcome {
            Outcome::Success => (false, None),
            Outcome::Failure { retry_after, .. } => (true, retry_after),
            Outcome::Ignored => return self.give_back(ticket, time),
        };
        let call = Call {
            failed,
            started: time.map(|time| time.started),
            answered: time.and_then(|time| time.answered),
            watched: ticket.watch == self.watch,
        };
        match &mut self.phase {
            Phase::Closed { .. } if self.control == Control::Disabled => Recorded::Ignored,
            Phase::Closed { policy, since, .. } => {
                let cause = policy.record(call, at.now);
                if !failed {
                    self.level.healthy(*since, at.now);
                }
                if let Some(cause) = cause
                    && self.control != Control::ForcedClosed
                {
                    self.trip(cause, retry_after, at);
                }
                Recorded::Counted
            }
            // Without a slot of its own: the follow-up of a probe that was settled early.
            Phase::HalfOpen { probes, .. } if ticket.probe == 0 => {
                let decision = probes.fail_late(&at.rules.half_open);
                self.decide(decision, Cause::ProbeFailed, retry_after, at)
            }
            Phase::HalfOpen { probes, .. } => {
                let slow = time.is_some_and(|time| at.is_slow(time));
                match probes.settle(ticket.probe, failed || slow, &at.rules.half_open) {
                    Some(decision) => self.decide(decision, Cause::ProbeFailed, retry_after, at),
                    None => Recorded::Stale,
                }
            }
            // An open generation admits nobody, so there is nobody to answer for it.
            Phase::Open { .. } => Recorded::Stale,
        }
    }

    /// Takes in successes that were counted aside, the last of which ended at `at.now`.
    pub(crate) fn fold(&mut self, successes: u32, at: At<'_>) {
        if let Phase::Closed { policy, .. } = &mut self.phase {
            policy.record_successes(successes, at.now);
        }
    }

    /// Turns a call away that is not one of the share of a ramp.
    fn ramping(&mut self, now: Moment) -> Option<Refusal> {
        let Phase::Closed { ramp, .. } = &mut self.phase else { return None };
        let end = ramp.as_ref()?.end();
        if now >= end {
            *ramp = None;
            return None;
        }
        (!ramp.as_mut()?.admits(now)).then_some(Refusal {
            state: State::Closed,
            reason: Reason::RampUp,
            until: Some(end),
            cause: CauseWord::NONE,
        })
    }

    /// Ends leases and orders whose time is up, and looks at the calls in flight.
    pub(crate) fn tick(&mut self, at: At<'_>) {
        if at.now >= self.limit {
            self.close(Control::Automatic, Cause::LimitReached, None, at);
        }
        if let Phase::Closed { policy, .. } = &mut self.phase
            && at.rules.slow.is_some()
            && self.control != Control::Disabled
            && let Some(cause) = policy.look(at.now)
            && self.control != Control::ForcedClosed
        {
            self.trip(cause, None, at);
        }
        if let Phase::HalfOpen { probes, .. } = &mut self.phase {
            let (lapsed, decision) = probes.reap(at.now, &at.rules.half_open);
            self.lapsed += u64::from(lapsed);
            self.decide(decision, Cause::LeaseExpired, None, at);
        }
    }

    fn decide(
        &mut self,
        decision: Decision,
        failure: Cause,
        retry_after: Option<Duration>,
        at: At<'_>,
    ) -> Recorded {
        match decision {
            Decision::Undecided => {}
            Decision::Close => {
                self.close(self.unforced(), Cause::Recovered, None, at);
                if let (Phase::Closed { ramp, .. }, Some(length)) =
                    (&mut self.phase, at.rules.ramp_up)
                {
                    *ramp = Some(Ramp::new(at.now, length));
                }
            }
            Decision::Reopen => self.trip(failure, retry_after, at),
        }
        Recorded::Counted
    }

    fn give_back(&mut self, ticket: Ticket, time: Option<Time>) -> Recorded {
        match (&mut self.phase, time) {
            (Phase::HalfOpen { probes, .. }, _) => {
                probes.release(ticket.probe);
            }
            (Phase::Closed { policy, .. }, Some(Time { started, answered: None }))
                if ticket.watch == self.watch =>
            {
                policy.forget(started);
            }
            (Phase::Closed { .. } | Phase::Open { .. }, _) => {}
        }
        Recorded::Ignored
    }
}
