//! The service without a server: on the store in memory, and on a wire that answers by a script.

#![cfg(test)]

mod health_and_status;
mod health_metrics;
mod operations;
mod protection;
mod state;
mod wire;
