//! What can go wrong besides what `async-openai` knows, and whom to tell.

use async_openai::error::OpenAIError;
use reqwest::StatusCode;

use super::told::is_quota;

/// An answer did not come, or not to its end. From an [`OpenAi`](super::OpenAi) always inside of
/// [`OpenAIError::Boxed`]. Under an [`OpenAiLayer`](super::OpenAiLayer) of your own `async-openai` has it among the
/// sources of a whole answer's error, and of a streamed one makes a text that does not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Nothing came within the time for the first byte.
    #[error("no answer in time")]
    Timeout,
    /// The answer paused for too long.
    #[error("the answer stalled")]
    Stalled,
    /// It ended before it was complete.
    #[error("the answer was cut off")]
    Truncated,
    /// It holds no choice: neither text nor the call of a tool.
    #[error("the answer is empty")]
    Empty,
}

impl From<AnswerError> for OpenAIError {
    fn from(error: AnswerError) -> Self {
        Self::Boxed(error.into())
    }
}

/// Whether waiting will not help: the key is wrong, access is denied, or the quota is used up.
/// Somebody should be told.
#[must_use]
pub fn needs_operator(error: &OpenAIError) -> bool {
    let OpenAIError::ApiError(error) = error else { return false };
    let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&error.status_code);
    denied || is_quota(&error.api_error)
}
