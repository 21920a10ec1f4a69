//! Answers from memory, while a real Redis is killed, stopped, cut off and overwritten.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, Moment, State};
use redis_service::test_server::RedisServer;
use redis_service::{Answer, FallbackConfig, Redis, SetOptions, Source, redis as redis_rs};

use crate::proxy::Proxy;
use crate::support::{builder, millis, now, until, until_it_serves};

async fn remembering(server: &RedisServer) -> Redis {
    builder(server).fallback(FallbackConfig::new()).connect().await.unwrap()
}

/// Through a way that can be cut again and again: the breaker's wait does not grow.
async fn behind(proxy: &Proxy) -> Redis {
    let breaker = CircuitBreaker::builder("redis").reset_timeout(millis(50)).build().unwrap();
    let builder = Redis::builder().url(&proxy.url()).breaker(breaker);
    builder.fallback(FallbackConfig::new()).connect().await.unwrap()
}

fn entries(redis: &Redis) -> usize {
    redis.get_status().fallback.unwrap().entries
}

fn tracked(redis: &Redis) -> bool {
    redis.get_status().fallback.unwrap().tracked
}

async fn open(redis: &Redis) {
    until("the breaker is open", async || {
        redis.ping().await.is_err() && redis.breaker().state() == State::Open
    })
    .await;
}

#[tokio::test]
async fn a_value_that_was_just_set_survives_the_kill() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = remembering(&server).await;
    for round in 0..5 {
        for _ in 0..3 {
            redis.set("set", round).await.unwrap();
        }
        redis.set("read", round).await.unwrap();
        redis.get::<u32>("read").await.unwrap();
        server.kill().unwrap();
        for key in ["set", "read"] {
            let answer = redis.get_answer::<u32>(key).await.unwrap();
            assert_eq!((answer.value, answer.source), (Some(round), Source::Memory), "{key}");
            assert!(answer.age < millis(2000), "{:?}", answer.age);
        }
        server.restart().await.unwrap();
        until_it_serves(&redis).await;
        until("changes are told again", async || tracked(&redis)).await;
    }
}

#[tokio::test]
async fn redis_tells_what_others_change() {
    let server = RedisServer::start().await.unwrap();
    let (redis, other) = (remembering(&server).await, builder(&server).connect().await.unwrap());
    let flush = || redis_rs::cmd("FLUSHALL");
    let rename = || {
        let mut cmd = redis_rs::cmd("RENAME");
        cmd.arg("k").arg("elsewhere");
        cmd
    };
    for change in ["set", "delete", "expire", "flush", "rename", "pipeline"] {
        redis.set("k", "old").await.unwrap();
        redis.get::<String>("k").await.unwrap();
        assert_eq!(entries(&redis), 1);
        match change {
            "set" => other.set("k", "new").await.unwrap(),
            "delete" => assert!(other.delete("k").await.unwrap()),
            "expire" => assert!(other.expire("k", millis(20)).await.unwrap()),
            "flush" => other.raw(flush()).await.unwrap(),
            "rename" => other.raw(rename()).await.unwrap(),
            _ => {
                let pipeline = redis_service::Pipeline::new().atomic().delete("k").set("k", "new");
                other.pipeline::<(u8, String)>(pipeline).await.map(drop).unwrap();
            }
        }
        until("the value is forgotten", async || entries(&redis) == 0).await;
    }
}

#[tokio::test]
async fn what_was_overwritten_while_we_were_cut_off_is_never_served_again() {
    let server = RedisServer::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let (redis, other) = (behind(&proxy).await, builder(&server).connect().await.unwrap());
    for round in 0..5 {
        for key in ["a", "b"] {
            redis.set(key, format!("old {round}")).await.unwrap();
        }
        proxy.cut();
        open(&redis).await;
        let old = redis.get_answer::<String>("b").await.unwrap();
        assert_eq!(
            (old.value.as_deref(), old.source),
            (Some(&*format!("old {round}")), Source::Memory)
        );
        other.set("b", "new").await.unwrap();
        proxy.heal();
        until_it_serves(&redis).await;
        proxy.cut();
        open(&redis).await;
        let error = redis.get::<String>("b").await.unwrap_err();
        assert!(error.kind().is_none_or(|kind| kind.label() == "connection"), "{error:?}");
        proxy.heal();
        until_it_serves(&redis).await;
        assert_eq!(redis.get::<String>("b").await.unwrap().as_deref(), Some("new"));
    }
}

#[tokio::test]
async fn a_stopped_redis_is_answered_for_and_the_age_grows() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).deadline(millis(100)).fallback(FallbackConfig::new());
    let redis = redis.connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    server.stop().unwrap();
    let begun = now();
    let first = redis.get_answer::<String>("k").await.unwrap();
    assert_eq!((first.value.as_deref(), first.source), (Some("v"), Source::Memory));
    until("the connection for changes is given up", async || !tracked(&redis)).await;
    let later = redis.get_answer::<String>("k").await.unwrap();
    let waited = now() - begun;
    assert!(later.age > first.age && later.age + millis(200) >= waited, "{later:?} {waited:?}");
    server.cont().unwrap();
    until_it_serves(&redis).await;
    assert_eq!(redis.get_answer::<String>("k").await.unwrap().source, Source::Redis);
}

#[tokio::test]
async fn a_redis_that_does_not_tell_is_remembered_with_the_age_since_the_read() {
    let server = RedisServer::builder().arg("--rename-command").arg("CLIENT").arg("");
    let mut server = server.start().await.unwrap();
    let redis = remembering(&server).await;
    assert!(!tracked(&redis));
    let before = now();
    redis.set("k", "v").await.unwrap();
    server.kill().unwrap();
    let answer = redis.get_answer::<String>("k").await.unwrap();
    assert_eq!(answer.source, Source::Memory);
    assert!(answer.age <= now() - before);
}

#[tokio::test]
async fn a_key_written_locally_is_deleted_in_redis_before_it_is_read() {
    let server = RedisServer::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let local = FallbackConfig::new().local_writes(true);
    let redis = Redis::builder().url(&proxy.url()).reset_timeout(millis(50)).fallback(local);
    let (redis, other) =
        (redis.connect().await.unwrap(), builder(&server).connect().await.unwrap());
    redis.set("k", "old").await.unwrap();
    proxy.cut();
    open(&redis).await;
    let set = redis.set_answer("k", "local", SetOptions::new()).await.unwrap();
    assert_eq!((set.value, set.source), (true, Source::Local));
    proxy.heal();
    until("redis answers", async || {
        let answer = redis.get_answer::<String>("k").await.unwrap();
        assert_ne!(answer.value.as_deref(), Some("old"));
        answer.source == Source::Redis
    })
    .await;
    assert_eq!(other.get::<String>("k").await.unwrap(), None);
}

#[tokio::test]
async fn our_own_writes_are_confirmed_by_a_read() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = remembering(&server).await;
    let begun = now();
    redis.set("k", "v").await.unwrap();
    until("two seconds have passed", async || now() - begun > millis(2200)).await;
    server.kill().unwrap();
    let age = redis.get_answer::<String>("k").await.unwrap().age;
    assert!(age < millis(1800), "it counts from the last sign of life: {age:?}");
}

/// When each version of a key was certainly in Redis.
type History = Vec<Moment>;

const KEYS: [&str; 3] = ["a", "b", "c"];

#[tokio::test]
async fn under_random_cuts_no_age_is_a_lie_and_nothing_overwritten_comes_back() {
    let server = RedisServer::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let (redis, other) = (behind(&proxy).await, builder(&server).connect().await.unwrap());
    let (mut histories, mut back) = ([const { History::new() }; KEYS.len()], None);
    let (mut served, mut answered, mut refused) = (0, 0, 0);
    let mut chance = 12_345_u64;
    let mut random = move |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (chance >> 33) % below
    };
    let begun = now();
    while now() - begun < millis(4000) {
        match random(100) {
            0 => proxy.cut(),
            1..=3 => proxy.heal(),
            4..=20 => {
                let index = usize::try_from(random(3)).unwrap();
                let version = histories[index].len();
                other.set(KEYS[index], version).await.unwrap();
                histories[index].push(now());
            }
            _ => {
                let index = usize::try_from(random(3)).unwrap();
                let asked = now();
                match redis.get_answer::<usize>(KEYS[index]).await {
                    Ok(answer) if answer.source == Source::Redis => {
                        served += 1;
                        back.get_or_insert(asked);
                    }
                    Ok(answer) => {
                        answered += 1;
                        check(&answer, &histories[index], asked, back);
                        if redis.breaker().state() == State::Open {
                            back = None;
                        }
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        tokio::task::yield_now().await;
    }
    assert!(
        served > 100 && answered > 100,
        "{served} served, {answered} answered, {refused} refused"
    );
}

/// The version was not overwritten before the moment that its age names, nor before the connection
/// came back.
fn check(answer: &Answer<Option<usize>>, history: &History, asked: Moment, back: Option<Moment>) {
    let version = answer.value.unwrap();
    let Some(&overwritten) = history.get(version + 1) else { return };
    let named = asked - answer.age;
    assert!(overwritten >= named, "version {version}: {:?} too young", named - overwritten);
    let slack = Duration::from_millis(5);
    if let Some(back) = back {
        assert!(
            overwritten + slack >= back,
            "version {version} came back after {:?}",
            back - overwritten
        );
    }
}

#[tokio::test]
async fn under_random_kills_every_get_of_a_known_key_is_answered() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = remembering(&server).await;
    for round in 0..4 {
        until("changes are told", async || tracked(&redis)).await;
        redis.set("k", round).await.unwrap();
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let redis = redis.clone();
                tokio::spawn(async move {
                    let mut from_memory = 0;
                    while from_memory < 50 {
                        let answer = redis.get_answer::<u32>("k").await.unwrap();
                        assert_eq!(answer.value, Some(round));
                        from_memory += u32::from(answer.source == Source::Memory);
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        server.kill().unwrap();
        for reader in readers {
            reader.await.unwrap();
        }
        server.restart().await.unwrap();
        until_it_serves(&redis).await;
    }
}
