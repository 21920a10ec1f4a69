//! S3 against a real server in the process, killed for real, and against moto.
#![cfg(test)]

mod active_probe;
mod health_and_status;
mod health_metrics;
mod moto;
mod operations;
mod protection;
mod spans;
mod spool;
mod state;
mod support;
