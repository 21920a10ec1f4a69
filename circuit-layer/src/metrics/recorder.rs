//! What a service holds to count its calls.

use std::sync::Arc;
use std::time::Duration;

use super::cells::Cells;
use super::error::RecorderError;
use super::family::Family;
use super::hub::{Hub, Metrics};
use super::slots::Watched;
use crate::breaker::CircuitBreaker;
use crate::health::HealthMetrics;

/// Counts the calls of one instance of a service. Clones count on the same series.
///
/// Operations and error types are given by their index in the [`Family`]; an index past the end
/// counts as the last entry, the catch-all. No method allocates, waits or panics, but for the first
/// latency of an operation, which makes its series.
///
/// The counters and gauges of the instance are shown until the last clone is dropped. Its latency
/// histogram stays: OpenTelemetry has no way to end it. A later instance of the same name goes on
/// counting where this one stopped, so names should come from a bounded set.
#[derive(Clone, Debug)]
pub struct Recorder {
    cells: Arc<Cells>,
    instance: Arc<Instance>,
}

/// The place of a living instance; dropped with the last clone of its recorder.
#[derive(Debug)]
struct Instance {
    hub: Arc<Hub>,
    slot: usize,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.hub.slots().give_back(self.slot);
    }
}

impl Recorder {
    /// A recorder on the instruments of `metrics`.
    ///
    /// `metrics` is a [`Metrics`], or a `&Meter` if no other service shares the meter. `instance`
    /// tells two services of one family apart, by the label `service_peer_name`; None or an empty
    /// string adds no label.
    ///
    /// # Errors
    ///
    /// [`RecorderError::NameTaken`] while another instance of the family has that name (or also has
    /// none), because one would hide the other; [`RecorderError::FamilyDiffers`] if the prefix is in
    /// use for a family with other lists.
    pub fn new(
        metrics: impl Into<Metrics>,
        family: &'static Family,
        instance: Option<&str>,
    ) -> Result<Self, RecorderError> {
        let hub = metrics.into().hub(family)?;
        let (slot, cells) = hub.take(instance)?;
        Ok(Self { cells, instance: Arc::new(Instance { hub, slot }) })
    }

    /// Shows the state of `breaker`, and the score of `health` under it, as the instance's gauges
    /// from now on. Only the last ones given are shown.
    ///
    /// Both are kept alive by the recorder. So do not move a recorder into an observer of the very
    /// breaker it watches: neither would ever be dropped.
    pub fn watch(&self, breaker: &CircuitBreaker, health: Arc<HealthMetrics>) {
        let watched = Watched { breaker: breaker.clone(), health };
        self.instance.hub.slots().watch(self.instance.slot, watched);
    }

    /// The dependency did its part within `latency`.
    pub fn success(&self, operation: usize, latency: Duration) {
        self.cells.success(operation, latency);
    }

    /// The dependency gave the caller an error after `latency`, whether or not the breaker counts
    /// it as a failure.
    pub fn failure(&self, operation: usize, error: usize, latency: Duration) {
        self.cells.failure(operation, error, latency);
    }

    /// The breaker rejected the call. It is in no latency and no error.
    pub fn rejected(&self, operation: usize) {
        self.cells.rejected(operation);
    }

    /// So many bytes have flowed to the dependency. Not shown if the family counts no bytes.
    pub fn uploaded(&self, bytes: u64) {
        self.cells.uploaded(bytes);
    }

    /// So many bytes have come from the dependency. Not shown if the family counts no bytes.
    pub fn downloaded(&self, bytes: u64) {
        self.cells.downloaded(bytes);
    }
}
