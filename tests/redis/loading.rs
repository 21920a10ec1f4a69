//! `get_or_load` in front of a real Redis.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redis_service::Redis;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{millis, start, until};

/// A source that answers once it is let, and counts who asks.
#[derive(Clone)]
struct Source {
    asked: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
}

impl Source {
    fn closed() -> Self {
        Self { asked: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    async fn load(&self, redis: &Redis) -> String {
        let load = || async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            Ok::<_, io::Error>("loaded")
        };
        redis.get_or_load("k", millis(60_000), load).await.unwrap()
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn spawn(&self, redis: &Redis, crowd: &mut JoinSet<String>) -> tokio::task::AbortHandle {
        let (source, redis) = (self.clone(), redis.clone());
        crowd.spawn(async move { source.load(&redis).await })
    }
}

fn misses(redis: &Redis) -> u64 {
    redis.get_health().misses
}

#[tokio::test]
async fn a_stampede_makes_one_load_and_one_set() {
    let (_server, redis) = start().await;
    let (source, mut crowd) = (Source::closed(), JoinSet::new());
    for _ in 0..500 {
        source.spawn(&redis, &mut crowd);
    }
    until("everybody has missed", async || misses(&redis) == 500).await;
    source.gate.add_permits(100);
    assert!(crowd.join_all().await.iter().all(|value| value == "loaded"));
    assert_eq!(source.load(&redis).await, "loaded");
    assert_eq!(source.asked(), 1);
    let status = redis.get_status();
    let set = status.operations.iter().find(|counts| counts.operation == "set").unwrap();
    assert_eq!(set.success, 1);
}

#[tokio::test]
async fn leaders_that_go_away_are_followed_by_one_each() {
    let (_server, redis) = start().await;
    let (source, mut crowd) = (Source::closed(), JoinSet::new());
    let mut first = source.spawn(&redis, &mut crowd);
    for leaders in 1..=5 {
        until("somebody loads", async || source.asked() == leaders).await;
        let next = source.spawn(&redis, &mut crowd);
        until("the next one waits", async || misses(&redis) == u64::from(leaders) + 1).await;
        first.abort();
        first = next;
    }
    until("the last one loads", async || source.asked() == 6).await;
    source.gate.add_permits(1);
    let mut loaded = 0;
    while let Some(outcome) = crowd.join_next().await {
        loaded += u32::from(outcome.is_ok_and(|value| value == "loaded"));
    }
    assert_eq!(loaded, 1);
}

#[tokio::test]
async fn when_redis_is_killed_the_source_still_answers_once_for_all() {
    let (mut server, redis) = start().await;
    server.kill().unwrap();
    let (source, mut crowd) = (Source::closed(), JoinSet::new());
    for _ in 0..100 {
        source.spawn(&redis, &mut crowd);
    }
    until("somebody loads", async || source.asked() == 1).await;
    until("everybody has failed to get", async || {
        let report = redis.get_health().report;
        report.failures + report.rejected >= 100
    })
    .await;
    source.gate.add_permits(1);
    assert!(crowd.join_all().await.iter().all(|value| value == "loaded"));
    assert_eq!(source.asked(), 1);
}
