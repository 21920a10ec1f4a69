//! The client over a Redis in memory: no server, and time that the test moves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says with a panic that it failed")]

#[path = "../contract/suite.rs"]
#[macro_use]
mod suite;

mod deletions;
mod fallback;
mod health_and_status;
mod health_metrics;
mod loading;
mod local_writes;
mod operations;
mod process_wide;
mod protection;
mod slow_deletions;
mod stampede;
mod state;
mod support;
#[cfg(feature = "otel")]
mod telemetry;
mod tower_laws;
