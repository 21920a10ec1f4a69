//! A breaker for each host and model, under a client of `async-openai`.

use std::time::Duration;

use circuit_layer::{Clock, KeyedBreakers};
use tower_layer::Layer;

use super::service::OpenAiService;

/// Puts a transport of `async-openai` behind breakers.
///
/// The key is host, port and model: one overloaded model must not close all of them, and one dead host
/// must not be asked by every model. What belongs to no model is keyed by its host alone.
///
/// # Order
///
/// * A retry belongs **outside**: each attempt asks the breaker, and a rejection is not retried by
///   `OpenAIRetryLayer`. Give the retry a budget.
/// * The time for the first byte and the longest pause are kept by this layer, inside the breaker, so
///   that it learns of a hang. A timeout further out must be longer than both.
///
/// # Clone
///
/// Clones, and all services made, share the breakers.
#[derive(Clone, Debug)]
pub struct OpenAiLayer {
    pub(super) breakers: KeyedBreakers<String>,
    pub(super) first_byte: Duration,
    pub(super) longest_pause: Duration,
    pub(super) clock: Clock,
}

impl OpenAiLayer {
    /// Headers within 20 s, and no pause of more than 10 s in an answer.
    #[must_use]
    pub fn new(breakers: KeyedBreakers<String>) -> Self {
        let (first_byte, longest_pause) = (Duration::from_secs(20), Duration::from_secs(10));
        Self { breakers, first_byte, longest_pause, clock: Clock::default() }
    }

    /// How long the headers of an answer may take.
    #[must_use]
    pub const fn first_byte(mut self, within: Duration) -> Self {
        self.first_byte = within;
        self
    }

    /// How long an answer may pause.
    #[must_use]
    pub const fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// The breakers, by [`key`].
    #[must_use]
    pub const fn breakers(&self) -> &KeyedBreakers<String> {
        &self.breakers
    }
}

impl<S> Layer<S> for OpenAiLayer {
    type Service = OpenAiService<S>;

    fn layer(&self, inner: S) -> OpenAiService<S> {
        OpenAiService::new(inner, self.clone())
    }
}

/// The key of a model's breaker: `host:port model`, or `host:port` for what belongs to no model.
#[must_use]
pub fn key(url: &reqwest::Url, model: Option<&str>) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match model {
        Some(model) => format!("{host}:{port} {model}"),
        None => format!("{host}:{port}"),
    }
}
