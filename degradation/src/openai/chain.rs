//! Models in order, then an earlier answer, then a plain one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::{Config, OpenAIConfig};
use async_openai::error::OpenAIError;
use async_openai::types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequest};
use circuit_layer::{CircuitBreaker, Clock, HealthMetrics, Moment, if_abandoned};
use quick_cache::sync::Cache;

use super::answer::{Answer, AnswerStream, Source};
use super::attempt::Attempt;
use super::builder::{OpenAiBuilder, Plain};
use super::ledger::Asked;
use super::memory::{Memory, Remembered, question};
use super::verdict::is_worth_another_try;
use crate::ledger::Ledger;

/// A chat client that goes on answering while models fail.
///
/// ```no_run
/// use async_openai::config::OpenAIConfig;
/// use degradation::openai::{OpenAi, Source};
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let openai = OpenAi::builder(OpenAIConfig::new())
///     .model("gpt-4o")
///     .model("gpt-4o-mini")
///     .breaker(|breaker| breaker.fail_max(3))
///     .remember(1_000, Duration::from_secs(3_600))
///     .plain(|_| "Our writer is out; please ask again later.".to_owned())
///     .build()?;
/// let answer = openai.complete(OpenAi::<OpenAIConfig>::ask("A kettle, in a sentence.")).await?;
/// if answer.source == Source::Plain {
///     println!("(a stopgap) {}", answer.text);
/// }
/// # Ok(())
/// # }
/// ```
///
/// As a health source it is as well as the best of its models.
///
/// # Clone
///
/// Clones share the connections, the breakers and what is remembered.
pub struct OpenAi<C: Config = OpenAIConfig>(pub(super) Arc<Inner<C>>);

pub(super) struct Inner<C: Config> {
    pub(super) client: Client<C>,
    pub(super) first: Model,
    pub(super) others: Vec<Model>,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) answers: Option<Arc<Cache<String, Remembered>>>,
    pub(super) remember_for: Duration,
    pub(super) plain: Option<Plain>,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: Arc<str>,
    pub(super) breaker: CircuitBreaker,
}

impl<C: Config> OpenAi<C> {
    /// Options first.
    pub fn builder(config: C) -> OpenAiBuilder<C> {
        OpenAiBuilder::new(config)
    }

    /// A request with one message of a user. The model is set for each try.
    #[must_use]
    pub fn ask(prompt: &str) -> CreateChatCompletionRequest {
        let messages = vec![ChatCompletionRequestUserMessage::from(prompt).into()];
        CreateChatCompletionRequest { messages, ..CreateChatCompletionRequest::default() }
    }

    /// The whole answer to a request, whose `model` is not used.
    ///
    /// # Errors
    ///
    /// The caller's mistake; or, if nothing replaces the models, the last one's error. A rejection is
    /// found in it by `Rejected::find`.
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the request, and gives the permit back. Where the model's breaker counts that, health
    /// and metrics do too, as a `timeout`.
    pub async fn complete(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Result<Answer, OpenAIError> {
        let inner = &*self.0;
        let chat = inner.client.chat();
        let mut last = None;
        for model in inner.models() {
            let asked = CreateChatCompletionRequest { stream: None, ..of(model, &request) };
            let (since, attempt) = (inner.clock.now(), Attempt::default());
            let answered = inner.noted(Asked::Chat, since, attempt.at(chat.create(asked))).await;
            let answer =
                answered.and_then(|told| Answer::of(&model.name, told).map_err(Into::into));
            let latency = inner.clock.now() - since;
            inner.ledger.note_model(Asked::Chat, latency, answer.as_ref().err());
            match answer {
                Ok(answer) => {
                    if let Some(memory) = inner.memory(&request) {
                        memory.keep(answer.text.clone());
                    }
                    return Ok(answer);
                }
                Err(error) if is_worth_another_try(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let (text, source) = inner.instead(&request, last)?;
        Ok(Answer::instead(text, source))
    }

    /// The answer to a request, part by part. Once it has begun there is no other model, nor once it is
    /// whole without any text.
    ///
    /// # Errors
    ///
    /// As for [`complete`](Self::complete).
    ///
    /// # Cancellation
    ///
    /// As for [`complete`](Self::complete), also while the answer streams.
    pub async fn stream(
        &self,
        request: CreateChatCompletionRequest,
    ) -> Result<AnswerStream, OpenAIError> {
        let inner = &*self.0;
        let chat = inner.client.chat();
        let mut last = None;
        for model in inner.models() {
            let asked = CreateChatCompletionRequest { stream: Some(true), ..of(model, &request) };
            let (since, attempt) = (inner.clock.now(), Attempt::default());
            let asking = attempt.at(chat.create_stream(asked));
            let begun = match inner.noted(Asked::Stream, since, asking).await {
                Ok(rest) => {
                    let (rest, memory) = (attempt.over(rest), inner.memory(&request));
                    AnswerStream::begin(&model.name, rest, memory).await
                }
                Err(error) => Err(error),
            };
            let latency = inner.clock.now() - since;
            inner.ledger.note_model(Asked::Stream, latency, begun.as_ref().err());
            match begun {
                Ok(begun) => return Ok(begun),
                Err(error) if is_worth_another_try(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let (text, source) = inner.instead(&request, last)?;
        Ok(AnswerStream::instead(text, source))
    }

    /// The client below, under the same breakers, for all else that the API offers.
    #[must_use]
    pub fn client(&self) -> &Client<C> {
        &self.0.client
    }

    /// The breakers of the models, in order.
    pub fn breakers(&self) -> impl Iterator<Item = (&str, &CircuitBreaker)> {
        self.0.models().map(|model| (&*model.name, &model.breaker))
    }

    /// The breaker of the first model.
    #[must_use]
    pub fn first_breaker(&self) -> &CircuitBreaker {
        &self.0.first.breaker
    }

    /// What callers experienced of all models together.
    #[must_use]
    pub fn health_metrics(&self) -> &Arc<HealthMetrics> {
        &self.0.ledger.health
    }
}

impl<C: Config> Inner<C> {
    fn models(&self) -> impl Iterator<Item = &Model> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The same call; one that is given up and counts for its breaker is in the books as well.
    async fn noted<T>(&self, asked: Asked, since: Moment, call: impl Future<Output = T>) -> T {
        let abandoned = || self.ledger.note_abandoned_model(asked, self.clock.now() - since);
        if_abandoned(call, abandoned).await
    }

    fn memory(&self, request: &CreateChatCompletionRequest) -> Option<Memory> {
        let answers = Arc::clone(self.answers.as_ref()?);
        Memory::of(answers, request, self.clock.clone())
    }

    /// What replaces the models, or why they gave nothing.
    fn instead(
        &self,
        request: &CreateChatCompletionRequest,
        last: Option<OpenAIError>,
    ) -> Result<(String, Source), OpenAIError> {
        let remembered = self.answers.as_ref().zip(question(request));
        if let Some(found) = remembered.and_then(|(answers, question)| answers.get(&question)) {
            let age = self.clock.now() - found.at;
            if age <= self.remember_for {
                return Ok((found.text.as_ref().to_owned(), Source::Cached { age }));
            }
        }
        match (&self.plain, last) {
            (Some(plain), _) => Ok((plain(request), Source::Plain)),
            (None, Some(error)) => Err(error),
            // There is a first model, so there is a last error.
            (None, None) => Err(OpenAIError::InvalidArgument("there is no model".to_owned())),
        }
    }
}

fn of(model: &Model, request: &CreateChatCompletionRequest) -> CreateChatCompletionRequest {
    CreateChatCompletionRequest { model: model.name.as_ref().to_owned(), ..request.clone() }
}

impl<C: Config> Clone for OpenAi<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Config> fmt::Debug for OpenAi<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi")
            .field("first", &self.0.first)
            .field("others", &self.0.others)
            .finish_non_exhaustive()
    }
}
