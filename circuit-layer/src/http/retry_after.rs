//! How long a server asks to be left alone.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

pub(super) const GRPC_PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The wait that headers or trailers ask for: `grpc-retry-pushback-ms` or else `Retry-After`, in
/// seconds or as a date ([RFC 9110, 10.2.3]).
///
/// A date is taken relative to the response's own `Date`, so that it does not matter how wrong
/// either clock is; without that it is not understood. None also for a pushback below zero, which
/// asks a client not to retry at all ([gRFC A6]).
///
/// [RFC 9110, 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
/// [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(pushback) = text(headers, GRPC_PUSHBACK) {
        return pushback.parse().ok().map(Duration::from_millis);
    }
    let after = text(headers, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(after).ok()?;
    let sent = httpdate::parse_http_date(text(headers, DATE.as_str())?).ok()?;
    Some(until.duration_since(sent).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
