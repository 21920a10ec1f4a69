//! What is answered while Redis does not.

use redis_service::{Error, FallbackConfig, Pipeline, Source, redis as redis_rs};

use crate::support::{outage, pass, recovery, remembered, remembering, secs, settle, stranger};

fn untracked() -> FallbackConfig {
    FallbackConfig::new().tracking(false)
}

async fn value(redis: &redis_service::Redis, key: &str) -> Option<String> {
    remembered(redis, key).await.and_then(|answer| answer.value)
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_read_is_answered_while_redis_fails_and_while_it_is_rejected() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    stranger(&memory).await.set("k", "v").await.unwrap();
    let fresh = redis.get_answer::<String>("k").await.unwrap();
    assert_eq!((fresh.source, fresh.age), (Source::Redis, secs(0)));
    memory.go_down();
    let failing = redis.get_answer::<String>("k").await.unwrap();
    assert_eq!((failing.value.as_deref(), failing.source), (Some("v"), Source::Memory));
    outage(&memory, &redis).await;
    assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_set_is_remembered_before_and_after_its_echo() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    redis.set("a", "1").await.unwrap();
    redis.set("a", "2").await.unwrap();
    redis.get::<String>("a").await.unwrap();
    redis.set("b", "old").await.unwrap();
    pass(secs(3)).await;
    redis.set("b", "new").await.unwrap();
    outage(&memory, &redis).await;
    assert_eq!(value(&redis, "a").await.as_deref(), Some("2"));
    assert_eq!(value(&redis, "b").await.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_remembered_is_the_error() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    redis.set("k", "v").await.unwrap();
    redis.hset("h", "f", "v").await.unwrap();
    outage(&memory, &redis).await;
    assert!(redis.get::<String>("other").await.unwrap_err().is_rejected());
    assert!(redis.hget::<String>("h", "f").await.unwrap_err().is_rejected());
    assert!(redis.set("k", "w").await.unwrap_err().is_rejected());
    assert!(redis.delete("k").await.unwrap_err().is_rejected());
    assert!(redis.pipeline::<(String,)>(Pipeline::new().get("k")).await.unwrap_err().is_rejected());
    assert_eq!(value(&redis, "k").await.as_deref(), Some("v"), "the writes were not done");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_overwritten_is_not_served() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    for key in ["read", "written", "deleted"] {
        redis.set(key, "old").await.unwrap();
    }
    redis.get::<String>("read").await.unwrap();
    pass(secs(2)).await;
    let other = stranger(&memory).await;
    other.set("read", "new").await.unwrap();
    other.incr("written").await.unwrap_err();
    other.set("written", "new").await.unwrap();
    other.delete("deleted").await.unwrap();
    outage(&memory, &redis).await;
    for key in ["read", "written", "deleted"] {
        assert_eq!(remembered(&redis, key).await, None, "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_from_before_an_outage_is_served_after_it() {
    for config in [FallbackConfig::new(), untracked()] {
        let (memory, redis) = remembering(config).await;
        redis.set("k", "old").await.unwrap();
        redis.set("other", "old").await.unwrap();
        outage(&memory, &redis).await;
        assert_eq!(value(&redis, "k").await.as_deref(), Some("old"));
        memory.come_back();
        stranger(&memory).await.set("k", "new").await.unwrap();
        recovery(&memory, &redis).await;
        outage(&memory, &redis).await;
        assert_eq!(remembered(&redis, "k").await, None);
        assert_eq!(remembered(&redis, "other").await, None);
        recovery(&memory, &redis).await;
        assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("new"));
        pass(secs(2)).await;
        outage(&memory, &redis).await;
        assert_eq!(value(&redis, "k").await.as_deref(), Some("new"), "and it remembers again");
    }
}

#[tokio::test(start_paused = true)]
async fn while_changes_are_told_a_value_does_not_age() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    redis.set("k", "v").await.unwrap();
    pass(secs(100)).await;
    assert!(redis.get_status().fallback.unwrap().tracked);
    outage(&memory, &redis).await;
    pass(secs(30)).await;
    let age = remembered(&redis, "k").await.unwrap().age;
    assert!(age >= secs(30) && age <= secs(32), "{age:?}");
}

#[tokio::test(start_paused = true)]
async fn untold_a_value_ages_from_when_it_was_read() {
    let (memory, redis) = remembering(untracked()).await;
    redis.set("k", "v").await.unwrap();
    pass(secs(10)).await;
    redis.get::<String>("k").await.unwrap();
    pass(secs(10)).await;
    assert!(!redis.get_status().fallback.unwrap().tracked);
    outage(&memory, &redis).await;
    pass(secs(30)).await;
    assert_eq!(remembered(&redis, "k").await.unwrap().age, secs(40));
}

#[tokio::test(start_paused = true)]
async fn nothing_older_than_the_bound_is_served() {
    let (memory, redis) = remembering(untracked().max_age(secs(60))).await;
    redis.set("k", "v").await.unwrap();
    outage(&memory, &redis).await;
    pass(secs(60)).await;
    assert_eq!(remembered(&redis, "k").await.unwrap().age, secs(60));
    pass(secs(1)).await;
    assert_eq!(remembered(&redis, "k").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_not_served_past_its_time_to_live() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    let options = redis_service::SetOptions::new().ex(5);
    redis.set_with("k", "v", options).await.unwrap();
    redis.get::<String>("k").await.unwrap();
    outage(&memory, &redis).await;
    assert_eq!(value(&redis, "k").await.as_deref(), Some("v"));
    pass(secs(5)).await;
    assert_eq!(remembered(&redis, "k").await, None);
}

#[tokio::test(start_paused = true)]
async fn the_bounds_hold() {
    let bounds = FallbackConfig::new().max_entries(100).max_bytes(1 << 20);
    for (length, expected) in [(10, 80), (50_000, 10)] {
        let (_memory, redis) = remembering(bounds.tracking(false)).await;
        let text = "x".repeat(length);
        for n in 0..1_000 {
            redis.set(format!("k{n}"), &text).await.unwrap();
            let held = redis.get_status().fallback.unwrap();
            assert!(held.entries <= 100 && held.bytes <= 1 << 20, "{held:?}");
        }
        let held = redis.get_status().fallback.unwrap();
        assert!(held.entries >= expected, "and they are used: {held:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_memory_is_counted_for_what_redis_did() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    redis.set("k", "v").await.unwrap();
    redis.get::<String>("k").await.unwrap();
    memory.go_down();
    for _ in 0..5 {
        assert_eq!(value(&redis, "k").await.as_deref(), Some("v"));
    }
    for _ in 0..3 {
        assert_eq!(value(&redis, "k").await.as_deref(), Some("v"));
    }
    let status = redis.get_status();
    let get = status.operations.iter().find(|counts| counts.operation == "get").unwrap();
    assert_eq!((get.success, get.failure, get.rejected), (1, 5, 3));
    assert_eq!((status.health.hits, status.health.misses), (1, 0));
    assert_eq!(status.fallback.unwrap().answered, 8);
}

#[tokio::test(start_paused = true)]
async fn every_way_to_write_is_noticed_without_being_told() {
    let (memory, redis) = remembering(untracked()).await;
    let raw = |words: &[&str]| {
        let mut cmd = redis_rs::cmd(words[0]);
        cmd.arg(&words[1..]);
        cmd
    };
    let keys = ["deleted", "many", "counted", "expired", "piped", "raw", "kept"];
    for key in keys {
        redis.set(key, "1").await.unwrap();
    }
    redis.delete("deleted").await.unwrap();
    redis.delete_many(["many", "none"]).await.unwrap();
    redis.incr("counted").await.unwrap();
    redis.expire("expired", secs(100)).await.unwrap();
    redis.pipeline::<Vec<i64>>(Pipeline::new().get("kept").incr("piped")).await.unwrap();
    redis.raw::<()>(raw(&["UNLINK", "no", "raw"])).await.unwrap();
    outage(&memory, &redis).await;
    for key in keys {
        assert_eq!(remembered(&redis, key).await.is_some(), key == "kept", "{key}");
    }
    recovery(&memory, &redis).await;
    redis.get::<String>("kept").await.unwrap();
    redis.raw::<()>(raw(&["FLUSHALL"])).await.unwrap();
    outage(&memory, &redis).await;
    assert_eq!(remembered(&redis, "kept").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_did_not_hold_leaves_what_is_remembered() {
    let (memory, redis) = remembering(untracked()).await;
    let (nx, xx) = (redis_service::SetOptions::new().nx(), redis_service::SetOptions::new().xx());
    assert!(redis.set_with("k", "a", nx).await.unwrap());
    assert!(!redis.set_with("k", "b", nx).await.unwrap());
    assert!(!redis.set_with("none", "b", xx).await.unwrap());
    outage(&memory, &redis).await;
    assert_eq!(value(&redis, "k").await.as_deref(), Some("a"));
    assert_eq!(remembered(&redis, "none").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_mistake_of_the_caller_is_not_answered_from_memory() {
    let (memory, redis) = remembering(untracked()).await;
    redis.set("k", "text").await.unwrap();
    let other = stranger(&memory).await;
    other.delete("k").await.unwrap();
    other.lpush("k", ["now a list"]).await.unwrap();
    let error = redis.get::<String>("k").await.unwrap_err();
    assert!(
        matches!(&error, Error::Redis(error) if error.code() == Some("WRONGTYPE")),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_given_up_is_forgotten() {
    let (memory, redis) = remembering(untracked()).await;
    redis.set("k", "old").await.unwrap();
    let mut write = Box::pin(redis.set("k", "new"));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx))).await;
    drop(write);
    settle().await;
    outage(&memory, &redis).await;
    let left = value(&redis, "k").await;
    match polled {
        std::task::Poll::Ready(done) => {
            done.unwrap();
            assert_eq!(left.as_deref(), Some("new"));
        }
        std::task::Poll::Pending => assert_eq!(left, None),
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_fallback_answers_with_redis_or_the_error() {
    let memory = redis_service::Memory::new();
    let redis = stranger(&memory).await;
    redis.set("k", "v").await.unwrap();
    assert_eq!(redis.get_answer::<String>("k").await.unwrap().source, Source::Redis);
    assert!(redis.get_status().fallback.is_none());
    outage(&memory, &redis).await;
    assert!(redis.get_answer::<String>("k").await.unwrap_err().is_rejected());
}

#[tokio::test(start_paused = true)]
async fn a_lazy_client_begins_to_listen_once_redis_answers() {
    let memory = redis_service::Memory::new();
    memory.go_down();
    let builder = crate::support::builder(&memory).start(redis_service::Start::Lazy);
    let redis = builder.fallback(FallbackConfig::new()).connect().await.unwrap();
    pass(secs(5)).await;
    assert!(!redis.get_status().fallback.unwrap().tracked);
    recovery(&memory, &redis).await;
    redis.ping().await.unwrap();
    pass(secs(1)).await;
    assert!(redis.get_status().fallback.unwrap().tracked);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_the_tracking() {
    let (_memory, redis) = remembering(FallbackConfig::new()).await;
    assert!(redis.get_status().fallback.unwrap().tracked);
    redis.close().await;
    assert!(!redis.get_status().fallback.unwrap().tracked);
    assert!(matches!(redis.ping().await, Err(Error::Redis(redis_service::RedisError::Closed))));
}
