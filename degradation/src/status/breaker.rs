//! A breaker, as a page shows it.

use std::borrow::Cow;

use circuit_layer::{Control, Snapshot, State};

/// The breaker of a dependency within a [`StatusDocument`](crate::StatusDocument).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct BreakerStatus {
    /// `closed`, `open` or `half_open`.
    pub state: Cow<'static, str>,
    /// Who decides: `automatic`, or an operator's order: `forced_open`, `forced_closed`,
    /// `disabled`, `observe_only`.
    pub control: Cow<'static, str>,
    /// What tripped it, in words; None while closed.
    pub cause: Option<String>,
    /// How many states have been entered.
    pub generation: u64,
    /// How often recovery has failed lately: the exponent of the backoff.
    pub level: u32,
    /// Rejected calls, ever.
    pub rejected: u64,
    /// Probes that are out.
    pub probes_in_flight: u32,
    /// Probes of this half-open state that have succeeded.
    pub probes_succeeded: u32,
    /// Probes that did not answer within their lease, ever.
    pub leases_expired: u64,
}

impl From<&Snapshot> for BreakerStatus {
    fn from(breaker: &Snapshot) -> Self {
        Self {
            state: Cow::Borrowed(state(breaker.state)),
            control: Cow::Borrowed(control(breaker.control)),
            cause: breaker.cause.map(|cause| cause.to_string()),
            generation: breaker.generation,
            level: breaker.level,
            rejected: breaker.rejected,
            probes_in_flight: breaker.probes_in_flight,
            probes_succeeded: breaker.probes_succeeded,
            leases_expired: breaker.leases_expired,
        }
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half_open",
    }
}

const fn control(control: Control) -> &'static str {
    match control {
        Control::Automatic => "automatic",
        Control::ForcedOpen => "forced_open",
        Control::ForcedClosed => "forced_closed",
        Control::Disabled => "disabled",
        Control::ObserveOnly => "observe_only",
        _ => "other",
    }
}
