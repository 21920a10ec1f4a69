//! One set of instruments per meter and prefix, however many instances there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};

use super::cells::{Cells, labels};
use super::error::RecorderError;
use super::family::Family;
use super::gauge::{Gauge, Readers};
use super::slots::{Reading, Slots};
use super::transitions::Transitions;

/// The instruments made on one `Meter`. Clones are the same.
///
/// A meter has no identity that could be compared, so this value is it: make one per meter, and
/// hand it to every service that shares the meter. Two made from one meter do not know each other:
/// equal names are then not refused, and the one that is scraped last hides the other.
///
/// Use one meter for all services of one exporter, too. Meters of different names have different
/// scopes, and an exporter that hides scopes, as [`Exporter`](super::Exporter) does, would show
/// their series twice.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    meter: Meter,
    hubs: Mutex<Vec<Arc<Hub>>>,
    gauges: Mutex<BTreeMap<&'static str, Arc<Readers>>>,
    transitions: OnceLock<Arc<Transitions>>,
}

impl Metrics {
    /// No instruments yet: a family's are made with its first recorder.
    ///
    /// The meter must come from a provider that is set up already; one taken from
    /// `opentelemetry::global` before a provider was set stays silent for ever.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self(Arc::new(Inner {
            meter: meter.clone(),
            hubs: Mutex::default(),
            gauges: Mutex::default(),
            transitions: OnceLock::new(),
        }))
    }

    pub(super) fn readers(&self, gauge: &'static Gauge) -> Arc<Readers> {
        let mut gauges = self.0.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Readers::of(&self.0.meter, gauge);
        Arc::clone(gauges.entry(gauge.name).or_insert_with(make))
    }

    pub(super) fn transitions(&self) -> &Arc<Transitions> {
        self.0.transitions.get_or_init(|| Transitions::of(&self.0.meter))
    }

    pub(super) fn hub(&self, family: &'static Family) -> Result<Arc<Hub>, RecorderError> {
        let lock = || self.0.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = find_or_make(&mut lock(), &self.0.meter, family);
        if hub.family == family {
            Ok(hub)
        } else {
            Err(RecorderError::FamilyDiffers { prefix: family.prefix })
        }
    }
}

fn find_or_make(hubs: &mut Vec<Arc<Hub>>, meter: &Meter, family: &'static Family) -> Arc<Hub> {
    if let Some(known) = hubs.iter().find(|hub| hub.family.prefix == family.prefix) {
        return Arc::clone(known);
    }
    let new = Arc::new(Hub::new(meter, family));
    hubs.push(Arc::clone(&new));
    new
}

impl From<&Meter> for Metrics {
    fn from(meter: &Meter) -> Self {
        Self::new(meter)
    }
}

impl From<&Self> for Metrics {
    fn from(metrics: &Self) -> Self {
        metrics.clone()
    }
}

#[derive(Debug)]
pub(super) struct Hub {
    family: &'static Family,
    latency: Histogram<f64>,
    slots: Arc<Slots>,
}

impl Hub {
    fn new(meter: &Meter, family: &'static Family) -> Self {
        let hub = Self {
            family,
            latency: meter
                .f64_histogram(family.name("latency_seconds"))
                .with_description(family.help("operation latency in seconds."))
                .with_unit("s")
                .with_boundaries(family.buckets.to_vec())
                .build(),
            slots: Arc::default(),
        };
        let requests = "operations by status: success, failure or rejected by the circuit breaker.";
        hub.counter(meter, "requests_total", requests, "{request}", Cells::observe_requests);
        let errors = "operations that failed, by type of error.";
        hub.counter(meter, "errors_total", errors, "{error}", Cells::observe_errors);
        if family.bytes {
            let bytes = "payload bytes transferred, retries included, by direction.";
            hub.counter(meter, "bytes_transferred", bytes, "By", Cells::observe_bytes);
        }
        let state = "circuit breaker state: 0=CLOSED 1=OPEN 2=HALF_OPEN.";
        hub.gauge(meter, "circuit_breaker_state", state, Slots::states);
        let score = "health score of the last 60 seconds, 0 (down) to 100 (healthy).";
        hub.gauge(meter, "health_score", score, Slots::scores);
        hub
    }

    /// The callbacks hold the slots weakly: with the last recorder and the last [`Metrics`] gone,
    /// nothing is left but an idle callback.
    fn counter(
        &self,
        meter: &Meter,
        name: &str,
        help: &str,
        unit: &'static str,
        observe: fn(&Cells, &dyn AsyncInstrument<u64>),
    ) {
        let slots = Arc::downgrade(&self.slots);
        meter
            .u64_observable_counter(self.family.name(name))
            .with_description(self.family.help(help))
            .with_unit(unit)
            .with_callback(move |to| {
                let live = slots.upgrade().map(|slots| slots.live()).unwrap_or_default();
                live.iter().for_each(|cells| observe(cells, to));
            })
            .build();
    }

    /// Without a unit: a unit of 1 would make other exporters append `_ratio`.
    fn gauge(&self, meter: &Meter, name: &str, help: &str, read: fn(&Slots) -> Vec<Reading>) {
        let slots = Arc::downgrade(&self.slots);
        meter
            .u64_observable_gauge(self.family.name(name))
            .with_description(self.family.help(help))
            .with_callback(move |to| {
                let readings = slots.upgrade().map(|slots| read(&slots)).unwrap_or_default();
                for (name, value) in readings {
                    to.observe(value, &labels(name.as_ref(), []));
                }
            })
            .build();
    }

    /// A living instance's slot and counts.
    pub(super) fn take(&self, name: Option<&str>) -> Result<(usize, Arc<Cells>), RecorderError> {
        // An empty label is the same as none to Prometheus, so it must not be a second name.
        let name = name.filter(|name| !name.is_empty());
        self.slots
            .take(name, || Cells::new(self.family, name.map(Arc::from), &self.latency))
            .ok_or_else(|| RecorderError::NameTaken {
                prefix: self.family.prefix,
                name: name.map(str::to_owned),
            })
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }
}
