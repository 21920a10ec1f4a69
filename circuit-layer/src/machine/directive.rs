//! What callers may do without asking the machine.
//!
//! The machine says so after each step, and the word tells everybody. Whatever it says wrong here is
//! not seen at once: too little only costs each call a lock, and too much loses what should be counted.

use super::{Machine, Phase};
use crate::clock::Moment;
use crate::policy::Deferral;
use crate::state::Control;
use crate::word::Directive;

impl Machine {
    /// What a call has to do, for the published word.
    pub(crate) fn directive(&self) -> Directive {
        let timed = self.limit < Moment::NEVER;
        match &self.phase {
            _ if self.control == Control::ObserveOnly || timed => Directive::Ask,
            Phase::Closed { policy, ramp, .. } => {
                if policy.slow_threshold().is_some() || ramp.is_some() {
                    Directive::Ask
                } else if self.control == Control::Disabled
                    || (policy.quiet() && !self.level.is_raised())
                {
                    Directive::Pristine
                } else {
                    Directive::Counting
                }
            }
            Phase::Open { .. } => Directive::Shut,
            Phase::HalfOpen { .. } => Directive::Ask,
        }
    }

    /// Which successes may be counted aside.
    pub(crate) fn deferral(&self) -> Deferral {
        match &self.phase {
            Phase::Closed { policy, .. }
                if self.directive() == Directive::Counting && !self.level.is_raised() =>
            {
                policy.deferral()
            }
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen { .. } => Deferral::NONE,
        }
    }
}
