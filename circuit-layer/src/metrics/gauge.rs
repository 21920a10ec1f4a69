//! Families that are shown only when asked for.
//!
//! A scrape holds the eleven families and nothing else, so that what an operator reads first is what
//! counts. Pools, queues and levels have numbers of their own that help to find a cause; whoever
//! wants them says so, one [`Gauge`] at a time. They are read when the meter is scraped, so they
//! cost a call nothing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::metrics::Meter;

use super::cells::labels;
use super::error::RecorderError;
use super::hub::Metrics;

/// A gauge that is read when it is scraped: its exact name, and what it means.
///
/// ```
/// use circuit_layer::metrics::{Exporter, Gauge, Metrics};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// static WAITING: Gauge = Gauge::new("orders_waiting", "Orders that wait to be shipped.", "");
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let exporter = Exporter::new()?;
/// let metrics = Metrics::new(&exporter.meter());
/// let waiting = Arc::new(AtomicU32::new(3));
/// let read = Arc::clone(&waiting);
/// let shown = metrics.gauge(&WAITING, None, move || {
///     Some(f64::from(read.load(Ordering::Relaxed)))
/// })?;
/// assert!(exporter.render()?.contains("orders_waiting 3"));
///
/// drop(shown);
/// assert!(!exporter.render()?.contains("orders_waiting 3"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub(super) name: &'static str,
    help: &'static str,
    unit: &'static str,
}

impl Gauge {
    /// A gauge of this name. `unit` is one of UCUM, such as `s` or `By`; empty for a number. It does
    /// not change the name.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, unit: &'static str) -> Self {
        Self { name, help, unit }
    }

    /// The exact name of the family.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// A gauge of one instance, shown until this is dropped.
#[must_use = "the gauge is shown until this is dropped"]
pub struct Shown {
    gauge: &'static Gauge,
    reader: Arc<Reader>,
    readers: Arc<Readers>,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.readers.lock().retain(|reader| !Arc::ptr_eq(reader, &self.reader));
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("gauge", &self.gauge.name)
            .field("instance", &self.reader.instance)
            .finish()
    }
}

impl Metrics {
    /// Shows a gauge by what `read` says at each scrape, for as long as the returned value lives.
    ///
    /// `read` runs while the meter is scraped: it must not block, and must not make instruments. None
    /// shows nothing this time, and so does a panic in it. `instance` becomes the label
    /// `service_peer_name`, as with a [`Recorder`](super::Recorder).
    ///
    /// # Errors
    ///
    /// [`RecorderError::NameTaken`] while the gauge is shown for another instance of that name (or
    /// without one).
    pub fn gauge(
        &self,
        gauge: &'static Gauge,
        instance: Option<&str>,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Result<Shown, RecorderError> {
        let instance = instance.filter(|name| !name.is_empty());
        let readers = self.readers(gauge);
        let reader = Reader { instance: instance.map(Arc::from), read: Box::new(read) };
        let reader = Arc::new(reader);
        let mut all = readers.lock();
        if all.iter().any(|other| other.instance == reader.instance) {
            let name = instance.map(str::to_owned);
            return Err(RecorderError::NameTaken { prefix: gauge.name, name });
        }
        all.push(Arc::clone(&reader));
        drop(all);
        Ok(Shown { gauge, reader, readers })
    }
}

struct Reader {
    instance: Option<Arc<str>>,
    read: Box<dyn Fn() -> Option<f64> + Send + Sync>,
}

/// Who is read for one gauge.
#[derive(Default)]
pub(super) struct Readers(Mutex<Vec<Arc<Reader>>>);

impl Readers {
    /// Makes the instrument. It holds the readers weakly, because it can never be taken back.
    pub(super) fn of(meter: &Meter, gauge: &'static Gauge) -> Arc<Self> {
        let readers = Arc::new(Self::default());
        let weak = Arc::downgrade(&readers);
        meter
            .f64_observable_gauge(gauge.name)
            .with_description(gauge.help)
            .with_unit(gauge.unit)
            .with_callback(move |to| {
                // Copied out of the lock, because to read is foreign code.
                let all = weak.upgrade().map(|readers| readers.lock().clone()).unwrap_or_default();
                for reader in all {
                    // A panic in here would silence the meter for good.
                    let value = catch_unwind(AssertUnwindSafe(|| (reader.read)()));
                    if let Ok(Some(value)) = value {
                        to.observe(value, &labels(reader.instance.as_ref(), []));
                    }
                }
            })
            .build();
        readers
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Reader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readers").field(&self.lock().len()).finish()
    }
}
