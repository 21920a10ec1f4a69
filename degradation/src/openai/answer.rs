//! What a caller gets, and from whom.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionResponseStream, CreateChatCompletionResponse, CreateChatCompletionStreamResponse,
};
use futures_util::StreamExt;

use super::error::AnswerError;
use super::memory::Memory;

/// Who answered. Anything but the first model is a replacement, and a caller should be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A model.
    Model(Arc<str>),
    /// An earlier answer to the very same request.
    Cached {
        /// How long ago it was given.
        age: Duration,
    },
    /// No model at all: what the service says in its place.
    Plain,
}

/// A whole answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Its text; empty if the model answered by calling a tool.
    pub text: String,
    /// Who gave it.
    pub source: Source,
    /// All of it, if a model gave it now.
    pub response: Option<Box<CreateChatCompletionResponse>>,
}

impl Answer {
    pub(super) fn of(
        model: &Arc<str>,
        response: CreateChatCompletionResponse,
    ) -> Result<Self, AnswerError> {
        let first = response.choices.first().ok_or(AnswerError::Empty)?;
        let text = first.message.content.clone().unwrap_or_default();
        let source = Source::Model(Arc::clone(model));
        Ok(Self { text, source, response: Some(Box::new(response)) })
    }

    pub(super) const fn instead(text: String, source: Source) -> Self {
        Self { text, source, response: None }
    }
}

/// An answer that comes part by part: its text. If the model answered by calling a tool there is none,
/// and [`complete`](super::OpenAi::complete) tells which.
///
/// Its source is settled: it has begun. What fails from here on is an error for the caller, because a
/// second model would begin anew.
///
/// # Cancellation
///
/// Dropping it, or a [`next`](Self::next) of it, ends nothing that counts.
pub struct AnswerStream {
    source: Source,
    begun: Option<String>,
    rest: Option<ChatCompletionResponseStream>,
    told: String,
    memory: Option<Memory>,
}

impl AnswerStream {
    /// Waits for the beginning of the text, or for the end of an answer that has none.
    pub(super) async fn begin(
        model: &Arc<str>,
        mut rest: ChatCompletionResponseStream,
        memory: Option<Memory>,
    ) -> Result<Self, OpenAIError> {
        let source = Source::Model(Arc::clone(model));
        let mut answered = false;
        let begun = loop {
            match rest.next().await {
                Some(Ok(chunk)) => {
                    answered |= !chunk.choices.is_empty();
                    if let Some(text) = text(chunk) {
                        break Some(text);
                    }
                }
                Some(Err(error)) => return Err(error),
                None if answered => break None,
                None => return Err(AnswerError::Empty.into()),
            }
        };
        // A stream that has ended is not polled again.
        let rest = begun.is_some().then_some(rest);
        let told = begun.clone().unwrap_or_default();
        Ok(Self { source, begun, rest, told, memory })
    }

    pub(super) fn instead(text: String, source: Source) -> Self {
        Self { source, begun: Some(text), rest: None, told: String::new(), memory: None }
    }

    /// Who gives it.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The next part of the text; None when the answer is complete, or after an error.
    ///
    /// # Errors
    ///
    /// The answer does not go on.
    pub async fn next(&mut self) -> Option<Result<String, OpenAIError>> {
        if let Some(begun) = self.begun.take() {
            return Some(Ok(begun));
        }
        loop {
            match self.rest.as_mut()?.next().await {
                Some(Ok(chunk)) => {
                    let Some(text) = text(chunk) else { continue };
                    self.told.push_str(&text);
                    return Some(Ok(text));
                }
                Some(Err(error)) => {
                    self.rest = None;
                    return Some(Err(error));
                }
                None => {
                    self.rest = None;
                    if let Some(memory) = self.memory.take() {
                        memory.keep(std::mem::take(&mut self.told));
                    }
                    return None;
                }
            }
        }
    }
}

fn text(chunk: CreateChatCompletionStreamResponse) -> Option<String> {
    let first = chunk.choices.into_iter().next()?;
    first.delta.content.filter(|text| !text.is_empty())
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream").field("source", &self.source).finish_non_exhaustive()
    }
}
