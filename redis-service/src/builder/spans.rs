//! Asking for spans.

use super::RedisBuilder;
use crate::spans::Spans;

impl RedisBuilder {
    /// Makes every call a client span, by `tracing` at level INFO, with the names and fields that
    /// OpenTelemetry's semantic conventions have for Redis: `db.operation.name`, `server.address`,
    /// `error.type` and so on. Never a key, never a value. Default: no spans, at no cost.
    ///
    /// A span is as a rule one round trip, and a child of the span in which the call is made; a rejected
    /// call has one too, with `error.type` = `rejected`. The transitions of the breaker that the call
    /// causes are events in it, if the breaker has a
    /// [`TracingObserver`](circuit_layer::TracingObserver). `error.type` is Redis' own code
    /// (`WRONGTYPE`) or else an [`ErrorKind`](crate::ErrorKind) (`timeout`); a nil is no error.
    /// `db.namespace` is the database as configured.
    ///
    /// What is not a call has none: the dialling, the `PING` of a strict start, the question for the
    /// role. A call that is dropped ends its span without a status.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "test-util")] {
    /// # let memory = redis_service::Memory::new();
    /// use redis_service::Redis;
    /// use tracing::Instrument;
    ///
    /// let redis = Redis::builder().spans()
    /// #   .memory(&memory)
    ///     .connect().await?;
    /// // `SET` and `GET` become children of `checkout`.
    /// let checkout = async {
    ///     redis.set("cart", "apple").await?;
    ///     redis.get::<String>("cart").await
    /// };
    /// let cart = checkout.instrument(tracing::info_span!("checkout")).await?;
    /// assert_eq!(cart.as_deref(), Some("apple"));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn spans(mut self) -> Self {
        self.spans = Some(Spans::default());
        self
    }
}
