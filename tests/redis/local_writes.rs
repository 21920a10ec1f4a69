//! What was written locally, and a Redis that does not let it be deleted.

use circuit_layer::State;
use redis_service::test_server::{RedisCluster, RedisServer};
use redis_service::{ErrorKind, FallbackConfig, Pipeline, Redis, RedisBuilder, SetOptions, Source};
use tokio::task::JoinSet;

use crate::cluster::key_of_each;
use crate::proxy::Proxy;
use crate::support::{assert_kind, builder, command, failing, millis, now, until};

async fn with_local_writes(builder: RedisBuilder) -> Redis {
    let builder = builder.reset_timeout(millis(50));
    builder.fallback(FallbackConfig::new().local_writes(true)).connect().await.unwrap()
}

async fn write_locally(redis: &Redis, key: &str) {
    let set = redis.set_answer(key, "local", SetOptions::new()).await.unwrap();
    assert_eq!((set.value, set.source), (true, Source::Local), "{key}");
}

fn local_writes(redis: &Redis) -> usize {
    redis.get_status().fallback.unwrap().local_writes
}

/// Deletions that failed so far.
fn failed_deletions(redis: &Redis) -> u64 {
    let status = redis.get_status();
    let found = status.operations.iter().find(|counts| counts.operation == "delete");
    found.map_or(0, |counts| counts.failure)
}

async fn all_are_answered_by_redis(redis: &Redis, keys: impl IntoIterator<Item = String>) {
    for (nth, key) in keys.into_iter().enumerate() {
        let answer = redis.get_answer::<String>(key.as_str()).await;
        assert!(
            matches!(&answer, Ok(answer) if answer.source == Source::Redis),
            "{nth}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_deleted_is_given_up_and_keeps_no_other() {
    let server = RedisServer::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let other = builder(&server).connect().await.unwrap();
    let user = "ACL SETUSER app on >secret +@all %R~* %RW~free*";
    other.raw::<()>(command(user)).await.unwrap();
    let url = format!("redis://app:secret@127.0.0.1:{}/", proxy.port);
    let redis = with_local_writes(Redis::builder().url(&url)).await;
    let free: Vec<_> = (0..30).map(|n| format!("free{n}")).collect();
    for key in free.iter().map(String::as_str).chain(["locked1", "locked2"]) {
        other.set(key, "old").await.unwrap();
    }
    proxy.cut();
    until("the breaker is open", async || {
        redis.ping().await.is_err() && redis.breaker().state() == State::Open
    })
    .await;
    for key in free.iter().map(String::as_str).chain(["locked1", "locked2"]) {
        write_locally(&redis, key).await;
    }
    proxy.heal();
    until("redis answers", async || {
        redis.get_answer::<String>("x").await.is_ok_and(|answer| answer.source == Source::Redis)
    })
    .await;
    all_are_answered_by_redis(&redis, (0..20).map(|n| format!("x{n}"))).await;
    for key in &free {
        let answer = redis.get_answer::<String>(key.as_str()).await.unwrap();
        assert_ne!(answer.value.as_deref(), Some("old"), "{key}");
    }
    until("none is left", async || local_writes(&redis) == 0).await;
    for key in &free {
        assert_eq!(other.get::<String>(key.as_str()).await.unwrap(), None, "{key}");
    }
    // Of what it may not delete, it can only tell what Redis holds.
    let kept = redis.get_answer::<String>("locked1").await.unwrap();
    assert_eq!((kept.value.as_deref(), kept.source), (Some("old"), Source::Redis));
    assert_eq!(redis.breaker().state(), State::Closed);
    assert!(failed_deletions(&redis) < 20, "{}", failed_deletions(&redis));
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_answers_every_read_of_what_was_not_written() {
    let server = RedisServer::start().await.unwrap();
    let other = builder(&server).connect().await.unwrap();
    let redis = with_local_writes(builder(&server)).await;
    other.set("k", "old").await.unwrap();
    other.raw::<()>(command("CONFIG SET min-replicas-to-write 1")).await.unwrap();
    write_locally(&redis, "k").await;
    all_are_answered_by_redis(&redis, (0..200).map(|n| format!("x{n}"))).await;
    let reads = Pipeline::new().get("x").get("y");
    redis.pipeline::<Vec<Option<String>>>(reads).await.unwrap();
    let own = redis.get_answer::<String>("k").await.unwrap();
    assert_eq!((own.value.as_deref(), own.source), (Some("local"), Source::Local));
    // Whatever could name the key waits for its deletion, and fails with it.
    let (error, _) = failing(redis.incr("k")).await;
    assert_kind(&error, ErrorKind::Other);
    let could = Pipeline::new().get("x").get("k");
    failing(redis.pipeline::<Vec<Option<String>>>(could)).await;
    failing(redis.raw::<Option<String>>(command("GET k"))).await;
    assert!(failed_deletions(&redis) < 10, "{}", failed_deletions(&redis));
    assert_eq!((redis.breaker().state(), local_writes(&redis)), (State::Closed, 1));
    other.raw::<()>(command("CONFIG SET min-replicas-to-write 0")).await.unwrap();
    until("it is deleted by the way", async || {
        redis.get::<String>("x").await.unwrap();
        local_writes(&redis) == 0
    })
    .await;
    assert_eq!(other.get::<String>("k").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_is_down_fails_no_call_to_another() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let keys = key_of_each(&cluster).await;
    for node in cluster.nodes() {
        let node = builder(node).connect().await.unwrap();
        let set = command("CONFIG SET cluster-require-full-coverage no");
        node.raw::<()>(set).await.unwrap();
    }
    let redis = with_local_writes(Redis::builder().cluster(cluster.urls())).await;
    for key in &keys {
        redis.set(&**key, "old").await.unwrap();
    }
    for node in [0, 3] {
        cluster.nodes()[node].kill().unwrap();
    }
    write_locally(&redis, &keys[0]).await;
    let healthy = (0..20).map(|n| keys[1 + n % 2].clone());
    all_are_answered_by_redis(&redis, healthy).await;
    let own = redis.get_answer::<String>(&*keys[0]).await.unwrap();
    assert_eq!((own.value.as_deref(), own.source), (Some("local"), Source::Local));
}

#[tokio::test]
async fn timed_callers_behind_a_deletion_that_hangs_wait_for_one_deadline() {
    let server = RedisServer::start().await.unwrap();
    let redis = with_local_writes(builder(&server)).await;
    server.stop().unwrap();
    write_locally(&redis, "k").await;
    let begun = now();
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let redis = redis.clone();
        callers.spawn(async move { redis.get_answer::<String>("k").await.unwrap() });
    }
    for answer in callers.join_all().await {
        assert_eq!((answer.value.as_deref(), answer.source), (Some("local"), Source::Local));
    }
    let took = now() - begun;
    assert!(took < millis(700), "{took:?}");
    assert_eq!(failed_deletions(&redis), 1);
    server.cont().unwrap();
    until("it is deleted", async || {
        let answer = redis.get_answer::<String>("k").await.unwrap();
        assert!(answer.value.is_none() || answer.source == Source::Local);
        answer.source == Source::Redis
    })
    .await;
}

#[tokio::test]
async fn a_breaker_closes_over_a_redis_that_still_takes_no_writes() {
    let server = RedisServer::builder().arg("--min-replicas-to-write").arg("1");
    let mut server = server.start().await.unwrap();
    let redis = with_local_writes(builder(&server)).await;
    server.kill().unwrap();
    until("the breaker is open", async || {
        redis.ping().await.is_err() && redis.breaker().state() == State::Open
    })
    .await;
    write_locally(&redis, "k").await;
    server.restart().await.unwrap();
    until("the breaker is half-open", async || redis.ping().await.is_ok()).await;
    let rest = (0..20).map(|n| format!("x{n}"));
    all_are_answered_by_redis(&redis, rest).await;
    assert_eq!((redis.breaker().state(), local_writes(&redis)), (State::Closed, 1));
}
