//! Reads the facts of an attempt out of what the SDK's hooks show: the effect around
//! [`classify`], which decides.

use std::borrow::Cow;
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::{Error, InterceptorContext};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::ErrorKind;
use circuit_layer::Rejected;

use crate::classify::{Advice, ErrorType, Facts, Kind, Verdict, classify};

/// What the attempt says, and when the service wants to be asked again.
pub(super) fn judge(
    ctx: &InterceptorContext,
    components: &RuntimeComponents,
) -> (Kind, Verdict, Option<Duration>) {
    let kind = kind(ctx);
    if kind != Kind::Service {
        return (kind, classify(&Facts::of(kind)), None);
    }
    let (advice, retry_after) = advice(ctx, components);
    let response = ctx.response();
    let code = response.and_then(error_code);
    let facts = Facts {
        kind,
        status: response.map(|response| response.status().as_u16()),
        code: code.as_deref(),
        advice,
    };
    (kind, classify(&facts), retry_after)
}

/// What a span calls the failure: by the service's own code, or else by ours.
pub(super) fn error_type<'a>(
    ctx: &'a InterceptorContext,
    components: &RuntimeComponents,
) -> Option<Cow<'a, str>> {
    let error = ctx.output_or_error()?.err()?;
    if Rejected::find(error).is_some() {
        return Some(Cow::Borrowed("rejected"));
    }
    let code = ctx.response().filter(|_| error.is_operation_error()).and_then(error_code);
    code.or_else(|| {
        let (_, verdict, _) = judge(ctx, components);
        Some(Cow::Borrowed(verdict.error_type.unwrap_or(ErrorType::Other).as_str()))
    })
}

fn kind(ctx: &InterceptorContext) -> Kind {
    match ctx.output_or_error() {
        None => Kind::NotSent,
        Some(Ok(_)) => Kind::Done,
        Some(Err(error)) => error_kind(error),
    }
}

fn error_kind(error: &OrchestratorError<Error>) -> Kind {
    if error.is_timeout_error() {
        Kind::Timeout
    } else if let Some(error) = error.as_connector_error() {
        connector_kind(error)
    } else if error.is_response_error() {
        Kind::Response
    } else if error.is_operation_error() {
        Kind::Service
    } else {
        Kind::Other
    }
}

/// The stage that a failure of the connector belongs to.
pub(crate) fn connector_kind(error: &ConnectorError) -> Kind {
    if error.is_timeout() {
        Kind::Timeout
    } else if error.is_user() {
        Kind::Caller
    } else {
        Kind::Dispatch
    }
}

/// Asks the operation's own classifiers, lowest priority first, as the SDK does: they know the
/// operation's error type, which is erased here.
fn advice(ctx: &InterceptorContext, components: &RuntimeComponents) -> (Advice, Option<Duration>) {
    let mut action = RetryAction::NoActionIndicated;
    for classifier in components.retry_classifiers() {
        action = classifier.classify_retry_v2(ctx, &action);
        if action == RetryAction::RetryForbidden {
            break;
        }
    }
    let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, retry_after }) = action
    else {
        return (Advice::None, None);
    };
    let advice = if kind == ErrorKind::ThrottlingError {
        Advice::Throttling
    } else if kind == ErrorKind::TransientError {
        Advice::Transient
    } else if kind == ErrorKind::ServerError {
        Advice::Server
    } else {
        Advice::None
    };
    (advice, retry_after)
}

/// The code of an error answer: the `Code` element of an XML body (S3 and the query protocols),
/// else the header of the JSON protocols.
fn error_code(response: &HttpResponse) -> Option<Cow<'_, str>> {
    let in_body = response.body().bytes().and_then(xml_code);
    in_body.or_else(|| response.headers().get("x-amzn-errortype").map(header_code)).map(Cow::from)
}

fn xml_code(body: &[u8]) -> Option<&str> {
    // Error documents are small; a scan keeps an XML parser out of the interceptor.
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.trim())
}

/// `aws.protocol#Throttled:http://…` is `Throttled`.
fn header_code(value: &str) -> &str {
    let code = value.split_once(':').map_or(value, |(code, _)| code);
    code.rsplit_once('#').map_or(code, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::{header_code, xml_code};

    #[test]
    fn the_code_is_read_from_an_error_document() {
        let body =
            b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message></Error>";
        assert_eq!(xml_code(body), Some("SlowDown"));
    }

    #[test]
    fn half_a_document_has_no_code() {
        assert_eq!(xml_code(b"<Error><Code>SlowDo"), None);
        assert_eq!(xml_code(b"<html>Bad gateway</html>"), None);
        assert_eq!(xml_code(&[0xff, 0xfe]), None);
    }

    #[test]
    fn the_code_is_read_from_the_header_of_the_json_protocols() {
        assert_eq!(
            header_code("ThrottlingException:http://internal.amazon.com/x"),
            "ThrottlingException"
        );
        assert_eq!(header_code("com.amazonaws.dynamodb#SlowDown"), "SlowDown");
    }
}
