//! `get_or_load`: who loads, how often, and what if it fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use circuit_layer::Clock;
use redis_service::{Error, FallbackConfig, Memory, Redis, Source, redis as redis_rs};
use tokio::task::JoinSet;

use crate::support::{builder, outage, pass, remembering, secs, settle};

const TTL: Duration = secs(60);

/// A source that takes a second, and says how often it was asked and by how many at once.
#[derive(Clone, Default)]
struct Database {
    asked: Arc<AtomicU32>,
    running: Arc<AtomicU32>,
    most: Arc<AtomicU32>,
    broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Database {
    async fn load(&self) -> Result<String, io::Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let clock = Clock::default();
        clock.sleep_until(clock.now() + secs(1)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the database is down"));
        }
        Ok("loaded".to_owned())
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn load(redis: &Redis, key: &str, from: &Database) -> Result<String, Error> {
    redis.get_or_load(key, TTL, || from.load()).await
}

#[tokio::test(start_paused = true)]
async fn a_miss_is_loaded_set_and_then_a_hit() {
    let (memory, database) = (Memory::new(), Database::default());
    let redis = builder(&memory).connect().await.unwrap();
    let first = redis.get_or_load_answer::<String, _, _, _>("k", TTL, || database.load()).await;
    assert_eq!(first.unwrap().source, Source::Loader);
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "loaded");
    assert_eq!(database.asked(), 1);
    let mut ttl = redis_rs::cmd("TTL");
    ttl.arg("k");
    assert_eq!(redis.raw::<i64>(ttl).await.unwrap(), 60);
    pass(TTL).await;
    load(&redis, "k", &database).await.unwrap();
    assert_eq!(database.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stampede_makes_one_load() {
    let (redis, database) = (Redis::memory(), Database::default());
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (redis, database) = (redis.clone(), database.clone());
        callers.spawn(async move { load(&redis, "k", &database).await });
    }
    for answer in callers.join_all().await {
        assert_eq!(answer.unwrap(), "loaded");
    }
    assert_eq!(database.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stampede_without_redis_makes_one_load_too() {
    let (memory, database) = (Memory::new(), Database::default());
    let redis = builder(&memory).connect().await.unwrap();
    outage(&memory, &redis).await;
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (redis, database) = (redis.clone(), database.clone());
        callers.spawn(async move { load(&redis, "k", &database).await });
    }
    for answer in callers.join_all().await {
        assert_eq!(answer.unwrap(), "loaded");
    }
    assert_eq!(database.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_goes_away_the_next_one_leads() {
    let (redis, database) = (Redis::memory(), Database::default());
    let spawn = || {
        let (redis, database) = (redis.clone(), database.clone());
        tokio::spawn(async move { load(&redis, "k", &database).await })
    };
    let leader = spawn();
    settle().await;
    assert_eq!(database.asked(), 1);
    let followers = [spawn(), spawn(), spawn()];
    settle().await;
    leader.abort();
    for follower in followers {
        assert_eq!(follower.await.unwrap().unwrap(), "loaded");
    }
    assert_eq!(database.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_panics_takes_nobody_along() {
    let (redis, database) = (Redis::memory(), Database::default());
    let panicking = tokio::spawn({
        let redis = redis.clone();
        async move {
            redis
                .get_or_load::<String, String, io::Error, _>("k", TTL, || async { panic!("oh") })
                .await
        }
    });
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "loaded");
}

#[tokio::test(start_paused = true)]
async fn no_more_load_at_once_than_allowed() {
    let (memory, database) = (Memory::new(), Database::default());
    let redis = builder(&memory).max_loads(4).connect().await.unwrap();
    let mut callers = JoinSet::new();
    for n in 0..40 {
        let (redis, database) = (redis.clone(), database.clone());
        callers.spawn(async move { load(&redis, &format!("k{n}"), &database).await });
    }
    callers.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
    assert_eq!((database.asked(), database.most.load(Ordering::SeqCst)), (40, 4));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_to_all_who_wait_and_not_remembered() {
    let (redis, database) = (Redis::memory(), Database::default());
    database.broken.store(true, Ordering::SeqCst);
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        let (redis, database) = (redis.clone(), database.clone());
        callers.spawn(async move { load(&redis, "k", &database).await });
    }
    for answer in callers.join_all().await {
        let error = answer.unwrap_err();
        let Error::Load(cause) = &error else { panic!("{error:?}") };
        assert_eq!(cause.to_string(), "the database is down");
        assert_eq!(error.kind(), None);
    }
    assert_eq!(database.asked(), 1);
    database.broken.store(false, Ordering::SeqCst);
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "loaded");
}

#[tokio::test(start_paused = true)]
async fn if_the_load_fails_what_has_ended_is_still_an_answer() {
    let (_memory, redis) = remembering(FallbackConfig::new()).await;
    let database = Database::default();
    load(&redis, "k", &database).await.unwrap();
    pass(TTL + secs(10)).await;
    database.broken.store(true, Ordering::SeqCst);
    let stale = redis.get_or_load_answer::<String, _, _, _>("k", TTL, || database.load()).await;
    let stale = stale.unwrap();
    assert_eq!((stale.value.as_str(), stale.source), ("loaded", Source::Memory));
    assert_eq!(database.asked(), 2);
    redis.delete("k").await.unwrap();
    assert!(matches!(load(&redis, "k", &database).await, Err(Error::Load(_))), "it was deleted");
}

#[tokio::test(start_paused = true)]
async fn without_redis_memory_answers_as_long_as_the_key_would_have_lived() {
    let (memory, redis) = remembering(FallbackConfig::new().tracking(false)).await;
    let database = Database::default();
    redis.set("k", "remembered").await.unwrap();
    outage(&memory, &redis).await;
    pass(secs(30)).await;
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "remembered");
    pass(secs(31)).await;
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "loaded");
    database.broken.store(true, Ordering::SeqCst);
    assert_eq!(load(&redis, "k", &database).await.unwrap(), "remembered");
    assert_eq!(database.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_type_is_an_error_and_nothing_is_loaded() {
    let (redis, database) = (Redis::memory(), Database::default());
    redis.lpush("k", ["a"]).await.unwrap();
    let error = load(&redis, "k", &database).await.unwrap_err();
    assert!(matches!(&error, Error::Redis(error) if error.code() == Some("WRONGTYPE")));
    assert_eq!(database.asked(), 0);
}
