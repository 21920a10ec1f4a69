//! The one set of exporter switches under which the names come out as written.
//!
//! By default the Prometheus exporter of OpenTelemetry improves names: it appends `_total` to
//! counters even if it is there already, appends units, and adds a family `target_info` and scope
//! labels. Dashboards then find nothing. No choice of instrument names survives the defaults, so the
//! instruments carry the exact names and the exporter is told to leave them alone.

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use super::error::ExporterError;

/// A meter and the text that Prometheus scrapes from it. Clones show the same.
///
/// It owns a provider of its own and leaves `opentelemetry::global` alone: a global provider also
/// collects what the OpenTelemetry SDK says about itself. Keep it as long as anything is to be
/// scraped.
#[derive(Clone, Debug)]
pub struct Exporter {
    registry: Registry,
    provider: SdkMeterProvider,
}

impl Exporter {
    /// The `Content-Type` of [`render`](Self::render). Answer with it whatever the request accepts:
    /// the other format, `OpenMetrics`, can not express a counter named `s3_bytes_transferred`.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// An exporter with an empty registry.
    ///
    /// # Errors
    ///
    /// If the OpenTelemetry exporter can not be built, which its present version never does.
    pub fn new() -> Result<Self, ExporterError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_counter_suffixes()
            .without_units()
            .without_target_info()
            .scope_info_enabled(false)
            .build()
            .map_err(|error| {
                ExporterError::new("the metrics exporter could not be built", error)
            })?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        Ok(Self { registry, provider })
    }

    /// The meter, the same at each call: two of different scopes would show series twice.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.provider.meter("circuit-layer")
    }

    /// All series, in the text format 0.0.4. About a millisecond for a thousand series, so it may
    /// be called from an asynchronous handler.
    ///
    /// # Errors
    ///
    /// If two families of the registry are inconsistent, which only a metric of your own can cause.
    pub fn render(&self) -> Result<String, ExporterError> {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|error| ExporterError::new("the metrics could not be written as text", error))
    }
}
