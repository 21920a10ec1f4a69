//! The laws of tower, one check for each, on every service of the workspace.
//!
//! A law that is only written down is kept until somebody is in a hurry. So the laws are a suite
//! ([`laws`] for middleware, [`leaf`] for services that end a stack), each service of the workspace
//! goes through it, and one service that is wrong in every way proves that each check can fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inner;
mod laws;
mod leaf;
mod leaves;
mod middleware;
mod wrong;
