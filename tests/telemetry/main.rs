//! Dashboards and alerts are written against exact names, types, labels and values. These tests
//! hold the eleven metrics to the text that Prometheus reads.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::float_cmp, reason = "counts below 2^53 are exact")]

mod churn;
mod exposition;
mod health;
mod invariants;
mod lifetimes;
mod otlp;
mod parents;
mod scrape;
mod whole;
