//! What headers, an error's body and a transport's error say about the API.

use std::time::Duration;

use async_openai::error::{ApiError, ApiErrorResponse, OpenAIError};
use circuit_layer::{Outcome, Rejected};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::error::AnswerError;
use super::told::is_quota;

/// Longer waits than this are not believed: the API would be asked again only long after it could.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Money does not come by waiting a minute.
const QUOTA_WAIT: Duration = Duration::from_secs(600);

/// Of a status that is no success, with what the body says.
pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, told: &ApiError) -> Outcome {
    let retry_after = retry_after(headers);
    match status {
        StatusCode::TOO_MANY_REQUESTS if is_quota(told) => {
            Outcome::Failure { kind: "quota", retry_after: Some(QUOTA_WAIT) }
        }
        StatusCode::TOO_MANY_REQUESTS => Outcome::Failure { kind: "throttled", retry_after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::failure("access"),
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => {
            Outcome::Failure { kind: "server", retry_after }
        }
        _ if status.is_server_error() => Outcome::Failure { kind: "server", retry_after },
        _ => Outcome::Success,
    }
}

fn of_told(error: &ApiErrorResponse) -> Outcome {
    of_status(error.status_code, &HeaderMap::new(), &error.api_error)
}

/// `retry-after-ms` is `OpenAI`'s own and finer.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let fine = headers.get("retry-after-ms").and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = fine.map(Duration::from_millis);
    wait.or_else(|| circuit_layer::http::retry_after(headers)).map(|wait| wait.min(LONGEST_WAIT))
}

/// Of a call that got no response.
pub(super) fn of_transport(error: &OpenAIError) -> Outcome {
    match error {
        OpenAIError::Reqwest(error) if error.is_connect() => Outcome::failure("connect"),
        OpenAIError::Reqwest(error) if error.is_timeout() => Outcome::failure("timeout"),
        OpenAIError::Reqwest(error) if error.is_builder() => Outcome::Ignored,
        OpenAIError::Boxed(_) if Rejected::find(error).is_some() => Outcome::Ignored,
        OpenAIError::Boxed(error) if error.is::<AnswerError>() => Outcome::failure("timeout"),
        OpenAIError::Reqwest(_) | OpenAIError::Boxed(_) | OpenAIError::StreamError(_) => {
            Outcome::failure("transport")
        }
        OpenAIError::ApiError(_)
        | OpenAIError::JSONDeserialize(..)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::InvalidArgument(_) => Outcome::Ignored,
    }
}

/// Whether another model may do better: not where the caller made a mistake, but for a model that is not
/// there.
pub(super) fn is_worth_another_try(error: &OpenAIError) -> bool {
    let missing =
        matches!(error, OpenAIError::ApiError(error) if error.status_code == StatusCode::NOT_FOUND);
    missing || is_failure(error)
}

/// Whether it counts against the API, as it does in the breaker.
pub(super) fn is_failure(error: &OpenAIError) -> bool {
    match error {
        OpenAIError::InvalidArgument(_)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_) => false,
        OpenAIError::ApiError(error) => of_told(error) != Outcome::Success,
        OpenAIError::Reqwest(_)
        | OpenAIError::Boxed(_)
        | OpenAIError::StreamError(_)
        | OpenAIError::JSONDeserialize(..) => true,
    }
}

/// What an error that is no rejection is called in metrics.
#[cfg(feature = "otel")]
pub(super) fn error_type(error: &OpenAIError) -> &'static str {
    let judged = match error {
        OpenAIError::ApiError(error) => of_told(error),
        OpenAIError::JSONDeserialize(..) => return "malformed",
        OpenAIError::Boxed(boxed) => match boxed.downcast_ref() {
            Some(AnswerError::Stalled) => return "stalled",
            Some(AnswerError::Truncated) => return "truncated",
            Some(AnswerError::Empty) => return "malformed",
            Some(AnswerError::Timeout) | None => of_transport(error),
        },
        OpenAIError::Reqwest(_)
        | OpenAIError::StreamError(_)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::InvalidArgument(_) => of_transport(error),
    };
    match judged {
        Outcome::Failure { kind, .. } => kind,
        Outcome::Success | Outcome::Ignored => "client",
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::read;
    use super::*;

    fn of(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Outcome {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        of_status(StatusCode::from_u16(status).unwrap(), &headers, &read(body.as_bytes()).0)
    }

    #[test]
    fn a_mistake_of_the_caller_is_an_answer_and_an_overload_a_failure() {
        for status in [400, 404, 413, 415, 422] {
            assert_eq!(of(status, &[], ""), Outcome::Success, "{status}");
        }
        for status in [408, 409, 500, 502, 503, 504, 529] {
            assert_eq!(of(status, &[], ""), Outcome::failure("server"), "{status}");
        }
        for status in [401, 403] {
            assert_eq!(of(status, &[], ""), Outcome::failure("access"), "{status}");
        }
    }

    #[test]
    fn the_wait_that_it_asks_for_goes_to_the_breaker_finest_first_and_not_too_long() {
        let throttled = |headers: &[_]| match of(429, headers, "") {
            Outcome::Failure { kind: "throttled", retry_after } => retry_after,
            other @ (Outcome::Success | Outcome::Failure { .. } | Outcome::Ignored) => {
                panic!("{other:?}")
            }
        };
        assert_eq!(throttled(&[]), None);
        assert_eq!(throttled(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        let both = [("retry-after", "7"), ("retry-after-ms", "250")];
        assert_eq!(throttled(&both), Some(Duration::from_millis(250)));
        assert_eq!(throttled(&[("retry-after", "86400")]), Some(LONGEST_WAIT));
    }

    #[test]
    fn a_used_up_quota_is_told_from_too_many_requests_by_its_code() {
        let body = r#"{"error":{"message":"pay","type":"insufficient_quota","code":null}}"#;
        let quota = Outcome::Failure { kind: "quota", retry_after: Some(QUOTA_WAIT) };
        assert_eq!(of(429, &[("retry-after", "1")], body), quota);
        assert_eq!(of(429, &[], r#"{"error":{"code":"insufficient_quota"}}"#), quota);
        assert_eq!(of(429, &[], "<html>"), Outcome::failure("throttled"));
    }
}
