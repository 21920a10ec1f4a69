//! The names of what can go wrong.

use std::fmt;

use serde::Serialize;

/// Why a call failed: the closed set of values of the metric label `error_type`.
///
/// Exhaustive on purpose: dashboards and alerts enumerate it, so a new value is a breaking change.
#[expect(clippy::exhaustive_enums, reason = "the label's closed set")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// A deadline passed, or a transfer stalled.
    Timeout,
    /// No connection, or one that broke before an answer came.
    Dispatch,
    /// The service failed: 5xx, or `InternalError` in any status.
    Server,
    /// The service asked for fewer requests.
    Throttling,
    /// The service gave up waiting for the request and invites a repetition.
    Transient,
    /// An answer came and was not one of the service's.
    Response,
    /// A download broke after its headers.
    Body,
    /// The service answered, and the answer was no. Or the caller's own input was at fault.
    Client,
    /// Nothing was sent, or nothing else fits.
    Other,
}

impl ErrorType {
    /// Every value, in the order of [`ErrorType::index`].
    pub const ALL: [Self; 9] = [
        Self::Timeout,
        Self::Dispatch,
        Self::Server,
        Self::Throttling,
        Self::Transient,
        Self::Response,
        Self::Body,
        Self::Client,
        Self::Other,
    ];

    /// The label values, in the order of [`ErrorType::index`].
    pub const LABELS: [&'static str; 9] = [
        "timeout",
        "dispatch",
        "server",
        "throttling",
        "transient",
        "response",
        "body",
        "client",
        "other",
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Dispatch => "dispatch",
            Self::Server => "server",
            Self::Throttling => "throttling",
            Self::Transient => "transient",
            Self::Response => "response",
            Self::Body => "body",
            Self::Client => "client",
            Self::Other => "other",
        }
    }

    /// Its place in [`ErrorType::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|other| *other == self).unwrap_or(Self::ALL.len())
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
