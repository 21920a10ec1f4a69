//! A client of an OpenAI-compatible API behind a breaker.
//!
//! Two things make such an API different from other HTTP services. It says *when* it will have time
//! again (429 with `Retry-After`), which the breaker takes over in place of its own wait. And its
//! answers stream for many seconds, so the headers prove little: a stream that ends without `[DONE]`
//! is an outage that looks like a short answer. The verdict on a streamed answer is therefore given
//! at its end, by the [`Completion`] that carries the permit.

mod error;
mod server;
mod sse;
mod stream;

use std::time::Duration;

use circuit_layer::{CircuitBreaker, Error, Outcome};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::json;

pub use self::error::OpenAiError;
pub use self::server::{OpenAiServer, ServerError};
pub use self::stream::Completion;
use crate::settings::OpenAiSource;

/// A client of one model.
///
/// # Clone
///
/// Clones share the connections and the breaker.
#[derive(Clone, Debug)]
pub struct OpenAi {
    http: reqwest::Client,
    source: OpenAiSource,
    timeout: Duration,
    breaker: CircuitBreaker,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

impl OpenAi {
    /// A client whose answers must be there within `timeout`; of a streamed one, each part.
    ///
    /// # Errors
    ///
    /// The HTTP client can not be made, which means that its TLS can not be set up.
    pub fn new(
        source: OpenAiSource,
        timeout: Duration,
        breaker: CircuitBreaker,
    ) -> Result<Self, reqwest::Error> {
        // A pause this long in a stream is a stall; it bounds a whole answer only part by part.
        let http = reqwest::Client::builder().connect_timeout(timeout).read_timeout(timeout);
        Ok(Self { http: http.build()?, source, timeout, breaker })
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    /// The whole answer to a prompt.
    ///
    /// # Errors
    ///
    /// The breaker's rejection, or why there is no answer.
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the request, and gives the permit back.
    pub async fn complete(&self, prompt: &str) -> Result<String, Error<OpenAiError>> {
        let ask = async {
            let response = send(self.request(prompt, false).timeout(self.timeout)).await?;
            let answer: Answer = response.json().await.map_err(OpenAiError::from)?;
            let first = answer.choices.into_iter().next().ok_or(OpenAiError::Empty)?;
            Ok(first.message.content)
        };
        let judge = |result: &Result<String, OpenAiError>| match result {
            Ok(_) => Outcome::Success,
            Err(error) => error.outcome(),
        };
        self.breaker.call_with(judge, ask).await
    }

    /// The answer to a prompt, part by part.
    ///
    /// # Errors
    ///
    /// The breaker's rejection, or why there is not even a beginning.
    ///
    /// # Cancellation
    ///
    /// As for [`complete`](Self::complete), also while the answer streams.
    pub async fn stream(&self, prompt: &str) -> Result<Completion, Error<OpenAiError>> {
        let permit = self.breaker.try_acquire()?;
        match tokio::time::timeout(self.timeout, send(self.request(prompt, true))).await {
            Ok(Ok(response)) => Ok(Completion::new(response, permit)),
            Ok(Err(error)) => {
                permit.record(error.outcome());
                Err(Error::Inner(error))
            }
            Err(_) => {
                permit.failure("timeout");
                Err(Error::Inner(OpenAiError::Timeout))
            }
        }
    }

    fn request(&self, prompt: &str, stream: bool) -> RequestBuilder {
        let url = format!("{}/chat/completions", self.source.base_url.trim_end_matches('/'));
        let request = self.http.post(url).json(&json!({
            "model": self.source.model,
            "messages": [{ "role": "user", "content": prompt }],
            "stream": stream,
        }));
        match &self.source.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

async fn send(request: RequestBuilder) -> Result<Response, OpenAiError> {
    let response = request.send().await?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(OpenAiError::answered(response.status(), response.headers()))
}

#[cfg(test)]
mod tests;
