//! The metrics of guarded dependencies, on an OpenTelemetry `Meter` (feature `otel`).
//!
//! Dashboards and alerts are written once, against exact names; but the names, units and suffixes
//! that reach Prometheus depend on every crate in between. And counting must not cost more than what
//! is counted: a plain OpenTelemetry counter and histogram take over 100 ns per call, a closed
//! breaker 2.
//!
//! So a [`Family`] says which names, labels and buckets there are ([`REDIS`] and [`S3`] make the
//! eleven families of this workspace); a [`Recorder`] counts one instance's calls on atomics, which
//! the meter reads when it is scraped; and an [`Exporter`] is the exporter with the one set of
//! switches that leaves the names alone.
//!
//! ```text
//!  Meter ── Metrics ──┬── family redis ──┬── Recorder (unnamed)
//!                     │                  └── Recorder "sessions"   service_peer_name="sessions"
//!                     └── family s3 ──────── Recorder (unnamed)
//! ```
//!
//! ```
//! use circuit_layer::metrics::{Exporter, Metrics, REDIS, Recorder};
//! use circuit_layer::{CircuitBreaker, HealthMetrics};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let exporter = Exporter::new()?;
//! let metrics = Metrics::new(&exporter.meter());
//!
//! let breaker = CircuitBreaker::new("redis");
//! let health = HealthMetrics::new(Duration::from_millis(100), breaker.clock().clone());
//! let recorder = Recorder::new(&metrics, &REDIS, None)?;
//! recorder.watch(&breaker, Arc::new(health));
//! recorder.success(REDIS.operation("get"), Duration::from_micros(300));
//!
//! let text = exporter.render()?;
//! assert!(text.contains(r#"redis_requests_total{operation="get",status="success"} 1"#));
//! assert!(text.contains("redis_circuit_breaker_state 0"));
//! # Ok(())
//! # }
//! ```
//!
//! # What is shown when
//!
//! - The gauges from [`Recorder::watch`] on; bytes at once; the rest of an operation from its first
//!   call, then with every status and error type, so that a rate sees the first failure.
//! - Latency counts are always the successes plus the failures, and errors add up to the failures.
//! - The SDK keeps at most 2000 series per metric, which is enough for nine named instances that use
//!   every operation of [`REDIS`]. Raise it by a view on a provider of your own.
//!
//! # More, when asked for
//!
//! [`Metrics::gauge`] shows a number of a pool, a queue or a level under a name of its own, and
//! [`Metrics::count_transitions`] counts what a gauge of the state misses between two scrapes. Neither
//! is on by default.
//!
//! # With an exporter of your own
//!
//! `opentelemetry-prometheus` needs `without_counter_suffixes()` and `without_units()` for the names,
//! `without_target_info()` and `scope_info_enabled(false)` for nothing besides. Over OTLP, Prometheus
//! needs `translation_strategy: UnderscoreEscapingWithoutSuffixes`, or it renames
//! `s3_bytes_transferred`. An exponential histogram by a view disappears from a Prometheus exporter.
//!
//! The feature `otel-bound` makes recording a latency three times as fast by an experimental feature
//! of OpenTelemetry 0.33. A meter that does not come from that version of `opentelemetry_sdk` then
//! drops latencies silently, so it is off by default: scrape once before you rely on it.

mod cells;
mod error;
mod exporter;
mod family;
mod gauge;
mod hub;
mod latency;
mod recorder;
#[cfg(feature = "http")]
mod service;
mod slots;
#[cfg(test)]
mod tests;
mod transitions;

pub use error::{ExporterError, RecorderError};
pub use exporter::Exporter;
pub use family::{Family, REDIS, S3};
pub use gauge::{Gauge, Shown};
pub use hub::Metrics;
pub use recorder::Recorder;
#[cfg(feature = "http")]
pub use service::MetricsService;
