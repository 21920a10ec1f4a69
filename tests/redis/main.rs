//! redis-service against real Redis servers, which are killed, stopped and restarted for real.
//!
//! Every test starts a server of its own and waits for conditions, never for time to pass.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says with a panic that it failed")]

#[path = "../../redis-service/tests/contract/suite.rs"]
#[macro_use]
mod suite;

mod active_probe;
mod certificates;
mod cluster;
mod commands;
mod crowd;
mod dropped;
mod empty;
mod exclusive;
mod failures;
mod fallback;
mod from_pool;
mod health_and_status;
mod hostile;
mod loading;
mod local_writes;
mod mistakes;
mod operations;
mod outage;
mod performance;
mod process_wide;
mod protection;
mod proxy;
mod sentinel;
mod slots;
mod spans;
mod start;
mod support;
mod telemetry;
mod tls;
mod untold;
