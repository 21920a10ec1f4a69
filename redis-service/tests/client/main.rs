//! The client over a Redis in memory: no server, and time that the test moves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says with a panic that it failed")]

mod fallback;
mod loading;
mod local_writes;
mod support;
