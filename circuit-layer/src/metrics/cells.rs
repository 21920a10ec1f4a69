//! The numbers that a call counts on, one cell per operation.
//!
//! An OpenTelemetry counter looks its attributes up in a locked map at each call, which costs more
//! than a hundred nanoseconds and makes callers of different operations wait for one another. Here a
//! call adds to an atomic in the cell of its operation, which no other operation shares a cache line
//! with; the counters of the meter read the cells when they are scraped. Latency alone goes through
//! a synchronous instrument, because OpenTelemetry has no observable histogram.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram};

use super::family::Family;
use super::latency::Latency;
use crate::health::Status;

/// What one instance has counted.
#[derive(Debug)]
pub(super) struct Cells {
    family: &'static Family,
    /// None for an unnamed instance.
    pub(super) name: Option<Arc<str>>,
    operations: Box<[Cell]>,
    bytes: Bytes,
}

/// One operation. 128 bytes, because processors fetch cache lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Cell {
    calls: [AtomicU64; 3],
    errors: Box<[AtomicU64]>,
    latency: Latency,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Bytes {
    uploaded: AtomicU64,
    downloaded: AtomicU64,
}

/// An index past the end is the last entry, the catch-all.
fn at<T>(list: &[T], index: usize) -> Option<&T> {
    list.get(index).or_else(|| list.last())
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Cells {
    pub(super) fn new(
        family: &'static Family,
        name: Option<Arc<str>>,
        histogram: &Histogram<f64>,
    ) -> Self {
        let cell = |operation: &&'static str| Cell {
            calls: Default::default(),
            errors: family.errors.iter().map(|_| AtomicU64::new(0)).collect(),
            latency: Latency::new(histogram, labels(name.as_ref(), [("operation", *operation)])),
        };
        let operations = family.operations.iter().map(cell).collect();
        Self { family, name, operations, bytes: Bytes::default() }
    }

    pub(super) fn success(&self, operation: usize, latency: Duration) {
        if let Some(cell) = at(&self.operations, operation) {
            cell.count(Status::Success);
            cell.latency.record(latency);
        }
    }

    pub(super) fn failure(&self, operation: usize, error: usize, latency: Duration) {
        if let Some(cell) = at(&self.operations, operation) {
            cell.count(Status::Failure);
            if let Some(error) = at(&cell.errors, error) {
                add(error, 1);
            }
            cell.latency.record(latency);
        }
    }

    pub(super) fn rejected(&self, operation: usize) {
        if let Some(cell) = at(&self.operations, operation) {
            cell.count(Status::Rejected);
        }
    }

    pub(super) fn uploaded(&self, bytes: u64) {
        add(&self.bytes.uploaded, bytes);
    }

    pub(super) fn downloaded(&self, bytes: u64) {
        add(&self.bytes.downloaded, bytes);
    }

    /// The operations that have been called. From the first call on, all their series are shown,
    /// so that a rate sees the first failure as a rise from zero.
    fn used(&self) -> impl Iterator<Item = (&'static str, &Cell)> {
        self.family.operations.iter().copied().zip(&self.operations).filter(|(_, cell)| cell.used())
    }

    pub(super) fn observe_requests(&self, to: &dyn AsyncInstrument<u64>) {
        for (operation, cell) in self.used() {
            for (status, count) in Status::ALL.iter().zip(&cell.calls) {
                let labels = [("operation", operation), ("status", status.as_str())];
                self.observe(to, count, labels);
            }
        }
    }

    pub(super) fn observe_errors(&self, to: &dyn AsyncInstrument<u64>) {
        for (operation, cell) in self.used() {
            for (error, count) in self.family.errors.iter().zip(&cell.errors) {
                self.observe(to, count, [("operation", operation), ("error_type", error)]);
            }
        }
    }

    pub(super) fn observe_bytes(&self, to: &dyn AsyncInstrument<u64>) {
        let Bytes { uploaded, downloaded } = &self.bytes;
        for (direction, count) in [("upload", uploaded), ("download", downloaded)] {
            self.observe(to, count, [("direction", direction)]);
        }
    }

    fn observe<const N: usize>(
        &self,
        to: &dyn AsyncInstrument<u64>,
        count: &AtomicU64,
        pairs: [(&'static str, &'static str); N],
    ) {
        to.observe(count.load(Ordering::Relaxed), &labels(self.name.as_ref(), pairs));
    }
}

impl Cell {
    fn count(&self, status: Status) {
        let [success, failure, rejected] = &self.calls;
        add(
            match status {
                Status::Success => success,
                Status::Failure => failure,
                Status::Rejected => rejected,
            },
            1,
        );
    }

    fn used(&self) -> bool {
        self.calls.iter().any(|count| count.load(Ordering::Relaxed) > 0)
    }
}

/// The labels of one series, and the instance's if it has a name.
///
/// `service.peer.name` is the semantic convention's name for the remote service; a short word such
/// as `service` or `instance` would collide with the labels that Prometheus gives to its targets.
pub(super) fn labels<const N: usize>(
    name: Option<&Arc<str>>,
    pairs: [(&'static str, &'static str); N],
) -> Vec<KeyValue> {
    let mut labels = Vec::with_capacity(N + 1);
    labels.extend(pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)));
    labels.extend(name.map(|name| KeyValue::new("service.peer.name", Arc::clone(name))));
    labels
}
