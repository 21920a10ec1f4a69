//! One client span per call, for those who ask for it.
//!
//! A trace that ends at our door does not tell whether a slow request waited for Redis, was rejected,
//! or never asked. So a call can be a `tracing` span, with the fields that OpenTelemetry's semantic
//! conventions give to a call of a Redis client; `tracing-opentelemetry` makes it a span of the trace.
//!
//! | field | |
//! | --- | --- |
//! | `otel.name`, `db.operation.name` | the command: `GET`; a raw one as it was given; of several `PIPELINE` or `MULTI`, and the command too where all are the same: `PIPELINE SET` |
//! | `otel.kind`, `db.system.name` | `client`, `redis` |
//! | `db.namespace` | the database's number, as configured; not for a pool of the user's own |
//! | `server.address`, `server.port` | of a single node; behind Sentinel, in a cluster and of a pool it changes, and is left out |
//! | `db.operation.batch.size` | of a pipeline of any other length than one |
//! | `error.type` | Redis' error code, such as `WRONGTYPE`, else the [`ErrorKind`](crate::ErrorKind) of the failure; `rejected` where the breaker did not let the call through |
//! | `db.response.status_code` | Redis' error code |
//! | `otel.status_code` | `ERROR` with an `error.type`, else not set |
//!
//! No field holds a key, a value, or the text of an error, which may quote both. The command of a raw
//! call is its first word.
//!
//! The span is a child of the one that was current when the call was made, and current itself while the
//! breaker admits and judges the call. So a transition that the call causes is an event of it. A nil is
//! no error, nor is an answer of another type than the caller asked for, which nobody below the typed
//! facade knows of; a call that is dropped ends its span without a status.

use std::borrow::Cow;

use circuit_layer::Error;
use redis::{Arg, Value};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::error::RedisError;
use crate::request::{Pipeline, Raw, Request};

/// What every span of a client says.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    /// Host, or the path of the socket.
    pub(crate) address: Option<String>,
    pub(crate) port: Option<u16>,
    /// The database's number.
    pub(crate) namespace: Option<String>,
}

impl Spans {
    /// The span of a call that is about to be made. A subscriber that wants none costs a look.
    pub(crate) fn open(&self, request: &Request) -> Span {
        info_span!(
            "redis.call",
            "otel.name" = &*name(request),
            "otel.kind" = "client",
            "otel.status_code" = Empty,
            "db.system.name" = "redis",
            "db.operation.name" = &*name(request),
            "db.operation.batch.size" = batch_size(request),
            "db.namespace" = self.namespace.as_deref(),
            "db.response.status_code" = Empty,
            "server.address" = self.address.as_deref(),
            "server.port" = self.port,
            "error.type" = Empty,
        )
    }
}

/// Says in the span what became of the call.
pub(crate) fn close(span: &Span, answer: &Result<Value, Error<RedisError>>) {
    let error_type = match answer {
        Ok(_) => return,
        Err(Error::Rejected(_)) => "rejected",
        Err(Error::Inner(error)) => {
            let code = error.code();
            span.record("db.response.status_code", code);
            code.unwrap_or_else(|| error.kind().label())
        }
    };
    span.record("error.type", error_type);
    span.record("otel.status_code", "ERROR");
}

fn name(request: &Request) -> Cow<'_, str> {
    if let Request::Pipeline(pipeline) = request {
        return of_many(pipeline);
    }
    Cow::Borrowed(if let Request::Raw(raw) = request { first_word(raw) } else { request.command() })
}

fn of_many(pipeline: &Pipeline) -> Cow<'_, str> {
    let all = if pipeline.is_atomic() { "MULTI" } else { "PIPELINE" };
    match pipeline.requests() {
        [] => Cow::Borrowed(all),
        [only] => name(only),
        [first, others @ ..] => {
            let first = name(first);
            let alike = others.iter().all(|other| name(other) == first);
            if alike { Cow::Owned(format!("{all} {first}")) } else { Cow::Borrowed(all) }
        }
    }
}

fn batch_size(request: &Request) -> Option<usize> {
    let Request::Pipeline(pipeline) = request else { return None };
    Some(pipeline.len()).filter(|&size| size != 1)
}

fn first_word(raw: &Raw) -> &str {
    if let Some(Arg::Simple(word)) = raw.cmd().args_iter().next()
        && let Ok(word) = std::str::from_utf8(word)
    {
        return word;
    }
    "_OTHER"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;
    use crate::{RedisConfig, Transaction};

    fn check(request: impl Into<Request>, expected: &str, size: Option<usize>) {
        let request = request.into();
        assert_eq!((&*name(&request), batch_size(&request)), (expected, size));
    }

    #[test]
    fn a_span_has_the_name_of_what_is_sent() {
        let raw = |word: &str| Raw::new(redis::cmd(word).arg("key").take());
        check(raw("getDel"), "getDel", None);
        check(Raw::new(redis::Cmd::new()), "_OTHER", None);
        check(Transaction::watch(["key"]), "MULTI", None);
        check(Pipeline::new(), "PIPELINE", Some(0));
        check(Pipeline::new().get("key"), "GET", None);
        check(Pipeline::new().get("key").atomic(), "GET", None);
        check(Pipeline::new().get("a").get("b"), "PIPELINE GET", Some(2));
        check(Pipeline::new().get("a").set("b", "c"), "PIPELINE", Some(2));
        check(Pipeline::new().incr("a").incr("b").incr("c").atomic(), "MULTI INCR", Some(3));
        check(Pipeline::new().incr("a").get("b").atomic(), "MULTI", Some(2));
    }

    fn tells(target: &Target, config: &RedisConfig, expected: [Option<&str>; 3]) {
        let Spans { address, port, namespace } = target.spans(config);
        let port = port.map(|port| port.to_string());
        assert_eq!([address.as_deref(), port.as_deref(), namespace.as_deref()], expected);
    }

    #[test]
    fn a_span_tells_where_a_single_node_is_and_of_others_what_does_not_change() {
        let config = RedisConfig::default().host("example.org").port(7000).db(3);
        tells(&Target::Node, &config, [Some("example.org"), Some("7000"), Some("3")]);
        let socket = RedisConfig::from_url("unix:///run/redis.sock").unwrap();
        tells(&Target::Node, &socket, [Some("/run/redis.sock"), None, Some("0")]);
        #[cfg(feature = "sentinel")]
        {
            let master = Target::Sentinel { master: "main".to_owned(), sentinels: Vec::new() };
            tells(&master, &config, [None, None, Some("3")]);
        }
        #[cfg(feature = "cluster")]
        tells(&Target::Cluster { nodes: Vec::new() }, &config, [None, None, Some("0")]);
    }
}
