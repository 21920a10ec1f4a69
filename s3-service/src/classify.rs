//! What an attempt says about the service behind it, as one pure table.
//!
//! The status alone misleads: `CopyObject` reports `InternalError` inside a 200, `RequestTimeout`
//! is a 400, and a 403 may be throttling. The SDK's retry classifiers alone mislead too: they call
//! the client's own wrong clock a server error and know nothing of 429 `TooManyRequests`. So the
//! table takes all of it, the kind of the result, the status, the error code and the SDK's advice,
//! and answers with a [`Verdict`]: how the breaker counts it and the `error_type` label.
//!
//! | what | breaker | label |
//! | --- | --- | --- |
//! | operation, attempt, read or connect timeout; stalled transfer | failure | `timeout` |
//! | refused, reset, DNS, TLS | failure | `dispatch` |
//! | 500, 502–504, `InternalError` also inside a 200 | failure | `server` |
//! | 429, `SlowDown`, `RequestLimitExceeded` | failure | `throttling` |
//! | 408, 400 `RequestTimeout` | failure | `transient` |
//! | a 2xx that can not be parsed, a cut answer | failure | `response` |
//! | a download cut after its headers | failure | `body` |
//! | 404, 403, 412, 501 …: the service answered | success | `client` |
//! | the caller's own stream failed | ignored | `client` |
//! | never transmitted: credentials, endpoint, signing | ignored | `other` |
//!
//! Error codes: the S3 API reference, "Error responses", and the SDK's own lists
//! [`THROTTLING_ERRORS`] and [`TRANSIENT_ERRORS`].

use std::time::Duration;

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};

pub use crate::error_type::ErrorType;

/// At which stage a result was decided.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The operation's output.
    Done,
    /// An operation or attempt deadline of the SDK, or one of its connector.
    Timeout,
    /// The connector failed, and it was not the caller's body.
    Dispatch,
    /// The caller's own input failed: a missing field, a broken request body.
    Caller,
    /// An answer came, but reading or parsing it broke.
    Response,
    /// The service answered with an error.
    Service,
    /// Nothing was transmitted.
    NotSent,
    /// None of these.
    Other,
}

/// What the SDK's retry classifiers advise.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Advice {
    /// They have nothing to say.
    #[default]
    None,
    /// A transient error.
    Transient,
    /// Throttling.
    Throttling,
    /// A server error; also what they say of a client whose clock is wrong.
    Server,
}

/// All that the table looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The stage.
    pub kind: Kind,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The service's error code.
    pub code: Option<&'a str>,
    /// The SDK's advice.
    pub advice: Advice,
}

impl Facts<'_> {
    /// The facts of a result that no answer came with.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self { kind, status: None, code: None, advice: Advice::None }
    }
}

/// How the breaker counts an attempt.
#[expect(clippy::exhaustive_enums, reason = "the three outcomes of a breaker")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The service is there.
    Success,
    /// Evidence against the service.
    Failure,
    /// Says nothing about it.
    Ignored,
}

/// The table's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the breaker counts it.
    pub judgement: Judgement,
    /// The label; `None` for an output.
    pub error_type: Option<ErrorType>,
}

impl Verdict {
    pub(crate) const SUCCESS: Self = Self { judgement: Judgement::Success, error_type: None };

    pub(crate) const fn failure(error_type: ErrorType) -> Self {
        Self { judgement: Judgement::Failure, error_type: Some(error_type) }
    }

    pub(crate) const fn ignored(error_type: ErrorType) -> Self {
        Self { judgement: Judgement::Ignored, error_type: Some(error_type) }
    }

    const fn answered() -> Self {
        Self { judgement: Judgement::Success, error_type: Some(ErrorType::Client) }
    }
}

/// The table. Pure: the same facts always give the same verdict.
#[must_use]
pub fn classify(facts: &Facts<'_>) -> Verdict {
    match facts.kind {
        Kind::Done => Verdict::SUCCESS,
        Kind::Timeout => Verdict::failure(ErrorType::Timeout),
        Kind::Dispatch => Verdict::failure(ErrorType::Dispatch),
        Kind::Response => Verdict::failure(ErrorType::Response),
        Kind::Caller => Verdict::ignored(ErrorType::Client),
        Kind::NotSent | Kind::Other => Verdict::ignored(ErrorType::Other),
        Kind::Service => service_error(facts),
    }
}

fn service_error(facts: &Facts<'_>) -> Verdict {
    let status = facts.status.unwrap_or(0);
    if status == 429 || facts.advice == Advice::Throttling || facts.code.is_some_and(throttles) {
        return Verdict::failure(ErrorType::Throttling);
    }
    if status == 408 || facts.code.is_some_and(|code| TRANSIENT_ERRORS.contains(&code)) {
        return Verdict::failure(ErrorType::Transient);
    }
    if matches!(status, 501 | 505) {
        // A feature that this service lacks; asking again later changes nothing.
        return Verdict::answered();
    }
    if status >= 500 || facts.code.is_some_and(service_failed) {
        return Verdict::failure(ErrorType::Server);
    }
    let is_2xx = (200..300).contains(&status);
    if is_2xx && facts.code.is_none() {
        // A gateway's page, or half a document: no S3 spoke here.
        return Verdict::failure(ErrorType::Response);
    }
    if facts.advice == Advice::Transient {
        return Verdict::failure(ErrorType::Transient);
    }
    // `Advice::Server` is left aside below 500: it is the SDK's word for a skewed client clock.
    Verdict::answered()
}

fn throttles(code: &str) -> bool {
    code == "TooManyRequests" || THROTTLING_ERRORS.contains(&code)
}

fn service_failed(code: &str) -> bool {
    matches!(code, "InternalError" | "InternalServerError" | "ServiceUnavailable")
}

/// Whether a deadline that cut an attempt after `elapsed` is evidence against the service.
///
/// The SDK does not tell which deadline fired. One of the whole operation may fall soon after an
/// attempt began, which says nothing of that attempt: it counts from half of its own deadline on.
#[must_use]
pub fn deadline_is_evidence(elapsed: Duration, own_deadline: Option<Duration>) -> bool {
    own_deadline.is_none_or(|deadline| elapsed.saturating_mul(2) >= deadline)
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
