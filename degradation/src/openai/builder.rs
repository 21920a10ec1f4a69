//! How an [`OpenAi`] is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::middleware::ReqwestService;
use async_openai::types::chat::CreateChatCompletionRequest;
use circuit_layer::{
    Backoff, CircuitBreakerBuilder, Clock, ConfigError, HealthMetrics, KeyedBreakers,
};
use tower_layer::Layer;

use super::chain::{Inner, Model, OpenAi};
use super::layer::{OpenAiLayer, key};
use crate::ledger::Ledger;

/// The average latency up to which the health score loses nothing.
const TARGET: Duration = Duration::from_secs(5);

/// What the service says while no model does.
pub(super) type Plain = Box<dyn Fn(&CreateChatCompletionRequest) -> String + Send + Sync>;
type Measure = Box<dyn Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync>;

/// Puts an [`OpenAi`] together.
#[must_use = "a builder does nothing until built"]
pub struct OpenAiBuilder<C> {
    config: C,
    models: Vec<Arc<str>>,
    first_byte: Duration,
    longest_pause: Duration,
    measure: Measure,
    http: Option<reqwest::Client>,
    remembered: usize,
    remember_for: Duration,
    plain: Option<Plain>,
    #[cfg(feature = "otel")]
    metrics: Option<circuit_layer::metrics::Metrics>,
}

/// Why an [`OpenAi`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenAiConfigError {
    /// There is no model to ask.
    #[error("there is no model")]
    NoModel,
    /// The address of the API is no URL.
    #[error("the address of the API is no URL")]
    Address,
    /// The times must be longer than zero.
    #[error("the time for the first byte and the longest pause must be longer than zero")]
    Times,
    /// The breakers can not be built.
    #[error(transparent)]
    Breaker(#[from] ConfigError),
    /// Another API has the metrics.
    #[cfg(feature = "otel")]
    #[error("the metrics can not be recorded")]
    Metrics(#[from] circuit_layer::metrics::RecorderError),
    /// The HTTP client can not be made, which means that its TLS can not be set up.
    #[error("the HTTP client can not be made")]
    Http(#[from] reqwest::Error),
}

impl<C: Config> OpenAiBuilder<C> {
    pub(super) fn new(config: C) -> Self {
        Self {
            config,
            models: Vec::new(),
            first_byte: Duration::from_secs(20),
            longest_pause: Duration::from_secs(10),
            measure: Box::new(|breaker| breaker),
            http: None,
            remembered: 0,
            remember_for: Duration::from_secs(3_600),
            plain: None,
            #[cfg(feature = "otel")]
            metrics: None,
        }
    }

    /// A model; each further one is asked when those before it reject or fail.
    pub fn model(mut self, model: impl Into<Arc<str>>) -> Self {
        self.models.push(model.into());
        self
    }

    /// How long the headers of an answer may take (20 s).
    pub const fn first_byte(mut self, within: Duration) -> Self {
        self.first_byte = within;
        self
    }

    /// How long an answer may pause (10 s).
    pub const fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// What each model's breaker differs in from the defaults of `circuit-layer`, waits that double
    /// with each failed recovery, and `abandoned_after` half the time for the first byte.
    pub fn breaker(
        mut self,
        measure: impl Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.measure = Box::new(measure);
        self
    }

    /// The HTTP client: with TLS, a proxy, limits of your own. Without a timeout for whole answers.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Remembers the last `answers`, and gives them for the very same requests for so long while no
    /// model answers. None are by default.
    pub const fn remember(mut self, answers: usize, for_: Duration) -> Self {
        self.remembered = answers;
        self.remember_for = for_;
        self
    }

    /// What to say while no model answers and nothing is remembered.
    pub fn plain(
        mut self,
        say: impl Fn(&CreateChatCompletionRequest) -> String + Send + Sync + 'static,
    ) -> Self {
        self.plain = Some(Box::new(say));
        self
    }

    /// Records the `openai_*` metrics ([`OPENAI`](super::OPENAI)) on a `&Meter`, or on the
    /// [`Metrics`](circuit_layer::metrics::Metrics) of everything else on that meter. They are shown by
    /// default nowhere. One API can have them; the state that they show is the first model's.
    #[cfg(feature = "otel")]
    pub fn metrics(mut self, metrics: impl Into<circuit_layer::metrics::Metrics>) -> Self {
        self.metrics = Some(metrics.into());
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`OpenAiConfigError`] names the rule that is broken.
    pub fn build(self) -> Result<OpenAi<C>, OpenAiConfigError> {
        let Self { config, models, first_byte, longest_pause, measure, http, .. } = self;
        if first_byte.is_zero() || longest_pause.is_zero() {
            return Err(OpenAiConfigError::Times);
        }
        let url = config.url("/chat/completions");
        let url: reqwest::Url = url.parse().map_err(|_| OpenAiConfigError::Address)?;
        let breakers = KeyedBreakers::new("openai", move |breaker| {
            let breaker = breaker.backoff(Backoff::exponential(2.0));
            measure(breaker.abandoned_after(first_byte / 2))
        })?;
        let mut models = models.into_iter().map(|name| {
            let breaker = breakers.get(&key(&url, Some(&name)));
            Model { name, breaker }
        });
        let first = models.next().ok_or(OpenAiConfigError::NoModel)?;
        let others = models.collect();
        let layer = OpenAiLayer::new(breakers).first_byte(first_byte).longest_pause(longest_pause);
        let http = match http {
            Some(http) => http,
            None => reqwest::Client::builder().connect_timeout(first_byte).build()?,
        };
        let service = layer.layer(ReqwestService::new(http.clone()));
        let clock = Clock::default();
        let ledger = Ledger::new(HealthMetrics::new(TARGET, clock.clone()));
        #[cfg(feature = "otel")]
        let ledger = match &self.metrics {
            Some(metrics) => ledger.exporting(metrics, &super::OPENAI, &first.breaker)?,
            None => ledger,
        };
        Ok(OpenAi(Arc::new(Inner {
            client: Client::build(http, config).with_http_service(service),
            first,
            others,
            ledger,
            clock,
            answers: (self.remembered > 0)
                .then(|| Arc::new(quick_cache::sync::Cache::new(self.remembered))),
            remember_for: self.remember_for,
            plain: self.plain,
        })))
    }
}

impl<C> fmt::Debug for OpenAiBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiBuilder").field("models", &self.models).finish_non_exhaustive()
    }
}
