//! A call as a client span, as OpenTelemetry's conventions want it.

use std::task::{Context, Waker};

use circuit_layer::{CircuitBreaker, State, TracingObserver};
use redis_service::test_server::RedisServer;
use redis_service::{Pipeline, Redis, redis as redis_rs};
use tests::spans::{Fields, Span, Spans};
use tracing::Instrument;

use crate::support::{builder, failing, millis};

const CALL: &str = "redis.call";

fn fields<const N: usize>(fields: [(&'static str, &str); N]) -> Fields {
    fields.map(|(name, value)| (name, value.to_owned())).into()
}

/// The span of the one call that was made.
fn only(spans: &Spans) -> Span {
    let [span] = spans.named(CALL).try_into().unwrap();
    assert!(span.closed, "{span:?}");
    span
}

/// What the last call has said of its failure: the type, Redis' code, the status.
fn failure(spans: &Spans) -> [Option<String>; 3] {
    let span = spans.named(CALL).pop().unwrap();
    assert!(span.closed, "{span:?}");
    ["error.type", "db.response.status_code", "otel.status_code"]
        .map(|name| span.field(name).map(str::to_owned))
}

fn failed(error_type: &str, code: Option<&str>) -> [Option<String>; 3] {
    [Some(error_type), code, Some("ERROR")].map(|text| text.map(str::to_owned))
}

async fn client(server: &RedisServer) -> Redis {
    builder(server).spans().deadline(millis(200)).connect().await.unwrap()
}

#[tokio::test]
async fn a_call_is_a_span_with_the_fields_of_the_convention_and_no_others() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).db(3).spans().connect().await.unwrap();
    let (spans, _listening) = Spans::listen();
    assert_eq!(redis.get::<String>("k").await.unwrap(), None, "a nil, which is no error");
    let port = server.port().to_string();
    let expected = fields([
        ("otel.name", "GET"),
        ("otel.kind", "client"),
        ("db.system.name", "redis"),
        ("db.operation.name", "GET"),
        ("db.namespace", "3"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
    ]);
    assert_eq!(only(&spans).fields, expected);
    assert_eq!(only(&spans).parent, None);
}

#[tokio::test]
async fn without_being_asked_there_is_no_span() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).connect().await.unwrap();
    let (spans, _listening) = Spans::listen();
    redis.set("k", "v").await.unwrap();
    failing(redis.incr("k")).await.0.kind().unwrap();
    assert!(spans.named(CALL).is_empty());
}

#[tokio::test]
async fn a_failure_is_told_by_the_code_of_redis_or_else_by_its_kind() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    redis.lpush("list", ["v"]).await.unwrap();
    assert_eq!(failure(&spans), [None, None, None]);
    failing(redis.get::<String>("list")).await;
    assert_eq!(failure(&spans), failed("WRONGTYPE", Some("WRONGTYPE")));
    let unknown = redis.raw::<()>(redis_rs::cmd("NO.SUCH.COMMAND").arg("list").take());
    failing(unknown).await;
    assert_eq!(failure(&spans), failed("ERR", Some("ERR")));
    server.stop().unwrap();
    failing(redis.incr("n")).await;
    assert_eq!(failure(&spans), failed("timeout", None));
    server.kill().unwrap();
    failing(redis.incr("n")).await;
    assert_eq!(failure(&spans), failed("connection", None));
}

#[tokio::test]
async fn a_rejected_call_is_a_span_that_says_so() {
    let server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    redis.breaker().force_open("a test", None);
    assert!(failing(redis.ping()).await.0.is_rejected());
    assert_eq!(failure(&spans), failed("rejected", None));
    assert_eq!(only(&spans).field("otel.name"), Some("PING"));
}

#[tokio::test]
async fn a_dropped_call_ends_its_span_without_a_status() {
    let server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    server.stop().unwrap();
    let mut call = Box::pin(redis.get::<String>("k"));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let [waiting] = spans.named(CALL).try_into().unwrap();
    assert!(!waiting.closed, "{waiting:?}");
    drop(call);
    assert_eq!(failure(&spans), [None, None, None]);
    server.cont().unwrap();
}

#[tokio::test]
async fn a_pipeline_is_one_span_that_tells_its_size() {
    let server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    let check = async |pipeline: Pipeline, name: &str, size: Option<&str>| {
        redis.pipeline::<redis_rs::Value>(pipeline).await.unwrap();
        let span = spans.named(CALL).pop().unwrap();
        assert_eq!(span.field("db.operation.name"), Some(name));
        assert_eq!(span.field("db.operation.batch.size"), size);
    };
    check(Pipeline::new().set("a", 1).get("a"), "PIPELINE", Some("2")).await;
    check(Pipeline::new().incr("a").incr("a").atomic(), "MULTI INCR", Some("2")).await;
    check(Pipeline::new().get("a"), "GET", None).await;
    assert_eq!(spans.named(CALL).len(), 3);
}

#[tokio::test]
async fn no_span_tells_a_key_a_value_or_what_redis_said() {
    let server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    redis.set("secret-key", "secret-value").await.unwrap();
    redis.hset("secret-hash", "secret-field", "secret-value").await.unwrap();
    let pipeline = Pipeline::new().get("secret-key").set("secret-key", "secret-value");
    redis.pipeline::<redis_rs::Value>(pipeline).await.unwrap();
    // Redis quotes the arguments of a command that it does not know.
    let (error, _) =
        failing(redis.raw::<()>(redis_rs::cmd("NOPE").arg("secret-value").take())).await;
    let redis_service::Error::Redis(redis_service::RedisError::Call { source, .. }) = error else {
        panic!("{error:?}")
    };
    assert!(source.to_string().contains("secret-value"), "{source}");
    assert_eq!(spans.named(CALL).len(), 4);
    assert!(!format!("{:?}", spans.all()).contains("secret"), "{:?}", spans.all());
}

#[tokio::test]
async fn the_transitions_that_a_call_causes_are_events_in_its_span() {
    let mut server = RedisServer::start().await.unwrap();
    let breaker = CircuitBreaker::builder("redis").fail_max(2).reset_timeout(millis(100));
    let breaker = breaker.half_open_max_attempts(1).observer(TracingObserver).build().unwrap();
    let redis = builder(&server).breaker(breaker).spans().connect().await.unwrap();
    let (spans, _listening) = Spans::listen();
    server.kill().unwrap();
    failing(redis.incr("n")).await;
    failing(redis.incr("n")).await;
    assert_eq!(redis.breaker().state(), State::Open);
    server.restart().await.unwrap();
    crate::support::until_it_serves(&redis).await;
    let moves = |span: &Span| {
        let to = |event: &Fields| event.get("circuit_breaker.state.to").cloned();
        span.events.iter().filter_map(to).collect::<Vec<_>>()
    };
    let calls = spans.named(CALL);
    let moves: Vec<_> = calls.iter().map(moves).collect();
    let rejected = vec![Vec::<String>::new(); calls.len() - 3];
    assert_eq!(moves[..2], [vec![], vec!["open".to_owned()]]);
    assert_eq!(moves[2..calls.len() - 1], rejected);
    assert_eq!(moves.last().unwrap(), &["half-open", "closed"]);
}

#[tokio::test]
async fn a_transition_that_a_dropped_call_causes_is_an_event_in_its_span() {
    let server = RedisServer::start().await.unwrap();
    let breaker = CircuitBreaker::builder("redis").fail_max(1).abandoned_after(millis(0));
    let breaker = breaker.observer(TracingObserver).build().unwrap();
    let redis = builder(&server).breaker(breaker).spans().connect().await.unwrap();
    let (spans, _listening) = Spans::listen();
    server.stop().unwrap();
    let mut call = Box::pin(redis.get::<String>("k"));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(call);
    let [event] = only(&spans).events.try_into().unwrap();
    assert_eq!(event["circuit_breaker.state.to"], "open");
    server.cont().unwrap();
}

#[tokio::test]
async fn a_call_is_a_child_of_the_span_that_it_was_made_in() {
    let server = RedisServer::start().await.unwrap();
    let redis = client(&server).await;
    let (spans, _listening) = Spans::listen();
    let request = tracing::info_span!("request");
    redis.ping().instrument(request.clone()).await.unwrap();
    redis.ping().await.unwrap();
    drop(request);
    let [request, within, outside] = spans.all().try_into().unwrap();
    assert_eq!((request.name, within.parent, outside.parent), ("request", Some(0), None));
    assert!(request.closed && within.closed && outside.closed);
}
