//! Why there is no answer, and whose fault it is.

use std::time::Duration;

use circuit_layer::Outcome;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The API gave no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenAiError {
    /// Nobody is there, or the connection broke.
    #[error("the API can not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Nothing came within the deadline.
    #[error("no answer within the deadline")]
    Timeout,
    /// It answered with an error.
    #[error("the API answered with status {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered with something that is no completion.
    #[error("the answer is no completion")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered with no choice.
    #[error("the answer holds no choice")]
    Empty,
    /// The stream ended in the middle of the answer.
    #[error("the answer was cut off")]
    Truncated,
}

impl OpenAiError {
    pub(super) fn answered(status: StatusCode, headers: &HeaderMap) -> Self {
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Self::Status { status, retry_after: seconds.map(Duration::from_secs) }
    }

    /// What it says about the API. Its 4xx are answers, to a mistake of ours, but for 408 and 429.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unreachable(_) => Outcome::failure("connect"),
            Self::Timeout => Outcome::failure("timeout"),
            Self::Status { status: StatusCode::TOO_MANY_REQUESTS, retry_after } => {
                Outcome::Failure { kind: "throttled", retry_after: *retry_after }
            }
            Self::Status { status, retry_after }
                if status.is_server_error() || *status == StatusCode::REQUEST_TIMEOUT =>
            {
                Outcome::Failure { kind: "server", retry_after: *retry_after }
            }
            Self::Status { .. } => Outcome::Success,
            Self::Malformed(_) | Self::Empty => Outcome::failure("malformed"),
            Self::Truncated => Outcome::failure("truncated"),
        }
    }
}

impl From<reqwest::Error> for OpenAiError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_decode() {
            Self::Malformed(Box::new(error))
        } else {
            Self::Unreachable(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16) -> Outcome {
        OpenAiError::answered(StatusCode::from_u16(status).unwrap(), &HeaderMap::new()).outcome()
    }

    #[test]
    fn a_mistake_of_ours_is_an_answer_and_an_overload_a_failure() {
        for status in [400, 401, 404, 409, 422] {
            assert_eq!(kind(status), Outcome::Success, "{status}");
        }
        assert_eq!(kind(429), Outcome::failure("throttled"));
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(kind(status), Outcome::failure("server"), "{status}");
        }
    }

    #[test]
    fn the_wait_that_it_asks_for_goes_to_the_breaker() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let outcome = OpenAiError::answered(StatusCode::TOO_MANY_REQUESTS, &headers).outcome();
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(outcome, Outcome::Failure { kind: "throttled", retry_after });
    }
}
