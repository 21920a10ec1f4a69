//! Why an answer broke, carried past `async-openai`.
//!
//! A body that stalls or is cut off fails with an [`AnswerError`]. `async-openai` wraps the failure of a
//! whole answer, and makes a text of that of a streamed one which does not tell the cause. So the body
//! also leaves it with the attempt that it belongs to. The layer's service is called in the task of its
//! caller, which is how a body finds its attempt; the body itself may be read in any other task.

use std::sync::{Arc, OnceLock};

use async_openai::error::OpenAIError;
use async_openai::types::chat::ChatCompletionResponseStream;
use futures_util::StreamExt;

use super::error::AnswerError;

tokio::task_local! {
    static CURRENT: Attempt;
}

/// One model, asked once.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt(Arc<OnceLock<AnswerError>>);

impl Attempt {
    /// The one that this task is at; or one of which nobody will hear, under a client that is no `OpenAi`.
    pub(super) fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    /// The call, and why its answer broke if it did.
    pub(super) async fn at<T>(
        &self,
        call: impl Future<Output = Result<T, OpenAIError>>,
    ) -> Result<T, OpenAIError> {
        let answer = CURRENT.scope(self.clone(), call).await;
        answer.map_err(|error| self.explain(error))
    }

    /// The same for the rest of a streamed answer.
    pub(super) fn over(self, rest: ChatCompletionResponseStream) -> ChatCompletionResponseStream {
        Box::pin(rest.map(move |part| part.map_err(|error| self.explain(error))))
    }

    /// What the body says. It breaks once.
    pub(super) fn broke(&self, why: AnswerError) {
        self.0.get_or_init(|| why);
    }

    /// What came before the break, such as a part that can not be read, has its own error.
    fn explain(&self, error: OpenAIError) -> OpenAIError {
        match (self.0.get(), &error) {
            (Some(why), OpenAIError::Reqwest(_) | OpenAIError::StreamError(_)) => (*why).into(),
            _ => error,
        }
    }
}
