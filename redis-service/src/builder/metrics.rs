//! What a client is told about its metrics.

use circuit_layer::metrics::Metrics;

use super::RedisBuilder;

impl RedisBuilder {
    /// Records the `redis_*` metrics on a `&Meter`. Several clients need one [`Metrics`] for all, and an
    /// [`instance`](Self::instance) each.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "test-util")] {
    /// use circuit_layer::metrics::{Exporter, Metrics};
    /// use redis_service::{Memory, Redis};
    ///
    /// let exporter = Exporter::new()?;
    /// let metrics = Metrics::new(&exporter.meter());
    /// let client = |name| Redis::builder().memory(&Memory::new()).metrics(&metrics).instance(name);
    /// let (sessions, _carts) = (client("sessions").connect().await?, client("carts").connect().await?);
    /// sessions.ping().await?;
    /// let page = exporter.render()?;
    /// assert!(page.contains(r#"redis_circuit_breaker_state{service_peer_name="carts"} 0"#));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(mut self, metrics: impl Into<Metrics>) -> Self {
        self.metrics = Some(metrics.into());
        self
    }

    /// The client's name among several on one [`Metrics`], which becomes the label
    /// `service_peer_name`. Default: none, and no label.
    /// [`connect`](Self::connect) refuses a name that is in use, because one client would hide the other.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }
}
