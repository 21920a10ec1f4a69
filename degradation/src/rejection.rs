//! The answer to a request that is not served.
//!
//! It must be cheap, and it must tell the caller what a caller can use: not now, and when. It does
//! not tell which dependency is down or why: that is for operators, not for the outside.
//!
//! | caller | answer |
//! | --- | --- |
//! | HTTP | 503, `retry-after`, `x-degradation-level`, `application/problem+json` (RFC 9457) |
//! | gRPC | trailers-only `UNAVAILABLE` with `grpc-retry-pushback-ms` and `x-degradation-level` |
//!
//! A gRPC caller gets HTTP 200, as its protocol demands: a bare 503 would be mapped to
//! `UNAVAILABLE` too, but the message would be lost.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::http::{grpc_message, retry_after_seconds};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::admission::Admission;
use crate::body::ResponseBody;
use crate::class::Class;
use crate::level::Level;
use crate::mode::Mode;

const LEVEL: HeaderName = HeaderName::from_static("x-degradation-level");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const GRPC: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");

/// Why a request is not served, and how long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejection {
    pub(crate) admission: Admission,
    pub(crate) class: Class,
    pub(crate) level: Level,
    pub(crate) mode: Mode,
    pub(crate) retry_after: Duration,
}

impl Rejection {
    /// The answer in the protocol of the request.
    pub(crate) fn answer<B>(&self, request: &HeaderMap) -> Response<ResponseBody<B>> {
        let grpc =
            request.get(CONTENT_TYPE).filter(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()));
        match grpc {
            Some(content_type) => self.grpc(content_type.clone()),
            None => self.http(),
        }
    }

    fn http<B>(&self) -> Response<ResponseBody<B>> {
        let seconds = retry_after_seconds(self.retry_after);
        let Self { class, level, mode, .. } = self;
        // Every value is from a closed set of names, so nothing needs escaping.
        let problem = format!(
            concat!(
                r#"{{"type":"about:blank","title":"Service Unavailable","status":503,"#,
                r#""detail":"{}","level":"{}","mode":"{}","criticality":"{}","retry_after":{}}}"#
            ),
            self.detail(),
            level,
            mode,
            class.criticality,
            seconds
        );
        let mut response = Response::new(ResponseBody::own(Bytes::from(problem)));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        headers.insert(LEVEL, HeaderValue::from_static(level.as_str()));
        response
    }

    fn grpc<B>(&self, content_type: HeaderValue) -> Response<ResponseBody<B>> {
        let mut response = Response::new(ResponseBody::own(Bytes::new()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(GRPC_STATUS, UNAVAILABLE);
        if let Ok(message) = HeaderValue::try_from(grpc_message(self.detail())) {
            headers.insert(GRPC_MESSAGE, message);
        }
        let millis = u64::try_from(self.retry_after.as_millis()).unwrap_or(u64::MAX);
        headers.insert(GRPC_PUSHBACK, HeaderValue::from(millis));
        headers.insert(LEVEL, HeaderValue::from_static(self.level.as_str()));
        response
    }

    const fn detail(&self) -> &'static str {
        match self.admission {
            Admission::WriteRejected => "The service is read-only for now.",
            Admission::Shed | Admission::Pass => {
                "The service is degraded and does not serve this for now."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up_and_never_zero() {
        let found =
            [0, 1, 999, 1_000, 1_001].map(|ms| retry_after_seconds(Duration::from_millis(ms)));
        assert_eq!(found, [1, 1, 1, 1, 2]);
    }

    #[test]
    fn a_grpc_message_is_grpc_message() {
        assert_eq!(grpc_message("50 % für alle\n"), "50 %25 f%C3%BCr alle%0A");
    }
}
