//! Building a breaker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::active_probe::ActiveProbe;
use crate::backoff::Backoff;
use crate::breaker::CircuitBreaker;
use crate::cell::Seed;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::half_open::{HalfOpen, Verdict};
use crate::machine::Rules;
use crate::observe::{Audience, Observer};
use crate::policy::{ConsecutiveFailures, TripPolicy};

/// The defaults are those of the system that this one succeeds.
const FAIL_MAX: u32 = 5;
const RESET_TIMEOUT: Duration = Duration::from_secs(60);
const HALF_OPEN_MAX_ATTEMPTS: u32 = 3;

/// Long enough for a caller to change its mind, too short to hide a hang.
const ABANDONED_AFTER: Duration = Duration::from_secs(1);
const SHORTEST_DEFAULT_LEASE: Duration = Duration::from_secs(30);

/// Builds a [`CircuitBreaker`].
#[must_use = "a builder does nothing until built"]
pub struct CircuitBreakerBuilder {
    name: String,
    fail_max: u32,
    policy: Option<Arc<dyn Fn() -> Box<dyn TripPolicy> + Send + Sync>>,
    reset_timeout: Duration,
    backoff: Backoff,
    half_open: HalfOpen,
    lease: Option<Duration>,
    abandoned_after: Option<Duration>,
    ramp_up: Option<Duration>,
    active_probe: Option<ActiveProbe>,
    clock: Clock,
    observers: Vec<Box<dyn Observer>>,
}

impl CircuitBreakerBuilder {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            fail_max: FAIL_MAX,
            policy: None,
            reset_timeout: RESET_TIMEOUT,
            backoff: Backoff::none(),
            half_open: HalfOpen::all(HALF_OPEN_MAX_ATTEMPTS),
            lease: None,
            abandoned_after: Some(ABANDONED_AFTER),
            ramp_up: None,
            active_probe: None,
            clock: Clock::default(),
            observers: Vec::new(),
        }
    }

    /// Trips after so many consecutive failures. Default 5.
    pub fn fail_max(mut self, failures: u32) -> Self {
        self.fail_max = failures;
        self.policy = None;
        self
    }

    /// Trips by this policy instead of [`fail_max`](Self::fail_max). Every closed period starts with
    /// a clone of it.
    pub fn policy<P: TripPolicy + Clone + Sync>(mut self, policy: P) -> Self {
        self.policy = Some(Arc::new(move || Box::new(policy.clone())));
        self
    }

    /// How long an open breaker rejects before it lets a probe through. Default 60 s.
    pub fn reset_timeout(mut self, wait: Duration) -> Self {
        self.reset_timeout = wait;
        self
    }

    /// Waits longer with each failed recovery. Default: it does not.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// So many probes, all of which must succeed. Default 3.
    pub fn half_open_max_attempts(self, probes: u32) -> Self {
        self.half_open(HalfOpen::all(probes))
    }

    /// How a half-open breaker decides, where [`half_open_max_attempts`](Self::half_open_max_attempts)
    /// says too little.
    pub fn half_open(mut self, rule: HalfOpen) -> Self {
        self.half_open = rule;
        self
    }

    /// How long a probe may take before it counts as failed. Default: twice the slow threshold of
    /// the policy, and at least 30 s.
    pub fn probe_lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// From when on a call that is dropped before its end counts as a failure. Default 1 s; `None`:
    /// a dropped call never counts.
    ///
    /// **Set it below every timeout that stands outside of the breaker.** An outer timeout drops the
    /// call, and a hang would be invisible otherwise.
    pub fn abandoned_after(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.abandoned_after = after.into();
        self
    }

    /// For so long after recovery admits only a share of the calls: a tenth, or as much as of this
    /// time has passed. The others are rejected with [`Reason::RampUp`](crate::Reason::RampUp).
    /// Default: all of them at once.
    pub fn ramp_up(mut self, length: Duration) -> Self {
        self.ramp_up = Some(length);
        self
    }

    /// Asks the dependency itself while open, and ends the wait when it answers. Default: nobody asks.
    pub fn active_probe(mut self, probe: ActiveProbe) -> Self {
        self.active_probe = Some(probe);
        self
    }

    /// Where time comes from. Default: tokio's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds an observer of everything that the breaker does.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Builds the breaker, closed.
    ///
    /// # Errors
    ///
    /// The first rule that the configuration breaks.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        self.into_checked_seed().map(CircuitBreaker::from_seed)
    }

    pub(crate) fn into_checked_seed(self) -> Result<Seed, ConfigError> {
        self.check()?;
        Ok(self.into_seed())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Backoff { factor, jitter, cap } = self.backoff;
        let threshold_holds = match self.half_open.verdict {
            Verdict::All => true,
            Verdict::Rate(threshold) => threshold > 0.0 && threshold <= 1.0,
        };
        let probe_has_time = self.active_probe.as_ref().is_none_or(ActiveProbe::is_in_time);
        let rules = [
            (!self.name.is_empty(), ConfigError::EmptyName),
            (self.fail_max > 0, ConfigError::ZeroFailMax),
            (!self.reset_timeout.is_zero(), ConfigError::ZeroResetTimeout),
            (self.half_open.probes > 0, ConfigError::ZeroProbes),
            (self.lease != Some(Duration::ZERO), ConfigError::ZeroLease),
            (self.ramp_up != Some(Duration::ZERO), ConfigError::ZeroRampUp),
            (probe_has_time, ConfigError::ZeroActiveProbeTimeout),
            (threshold_holds, ConfigError::HalfOpenThreshold),
            (factor.is_finite() && factor >= 1.0, ConfigError::BackoffFactor),
            ((0.0..=1.0).contains(&jitter), ConfigError::BackoffJitter),
            (cap != Some(Duration::ZERO), ConfigError::ZeroBackoffCap),
        ];
        if let Some((_, broken)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(broken);
        }
        self.policy.as_ref().map_or(Ok(()), |policy| policy().check())
    }

    /// What the breaker starts with. The caller has checked the rules, or set none.
    pub(crate) fn into_seed(self) -> Seed {
        let fail_max = self.fail_max;
        let policy = self
            .policy
            .unwrap_or_else(|| Arc::new(move || Box::new(ConsecutiveFailures::new(fail_max))));
        let slow = policy().slow_threshold();
        let twice_slow = slow.unwrap_or_default().saturating_mul(2);
        let lease = self.lease.unwrap_or_else(|| twice_slow.max(SHORTEST_DEFAULT_LEASE));
        Seed {
            name: self.name,
            rules: Rules {
                policy,
                reset_timeout: self.reset_timeout,
                backoff: self.backoff,
                half_open: self.half_open,
                lease,
                slow,
                ramp_up: self.ramp_up,
            },
            clock: self.clock,
            audience: Audience::new(self.observers),
            abandoned_after: self.abandoned_after,
            active_probe: self.active_probe,
        }
    }
}

impl fmt::Debug for CircuitBreakerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerBuilder")
            .field("name", &self.name)
            .field("reset_timeout", &self.reset_timeout)
            .field("backoff", &self.backoff)
            .field("half_open", &self.half_open)
            .finish_non_exhaustive()
    }
}
