//! What the breaker does because of a call is told in the call's span.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, State, TracingObserver};
use s3_service::Upload;
use s3_service::test_server::Fault;
use tests::spans::{Fields, Span, Spans};

use super::{MIB, hanging, last, only};
use crate::support::{server, settings, until};

#[tokio::test]
async fn the_transitions_that_an_operation_causes_are_events_in_its_span() {
    let server = server().await;
    let (settings, _) = settings(&server);
    let breaker = CircuitBreaker::builder("s3").fail_max(1).observer(TracingObserver);
    let breaker = breaker.reset_timeout(Duration::from_millis(1)).half_open_max_attempts(1);
    let s3 = settings.breaker(breaker.build().unwrap()).spans().build().await.unwrap();
    s3.upload(Upload::new("k", vec![7; MIB])).await.unwrap();
    let (spans, _listening) = Spans::listen();
    let moves = |span: &Span| {
        let to = |event: &Fields| event.get("circuit_breaker.state.to").cloned();
        span.events.iter().filter_map(to).collect::<Vec<_>>()
    };

    server.inject_times(Fault::InternalError, 1);
    s3.health_check().await.unwrap_err();
    assert_eq!(moves(&only(&spans)), ["open"]);
    until("a probe is due", || {
        s3.breaker().snapshot().retry_after.is_none_or(|wait| wait.is_zero())
    })
    .await;
    s3.health_check().await.unwrap();
    assert_eq!(moves(&last(&spans)), ["half-open", "closed"]);

    // What only the body shows belongs to the call as well.
    server.inject_times(Fault::CutBody { after: 100_000 }, 1);
    s3.download("k").await.unwrap().into_bytes().await.unwrap_err();
    assert_eq!(
        (moves(&last(&spans)), s3.breaker().state()),
        (vec!["open".to_owned()], State::Open)
    );
}

#[tokio::test]
async fn a_transition_that_a_dropped_operation_causes_is_an_event_in_its_span() {
    let server = server().await;
    let (settings, _) = settings(&server);
    let breaker = CircuitBreaker::builder("s3").fail_max(1).abandoned_after(Duration::ZERO);
    let breaker = breaker.observer(TracingObserver).build().unwrap();
    let s3 = settings.breaker(breaker).spans().build().await.unwrap();
    let (spans, _listening) = Spans::listen();
    drop(hanging(&server, s3.head("k")).await);
    let [event] = only(&spans).events.try_into().unwrap();
    assert_eq!(event["circuit_breaker.state.to"], "open");
}
