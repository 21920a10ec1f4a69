//! Rejections that an HTTP or a gRPC client understands.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};

use super::grpc::GRPC_STATUS;
use super::retry_after::GRPC_PUSHBACK;
use crate::error::Rejected;

const GRPC: &str = "application/grpc";
const GRPC_MESSAGE: &str = "grpc-message";
/// UNAVAILABLE.
const UNAVAILABLE: &str = "14";

/// Answers a rejection in the language of the request, for
/// [`on_rejected`](crate::CircuitBreakerLayer::on_rejected): gRPC to gRPC, HTTP to everything else.
///
/// # Errors
///
/// None.
#[expect(clippy::needless_pass_by_value, reason = "on_rejected hands the request over")]
pub fn unavailable<A, B: Default, E>(
    rejected: Rejected,
    request: Request<A>,
) -> Result<Response<B>, E> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let grpc = content_type.is_some_and(|value| is_grpc(value.as_bytes()));
    Ok(if grpc { grpc_unavailable(rejected) } else { rejected.into() })
}

/// `503 Service Unavailable`, empty, with `Retry-After` in whole seconds, rounded up, at least one.
/// Without that header where [`retry_after`](Rejected::retry_after) is not known.
///
/// The rejection is in the response's extensions, by which outer breakers of this process tell it
/// from a 503 of the dependency.
impl<B: Default> From<Rejected> for Response<B> {
    fn from(rejected: Rejected) -> Self {
        let mut response = Self::new(B::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        if let Some(wait) = rejected.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, retry_after_seconds(wait).into());
        }
        response.extensions_mut().insert(rejected);
        response
    }
}

/// gRPC's `UNAVAILABLE` without a message body: status and text are in the headers, and
/// `grpc-retry-pushback-ms` where the wait is known, in milliseconds, rounded up, at least one.
///
/// The rejection is in the response's extensions, as for HTTP.
#[must_use]
pub fn grpc_unavailable<B: Default>(rejected: Rejected) -> Response<B> {
    let mut response = Response::new(B::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    let status = HeaderName::from_static(GRPC_STATUS);
    headers.insert(status, HeaderValue::from_static(UNAVAILABLE));
    // Percent-encoded text is always a valid value.
    if let Ok(message) = HeaderValue::try_from(grpc_message(&rejected.to_string())) {
        headers.insert(HeaderName::from_static(GRPC_MESSAGE), message);
    }
    if let Some(wait) = rejected.retry_after() {
        headers.insert(HeaderName::from_static(GRPC_PUSHBACK), milliseconds(wait).into());
    }
    response.extensions_mut().insert(rejected);
    response
}

/// gRPC itself, with any message format. Not gRPC-Web, which proxies translate.
fn is_grpc(content_type: &[u8]) -> bool {
    let name = content_type.get(..GRPC.len());
    name.is_some_and(|name| name.eq_ignore_ascii_case(GRPC.as_bytes()))
        && matches!(content_type.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
}

/// A wait for `Retry-After`: whole seconds, rounded up, and at least one, because `Retry-After: 0` would
/// invite the next attempt at once.
#[must_use]
pub fn retry_after_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

/// A text for `grpc-message`, as gRPC wants it: printable ASCII but for the percent sign stays, the rest
/// is percent-encoded byte by byte. The result is always a valid header value.
#[must_use]
pub fn grpc_message(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'%' | ..b' ' | 0x7F.. => {
                // Writing to a string does not fail.
                let _infallible = write!(encoded, "%{byte:02X}");
            }
            b' '..=b'~' => encoded.push(char::from(byte)),
        }
        encoded
    })
}
