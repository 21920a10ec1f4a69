//! What operators may say, and what the machine tells of itself.

use std::sync::Arc;
use std::time::Duration;

use super::{At, Level, Machine, Phase, Refusal};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::error::Reason;
use crate::half_open::{HalfOpen, Probes};
use crate::observe::Transition;
use crate::state::{Control, State};
use crate::window::Counts;

/// An operator's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Hold this control, for so long.
    Force(Control, Option<Duration>),
    /// Back to automatic; from forced open by way of half-open.
    Release,
    /// Closed, automatic and without a past.
    Reset,
}

impl Machine {
    /// Carries out an order. Each is a transition with a generation of its own.
    pub(crate) fn order(&mut self, order: Order, reason: Arc<str>, at: At<'_>) {
        self.tick(at);
        let reason = Some(reason);
        match order {
            Order::Force(control, limit) => {
                let end = limit.map_or(Moment::NEVER, |limit| at.now + limit);
                let (phase, limit) = match control {
                    // Its deadline is the limit.
                    Control::ForcedOpen => {
                        let wait = limit.unwrap_or(Duration::MAX);
                        (Phase::Open { until: end, wait, cause: Cause::Manual }, Moment::NEVER)
                    }
                    // The shadow goes on from the state the machine is in, with new evidence.
                    Control::ObserveOnly if self.control == Control::Automatic => {
                        (self.phase.afresh(at), end)
                    }
                    Control::Automatic
                    | Control::ForcedClosed
                    | Control::Disabled
                    | Control::ObserveOnly => (Phase::closed(at), end),
                };
                self.enter(phase, control, Cause::Manual, reason, at);
                self.limit = limit;
            }
            Order::Release if self.control == Control::Automatic => {}
            Order::Release if self.control == Control::ForcedOpen => {
                let half_open = Phase::half_open(Cause::Manual);
                self.enter(half_open, Control::Automatic, Cause::Manual, reason, at);
            }
            Order::Release => self.close(Control::Automatic, Cause::Manual, reason, at),
            Order::Reset => {
                self.level = Level::default();
                self.close(Control::Automatic, Cause::Manual, reason, at);
            }
        }
    }

    /// Why a call at this moment would not be admitted. It reserves nothing.
    pub(crate) fn refusal(&self, now: Moment, rule: &HalfOpen) -> Option<Refusal> {
        // Whoever only observes refuses nobody.
        (self.control != Control::ObserveOnly).then(|| self.objection(now, rule)).flatten()
    }

    /// What stands against a call at this moment, whether it may be refused or not.
    pub(crate) fn objection(&self, now: Moment, rule: &HalfOpen) -> Option<Refusal> {
        match &self.phase {
            Phase::Open { until, cause, .. } if now < *until => Some(Refusal {
                state: State::Open,
                reason: if self.control == Control::ForcedOpen {
                    Reason::ForcedOpen
                } else {
                    Reason::Open
                },
                until: (*until < Moment::NEVER).then_some(*until),
                cause: (*cause).into(),
            }),
            Phase::HalfOpen { probes, cause } if !probes.has_room(rule) => Some(Refusal {
                state: State::HalfOpen,
                reason: Reason::ProbesBusy,
                until: None,
                cause: (*cause).into(),
            }),
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen { .. } => None,
        }
    }

    /// When a call that is refused now may be admitted without anybody else doing anything.
    pub(crate) fn wake_at(&self) -> Moment {
        match &self.phase {
            Phase::Closed { .. } => Moment::NEVER,
            Phase::Open { until, .. } => *until,
            Phase::HalfOpen { probes, .. } => probes.next_lapse(),
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// The end of the wait, and what tripped.
    pub(crate) fn tripped(&self) -> Option<(Option<Moment>, Cause)> {
        match self.phase {
            Phase::Closed { .. } => None,
            Phase::Open { until, cause, .. } => Some((Some(until), cause)),
            Phase::HalfOpen { cause, .. } => Some((None, cause)),
        }
    }

    pub(crate) fn probes(&self) -> Option<&Probes> {
        match &self.phase {
            Phase::HalfOpen { probes, .. } => Some(probes),
            Phase::Closed { .. } | Phase::Open { .. } => None,
        }
    }

    /// What the closed state has seen, as of now; nothing in other states.
    pub(crate) fn counts(&mut self, now: Moment) -> Counts {
        match &mut self.phase {
            Phase::Closed { policy, .. } => policy.counts(now),
            Phase::Open { .. } | Phase::HalfOpen { .. } => Counts::default(),
        }
    }

    pub(crate) fn control(&self) -> Control {
        self.control
    }

    /// Why the operator gave the order that holds.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// When the order that holds ends by itself.
    pub(crate) fn limit(&self) -> Option<Moment> {
        let limit = match self.phase {
            Phase::Open { until, .. } if self.control == Control::ForcedOpen => until,
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen { .. } => self.limit,
        };
        (!limit.is_never()).then_some(limit)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn level(&self) -> u32 {
        self.level.get()
    }

    pub(crate) fn lapsed(&self) -> u64 {
        self.lapsed
    }

    pub(crate) fn take_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }
}
