//! The rules, through the public interface and on a clock that the tests move: what follows from
//! which dependencies are down, how seldom a level changes, and what can never be.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop")]

mod combinations;
mod flapping;
mod house;
mod properties;
