//! What the database breaker claims, on a `PostgreSQL` that is killed, frozen, filled up and demoted.
#![cfg(test)]
#![expect(
    clippy::significant_drop_tightening,
    reason = "a server and its pool live as long as the test"
)]

mod access;
mod active_probe;
mod outage;
mod pool;
mod standby;
mod support;
