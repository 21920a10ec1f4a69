//! Other rules for a machine that runs.

use std::any::{Any, TypeId};

use super::{At, Machine, Phase};
use crate::cause::Cause;
use crate::policy::TripPolicy;
use crate::state::Control;

impl Machine {
    /// Goes on under the rules of `at`, in the same generation. Deadlines and leases stay; what has been
    /// counted is taken over as far as it fits, and looked at once.
    pub(crate) fn update(&mut self, at: At<'_>) {
        match &mut self.phase {
            Phase::Closed { policy, .. } => {
                let mut successor = (at.rules.policy)();
                if kind(&**policy) == kind(&*successor) {
                    let former: &dyn Any = &**policy;
                    successor.take_over(former, at.now);
                } else {
                    // It knows nothing of the starts that its predecessor was told of.
                    self.watch = self.watch.wrapping_add(1).max(1);
                }
                *policy = successor;
                let held = matches!(self.control, Control::Disabled | Control::ForcedClosed);
                if !held && let Some(cause) = policy.verdict(at.now) {
                    self.trip(cause, None, at);
                }
            }
            Phase::HalfOpen { probes, .. } => {
                let decision = probes.decision(&at.rules.half_open);
                self.decide(decision, Cause::ProbeFailed, None, at);
            }
            Phase::Open { .. } => {}
        }
    }
}

fn kind(policy: &dyn TripPolicy) -> TypeId {
    let policy: &dyn Any = policy;
    policy.type_id()
}
