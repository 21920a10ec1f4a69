//! The breaker's rules, behaviour by behaviour, on clocks that the tests move.

#![expect(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    clippy::panic,
    clippy::significant_drop_tightening,
    clippy::redundant_clone,
    reason = "a test fails by panicking, and names only what it is about"
)]

mod abandoned;
mod active_probe;
mod active_probe_runtimes;
mod answers;
mod backoff;
mod backpressure;
mod clocks;
mod custom_policy;
mod elsewhere;
mod events;
mod half_open;
mod keyed;
mod listening;
mod manual;
mod messages;
mod ramp_up;
mod rates;
mod reconfigured;
mod stale;
mod support;
mod tower_laws;
mod trip_on_success;
mod tripping;
mod update;
