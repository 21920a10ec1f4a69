//! S3 against a real server in the process, killed for real.
#![cfg(test)]

mod download;
mod interceptor;
mod outage;
mod service;
mod support;
mod telemetry;
mod timeouts;
