//! What the answer of an active probe changes.

use super::{At, Machine, Phase};

impl Machine {
    /// Takes the answer of an active probe that was started in `generation`: the wait ends now, or it
    /// begins anew. False if it comes too late to change anything.
    pub(crate) fn answer(&mut self, generation: u64, healthy: bool, at: At<'_>) -> bool {
        self.tick(at);
        match &mut self.phase {
            Phase::Open { until, wait, .. } if generation == self.generation => {
                *until = if healthy { at.now } else { at.now + *wait };
                true
            }
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen { .. } => false,
        }
    }
}
