//! What the breaker does, as the client's callers see it.

use circuit_layer::State;
use redis_service::{Error, ErrorKind, Memory, Redis};

use crate::support::{builder, outage, pass, recovery, secs};

async fn client() -> (Memory, Redis) {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    (memory, redis)
}

#[tokio::test(start_paused = true)]
async fn it_trips_on_the_fifth_failure_in_a_row() {
    let (memory, redis) = client().await;
    memory.go_down();
    for failures in 1..=5 {
        assert_eq!(redis.breaker().state(), State::Closed, "before failure {failures}");
        let error = redis.ping().await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::Connection));
    }
    assert_eq!(redis.breaker().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_in_between_begins_the_count_anew() {
    let (memory, redis) = client().await;
    for _ in 0..5 {
        memory.go_down();
        for _ in 0..4 {
            redis.incr("n").await.unwrap_err();
        }
        memory.come_back();
        pass(secs(1)).await;
        redis.incr("n").await.unwrap();
    }
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_callers_mistakes_never_trip_it() {
    let (_memory, redis) = client().await;
    redis.set("k", "text").await.unwrap();
    for _ in 0..100 {
        redis.lpush("k", ["a"]).await.unwrap_err();
        redis.incr("k").await.unwrap_err();
        redis.get::<i64>("k").await.unwrap_err();
    }
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn three_probes_close_it() {
    let (memory, redis) = client().await;
    outage(&memory, &redis).await;
    memory.come_back();
    pass(secs(2)).await;
    for probe in 1..=3 {
        redis.ping().await.unwrap();
        let expected = if probe < 3 { State::HalfOpen } else { State::Closed };
        assert_eq!(redis.breaker().state(), expected, "after probe {probe}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_tells_how_long_to_wait() {
    let (memory, redis) = client().await;
    outage(&memory, &redis).await;
    let Err(Error::Rejected(rejected)) = redis.get::<String>("k").await else { panic!() };
    assert_eq!(rejected.retry_after(), Some(secs(1)));
    assert_eq!(rejected.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn clones_and_layers_share_one_breaker() {
    let (memory, redis) = client().await;
    let clone = redis.clone().layer(&tower::layer::util::Identity::new());
    outage(&memory, &redis).await;
    assert!(clone.ping().await.unwrap_err().is_rejected());
    recovery(&memory, &redis).await;
    clone.ping().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_can_be_forced_open_and_released() {
    let (_memory, redis) = client().await;
    redis.breaker().force_open("maintenance", None);
    assert!(redis.ping().await.unwrap_err().is_rejected());
    redis.breaker().release("done");
    redis.ping().await.unwrap_or_else(|error| assert!(error.is_rejected(), "{error:?}"));
}

#[tokio::test(start_paused = true)]
async fn health_checks_are_probes_too() {
    let (memory, redis) = client().await;
    outage(&memory, &redis).await;
    assert!(redis.health_check().await.unwrap_err().is_rejected());
    memory.come_back();
    pass(secs(2)).await;
    for _ in 0..3 {
        redis.health_check().await.unwrap();
    }
    assert_eq!(redis.breaker().state(), State::Closed);
}
