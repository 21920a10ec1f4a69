//! Tests of the whole against real servers; they live in the folders beside this one.

pub mod probes;
pub mod spans;

/// The README, so that its example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
