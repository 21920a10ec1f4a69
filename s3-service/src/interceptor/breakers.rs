//! Which breaker an attempt asks.

use std::fmt;
use std::sync::Arc;

use aws_smithy_types::config_bag::ConfigBag;
use circuit_layer::CircuitBreaker;

#[derive(Clone, Debug)]
pub(super) enum Breakers {
    /// The same for all.
    One(CircuitBreaker),
    /// Whichever the user names.
    Chosen(Chooser),
}

#[derive(Clone)]
pub(super) struct Chooser(pub(super) Arc<dyn Fn(&ConfigBag) -> CircuitBreaker + Send + Sync>);

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chooser")
    }
}

impl Breakers {
    pub(super) fn of(&self, cfg: &ConfigBag) -> CircuitBreaker {
        match self {
            Self::One(breaker) => breaker.clone(),
            Self::Chosen(Chooser(choose)) => choose(cfg),
        }
    }
}
