//! Which gRPC responses are the server's fault.
//!
//! tower-http's [`GrpcErrorsAsFailures`](tower_http::classify::GrpcErrorsAsFailures) is made for
//! logs. To a breaker it is too strict, since `NOT_FOUND` says nothing against a server, and too
//! lenient, since it takes a response without any status for a success: the `503` of a proxy in
//! front of a dead server, or a stream that was cut off.

use http::{HeaderMap, Response, StatusCode};
use tower_http::classify::{ClassifiedResponse, ClassifyEos, ClassifyResponse, GrpcCode};

pub(super) const GRPC_STATUS: &str = "grpc-status";

/// Classifies the gRPC statuses that are a server's fault as failures, as 5xx are in HTTP.
///
/// These are `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and
/// `DATA_LOSS`, the errors of a server by [OpenTelemetry]. A response that ends without a status
/// has the one that its HTTP status [stands for]: `200` stands for `UNKNOWN`, because a complete
/// response would have one.
///
/// [OpenTelemetry]: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
/// [stands for]: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GrpcServerErrorsAsFailures;

/// The part of [`GrpcServerErrorsAsFailures`] that looks at trailers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GrpcEnd;

impl GrpcServerErrorsAsFailures {
    /// The classifier.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl ClassifyResponse for GrpcServerErrorsAsFailures {
    type FailureClass = GrpcCode;
    type ClassifyEos = GrpcEnd;

    fn classify_response<B>(self, response: &Response<B>) -> ClassifiedResponse<GrpcCode, GrpcEnd> {
        match (status(response.headers()), response.status()) {
            (Some(code), _) => ClassifiedResponse::Ready(judge(code)),
            (None, StatusCode::OK) => ClassifiedResponse::RequiresEos(GrpcEnd),
            (None, http) => ClassifiedResponse::Ready(judge(stands_for(http))),
        }
    }

    fn classify_error<E>(self, _: &E) -> GrpcCode {
        GrpcCode::Unknown
    }
}

impl ClassifyEos for GrpcEnd {
    type FailureClass = GrpcCode;

    fn classify_eos(self, trailers: Option<&HeaderMap>) -> Result<(), GrpcCode> {
        judge(trailers.and_then(status).unwrap_or(GrpcCode::Unknown))
    }

    fn classify_error<E>(self, _: &E) -> GrpcCode {
        GrpcCode::Unknown
    }
}

/// The status in headers or trailers; one that can not be read is unknown.
fn status(headers: &HeaderMap) -> Option<GrpcCode> {
    let value = headers.get(GRPC_STATUS)?;
    let code = value.to_str().ok().and_then(|text| text.parse::<i32>().ok());
    Some(code.map_or(GrpcCode::Unknown, GrpcCode::from))
}

fn stands_for(http: StatusCode) -> GrpcCode {
    match http.as_u16() {
        400 => GrpcCode::Internal,
        401 => GrpcCode::Unauthenticated,
        403 => GrpcCode::PermissionDenied,
        404 => GrpcCode::Unimplemented,
        429 | 502..=504 => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    }
}

fn judge(code: GrpcCode) -> Result<(), GrpcCode> {
    let fault = matches!(
        code,
        GrpcCode::Unknown
            | GrpcCode::DeadlineExceeded
            | GrpcCode::Unimplemented
            | GrpcCode::Internal
            | GrpcCode::Unavailable
            | GrpcCode::DataLoss
    );
    if fault { Err(code) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_http_stands_for_the_one_that_grpc_says_it_does() {
        for (http, expected) in [
            (400, "Internal"),
            (401, "Unauthenticated"),
            (403, "PermissionDenied"),
            (404, "Unimplemented"),
            (429, "Unavailable"),
            (502, "Unavailable"),
            (503, "Unavailable"),
            (504, "Unavailable"),
            (418, "Unknown"),
            (500, "Unknown"),
        ] {
            let code = stands_for(StatusCode::from_u16(http).unwrap());
            assert_eq!(format!("{code:?}"), expected, "{http}");
        }
    }
}
