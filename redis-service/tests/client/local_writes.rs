//! Writes that Redis does not get, where they are allowed.

use redis_service::{FallbackConfig, Redis, SetOptions, Source};

use crate::support::{outage, pass, recovery, remembering, secs, stranger};

const fn allowed() -> FallbackConfig {
    FallbackConfig::new().local_writes(true)
}

async fn get(redis: &Redis, key: &str) -> (Option<String>, Source) {
    let answer = redis.get_answer(key).await.unwrap();
    (answer.value, answer.source)
}

#[tokio::test(start_paused = true)]
async fn a_set_and_a_delete_are_done_in_memory() {
    let (memory, redis) = remembering(allowed()).await;
    redis.set("k", "old").await.unwrap();
    redis.set("gone", "old").await.unwrap();
    outage(&memory, &redis).await;
    let set = redis.set_answer("k", "local", SetOptions::new().ex(10)).await.unwrap();
    assert_eq!((set.value, set.source), (true, Source::Local));
    assert!(redis.delete("gone").await.unwrap());
    assert!(!redis.delete("gone").await.unwrap());
    assert_eq!(get(&redis, "k").await, (Some("local".to_owned()), Source::Local));
    assert_eq!(get(&redis, "gone").await, (None, Source::Local));
    pass(secs(10)).await;
    assert!(redis.get::<String>("k").await.is_err(), "it had ten seconds");
}

#[tokio::test(start_paused = true)]
async fn what_needs_redis_is_the_error() {
    let (memory, redis) = remembering(allowed()).await;
    outage(&memory, &redis).await;
    assert!(redis.incr("n").await.is_err());
    assert!(redis.set_with("k", "v", SetOptions::new().nx()).await.is_err());
    assert!(redis.delete_many(["a", "b"]).await.is_err());
    assert!(redis.lpush("l", ["a"]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_deleted_in_redis_before_anybody_reads_them() {
    let (memory, redis) = remembering(allowed()).await;
    for key in ["a", "b", "c"] {
        redis.set(key, "old").await.unwrap();
    }
    outage(&memory, &redis).await;
    redis.set("a", "local").await.unwrap();
    redis.delete("b").await.unwrap();
    memory.come_back();
    pass(secs(2)).await;
    // The very first call after the outage.
    assert_eq!(get(&redis, "a").await, (None, Source::Redis));
    assert_eq!(get(&redis, "b").await, (None, Source::Redis));
    assert_eq!(get(&redis, "c").await, (Some("old".to_owned()), Source::Redis));
    assert_eq!(redis.get_status().fallback.unwrap().local_writes, 0);
    assert_eq!(stranger(&memory).await.get::<String>("a").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn any_call_that_gets_through_is_followed_by_their_end() {
    let (memory, redis) = remembering(allowed()).await;
    redis.set("a", "old").await.unwrap();
    outage(&memory, &redis).await;
    redis.set("a", "local").await.unwrap();
    recovery(&memory, &redis).await;
    redis.set("other", "v").await.unwrap();
    assert_eq!(stranger(&memory).await.get::<String>("a").await.unwrap(), None);
    redis.set("a", "new").await.unwrap();
    assert_eq!(get(&redis, "a").await, (Some("new".to_owned()), Source::Redis));
}

#[tokio::test(start_paused = true)]
async fn they_do_not_outlive_a_second_outage() {
    let (memory, redis) = remembering(allowed()).await;
    outage(&memory, &redis).await;
    redis.set("a", "local").await.unwrap();
    recovery(&memory, &redis).await;
    assert_eq!(get(&redis, "a").await, (None, Source::Redis));
    outage(&memory, &redis).await;
    assert!(redis.get::<String>("a").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn callers_who_come_at_once_wait_for_one_delete() {
    let (memory, redis) = remembering(allowed()).await;
    outage(&memory, &redis).await;
    for n in 0..100 {
        redis.set(format!("k{n}"), "local").await.unwrap();
    }
    let before = redis.get_status();
    memory.come_back();
    pass(secs(2)).await;
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..100 {
        let redis = redis.clone();
        callers.spawn(async move { redis.get::<String>(format!("k{n}")).await });
    }
    for answer in callers.join_all().await {
        // The breaker lets three probes through at a time; nobody reads what is gone.
        assert!(answer.is_err() || answer.unwrap().is_none());
    }
    let deletes = |status: &redis_service::Status| {
        let found = status.operations.iter().find(|counts| counts.operation == "delete");
        found.map_or(0, |counts| counts.success)
    };
    assert_eq!(deletes(&redis.get_status()) - deletes(&before), 1);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_keys_are_written_locally() {
    let (memory, redis) = remembering(allowed()).await;
    outage(&memory, &redis).await;
    for n in 0..10_000 {
        redis.set(n, "local").await.unwrap();
    }
    assert!(redis.set("one more", "local").await.unwrap_err().is_rejected());
    redis.set(17, "a key that is there may change").await.unwrap();
    assert_eq!(redis.get_status().fallback.unwrap().local_writes, 10_000);
}
