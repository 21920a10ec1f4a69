//! What may be said to a breaker that runs: operators' orders, and another configuration.

use std::sync::Arc;
use std::time::Duration;

use super::CircuitBreaker;
use crate::builder::CircuitBreakerBuilder;
use crate::config_error::ConfigError;
use crate::machine::Order;
use crate::state::Control;

impl CircuitBreaker {
    /// Rejects every call until [`release`](Self::release), or until `limit` is over: then the
    /// breaker is half-open. Forcing again sets the limit anew.
    pub fn force_open(&self, reason: &str, limit: Option<Duration>) {
        self.order(Order::Force(Control::ForcedOpen, limit), reason);
    }

    /// Admits every call; outcomes are counted and nothing trips. After `limit` the breaker is
    /// closed and empty.
    pub fn force_closed(&self, reason: &str, limit: Option<Duration>) {
        self.order(Order::Force(Control::ForcedClosed, limit), reason);
    }

    /// Admits every call and records nothing. After `limit` the breaker is closed and empty.
    pub fn disable(&self, reason: &str, limit: Option<Duration>) {
        self.order(Order::Force(Control::Disabled, limit), reason);
    }

    /// Lets the machine record and report, and rejects nothing: a call that would be rejected passes
    /// uncounted with an [`Event::WouldReject`](crate::Event::WouldReject). After `limit` the breaker
    /// is closed and empty.
    pub fn observe_only(&self, reason: &str, limit: Option<Duration>) {
        self.order(Order::Force(Control::ObserveOnly, limit), reason);
    }

    /// Ends an order: a forced open breaker becomes half-open, any other closed and empty. Without an
    /// order it does nothing.
    pub fn release(&self, reason: &str) {
        self.order(Order::Release, reason);
    }

    /// Closes the breaker, and forgets orders, counts and relapses.
    pub fn reset(&self, reason: &str) {
        self.order(Order::Reset, reason);
    }

    /// Goes on under another configuration, without a break.
    ///
    /// The name, the clock and the observers of a breaker are its own: those of `config` are ignored. Its
    /// active probe stays unless `config` has another. All else is replaced, to the defaults where
    /// `config` says nothing. The state and the generation
    /// stay, deadlines and leases that are set stay, and permits that are out stay valid. Counts are
    /// kept as far as the new shape holds them, the newest first; a policy of another kind, or a window
    /// of another kind, starts empty. Then the new rules are looked at once, and may trip, close or
    /// re-open the breaker at that. Whoever waits for an admission looks again.
    ///
    /// # Errors
    ///
    /// The first rule that the configuration breaks, as in
    /// [`build`](CircuitBreakerBuilder::build); then nothing has changed.
    ///
    /// ```
    /// use circuit_layer::{CircuitBreaker, ConfigError, State};
    ///
    /// let breaker = CircuitBreaker::new("search");
    /// for _ in 0..3 {
    ///     breaker.try_acquire().unwrap().failure("timeout");
    /// }
    /// let nobody = CircuitBreaker::builder("search").fail_max(0);
    /// assert_eq!(breaker.update(nobody), Err(ConfigError::ZeroFailMax));
    ///
    /// breaker.update(CircuitBreaker::builder("search").fail_max(3))?;
    /// assert_eq!(breaker.state(), State::Open, "three failures are enough now");
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub fn update(&self, config: CircuitBreakerBuilder) -> Result<(), ConfigError> {
        self.0.cell.update(config.into_checked_seed()?, self.now());
        Ok(())
    }

    fn order(&self, order: Order, reason: &str) {
        self.0.cell.order(order, Arc::from(reason), self.now());
    }
}
