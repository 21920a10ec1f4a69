//! Every way to get a breaker wrong.

use std::fmt;

/// A configuration that no breaker can have. One sentence for each broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigError {
    /// See the message.
    EmptyName,
    /// See the message.
    ZeroFailMax,
    /// See the message.
    ZeroResetTimeout,
    /// See the message.
    ZeroProbes,
    /// See the message.
    ZeroLease,
    /// See the message.
    ZeroRampUp,
    /// See the message.
    ZeroActiveProbeTimeout,
    /// See the message.
    HalfOpenThreshold,
    /// See the message.
    BackoffFactor,
    /// See the message.
    BackoffJitter,
    /// See the message.
    ZeroBackoffCap,
    /// See the message.
    RateThreshold,
    /// See the message.
    EmptyWindow,
    /// See the message.
    ZeroMinCalls,
    /// See the message.
    MinCallsAboveWindow,
    /// See the message.
    ZeroSlowThreshold,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyName => "a breaker needs a name that is not empty",
            Self::ZeroFailMax => "`fail_max` must be at least 1",
            Self::ZeroResetTimeout => "`reset_timeout` must be longer than zero",
            Self::ZeroProbes => "half-open needs at least 1 probe",
            Self::ZeroLease => "`probe_lease` must be longer than zero",
            Self::ZeroRampUp => "`ramp_up` must be longer than zero",
            Self::ZeroActiveProbeTimeout => {
                "the timeout of an active probe must be longer than zero"
            }
            Self::HalfOpenThreshold => "the threshold of half-open must be above 0 and at most 1",
            Self::BackoffFactor => "the factor of a backoff must be a finite number of at least 1",
            Self::BackoffJitter => "the jitter of a backoff must be from 0 to 1",
            Self::ZeroBackoffCap => "the cap of a backoff must be longer than zero",
            Self::RateThreshold => "the threshold of a rate must be above 0 and at most 1",
            Self::EmptyWindow => "a window must hold at least one call or some time",
            Self::ZeroMinCalls => "`min_calls` must be at least 1",
            Self::MinCallsAboveWindow => "`min_calls` must not be more than the window holds",
            Self::ZeroSlowThreshold => "the threshold of slow calls must be longer than zero",
        })
    }
}

impl std::error::Error for ConfigError {}
