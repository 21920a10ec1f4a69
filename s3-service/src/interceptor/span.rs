//! One client span per operation of the SDK, for those who ask for it.
//!
//! Only the hooks see all that OpenTelemetry's semantic conventions want to know of a call: the
//! operation's name, whichever service it is of, and the ids under which AWS will find it. The price is
//! that no hook surrounds the operation: its span is current while the breaker admits and judges it, so
//! that a transition is an event of it, and not while the SDK waits.
//!
//! | field | |
//! | --- | --- |
//! | `otel.name` | service and operation: `S3.PutObject` |
//! | `otel.kind`, `rpc.system` | `client`, `aws-api` |
//! | `rpc.service`, `rpc.method` | `S3`, `PutObject` |
//! | `aws.s3.bucket`, `aws.s3.key`, `aws.s3.copy_source`, `cloud.region` | of an operation of S3, where it has them |
//! | `http.response.status_code`, `aws.request_id`, `aws.extended_request_id` | of the last answer, where one came |
//! | `error.type` | the service's error code, such as `NoSuchKey`, else the [`ErrorType`](crate::ErrorType) of the failure; `rejected` where the breaker did not let the call through |
//! | `otel.status_code` | `ERROR` with an `error.type`, else not set |
//!
//! A span begins when the operation does and holds all its attempts. It ends with its answer, and where
//! the answer's body is still to come, with that body: broken is an `error.type` of `body`, given up
//! after a long silence one of `timeout`, and dropped by its reader no error. So a span is a call as the
//! metrics count it. What was dropped ends without a status; presigning has no span.

use std::sync::Arc;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::{facts, slot};
use crate::body::{Tail, fail};

/// A call under way, in the operation's own bag.
#[derive(Debug)]
struct Call {
    span: Span,
    /// The body of the last answer.
    tail: Option<Arc<Tail>>,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

/// Opens the span, unless another interceptor has.
pub(super) fn begin(cfg: &mut ConfigBag) {
    if cfg.load::<Call>().is_none() {
        let span = open(cfg);
        cfg.interceptor_state().store_put(Call { span, tail: None });
    }
}

/// The span of the call; none where nobody asked for one.
pub(super) fn of(cfg: &ConfigBag) -> Span {
    cfg.load::<Call>().map_or_else(Span::none, |call| call.span.clone())
}

/// The answer may go on in the body of this attempt, and in that of none before it.
pub(super) fn answered(cfg: &mut ConfigBag) {
    let tail = slot::attempt(cfg).and_then(|attempt| attempt.tail.clone());
    if let Some(call) = cfg.get_mut_from_interceptor_state::<Call>() {
        call.tail = tail;
    }
}

/// Ends the span, or hands it to the body that is still to come.
pub(super) fn end(cfg: &mut ConfigBag, ctx: &InterceptorContext, components: &RuntimeComponents) {
    let Some(call) = cfg.get_mut_from_interceptor_state::<Call>() else { return };
    let Call { span, tail } = std::mem::replace(call, Call { span: Span::none(), tail: None });
    if span.is_disabled() {
        return;
    }
    if let Some(response) = ctx.response() {
        describe(&span, response);
    }
    match facts::error_type(ctx, components) {
        Some(error_type) => fail(&span, &error_type),
        None => {
            if let Some(tail) = tail {
                tail.watch(span);
            }
        }
    }
}

fn open(cfg: &ConfigBag) -> Span {
    let Some(operation) = cfg.load::<Metadata>() else { return Span::none() };
    let (service, method, object) = (operation.service(), operation.name(), Object::of(cfg));
    info_span!(
        "aws.call",
        "otel.name" = format_args!("{service}.{method}"),
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "rpc.system" = "aws-api",
        "rpc.service" = service,
        "rpc.method" = method,
        "aws.s3.bucket" = object.bucket,
        "aws.s3.key" = object.key,
        "aws.s3.copy_source" = object.copy_source,
        "cloud.region" = object.region,
        "http.response.status_code" = Empty,
        "aws.request_id" = Empty,
        "aws.extended_request_id" = Empty,
        "error.type" = Empty,
    )
}

fn describe(span: &Span, response: &HttpResponse) {
    let header = |name: &str| response.headers().get(name);
    span.record("http.response.status_code", response.status().as_u16());
    let id = ["x-amz-request-id", "x-amzn-requestid", "x-amzn-request-id"].into_iter();
    span.record("aws.request_id", id.filter_map(header).next());
    span.record("aws.extended_request_id", header("x-amz-id-2"));
}

/// What an operation of S3 is about.
#[derive(Default)]
struct Object<'a> {
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    copy_source: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> Object<'a> {
    #[cfg(feature = "s3")]
    fn of(cfg: &'a ConfigBag) -> Self {
        use aws_sdk_s3::config::endpoint::Params;
        use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;

        let params = cfg.load::<EndpointResolverParams>().and_then(|params| params.get::<Params>());
        params.map_or_else(Self::default, |params| Self {
            bucket: params.bucket(),
            key: params.key(),
            copy_source: params.copy_source(),
            region: params.region(),
        })
    }

    #[cfg(not(feature = "s3"))]
    fn of(_cfg: &'a ConfigBag) -> Self {
        Self::default()
    }
}
