//! How the machine gets from one state into another.

use std::sync::Arc;
use std::time::Duration;

use super::{At, Machine, Phase};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::observe::Transition;
use crate::state::Control;

impl Machine {
    pub(super) fn trip(&mut self, cause: Cause, retry_after: Option<Duration>, at: At<'_>) {
        let base = at.rules.reset_timeout;
        let level = self.level.trip(at.now, at.rules.backoff.grows());
        let wait = match retry_after {
            Some(asked) => at.rules.backoff.asked(base, asked),
            None => at.rules.backoff.wait(base, level, at.roll),
        };
        let open = Phase::Open { until: at.now + wait, wait, cause };
        self.enter(open, self.unforced(), cause, None, at);
    }

    pub(super) fn close(
        &mut self,
        control: Control,
        cause: Cause,
        reason: Option<Arc<str>>,
        at: At<'_>,
    ) {
        self.enter(Phase::closed(at), control, cause, reason, at);
    }

    /// Who decides after the machine has moved by itself: it never leaves the shadow, and it never
    /// stays where an order held it.
    pub(super) fn unforced(&self) -> Control {
        if self.control == Control::ObserveOnly { Control::ObserveOnly } else { Control::Automatic }
    }

    /// The one door into every state.
    pub(super) fn enter(
        &mut self,
        phase: Phase,
        control: Control,
        cause: Cause,
        reason: Option<Arc<str>>,
        at: At<'_>,
    ) {
        let from = self.state();
        self.level.interrupt(at.now);
        self.phase = phase;
        self.control = control;
        self.generation += 1;
        if control == Control::Automatic {
            self.limit = Moment::NEVER;
            self.reason = None;
        } else if reason.is_some() {
            self.reason.clone_from(&reason);
        }
        self.transitions.push(Transition {
            name: self.name,
            from,
            to: self.state(),
            cause,
            reason,
            generation: self.generation,
            shadow: control == Control::ObserveOnly,
            at: at.now,
        });
    }
}
