//! Strings, counters, and keys as such.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use redis_service::{Redis, SetOptions};

use super::{cmd, exists, mistake, text, ttl};

pub(crate) async fn a_key_that_is_not_there_is_none(redis: &Redis) {
    assert_eq!(text(redis, "none").await, None);
    assert_eq!(redis.hget::<String>("none", "f").await.unwrap(), None);
    assert_eq!(redis.rpop::<String>("none").await.unwrap(), None);
    assert_eq!(redis.llen("none").await.unwrap(), 0);
    assert_eq!(redis.lrange::<String>("none", 0, -1).await.unwrap(), Vec::<String>::new());
    assert!(redis.hgetall::<HashMap<String, String>>("none").await.unwrap().is_empty());
    assert!(redis.smembers::<BTreeSet<String>>("none").await.unwrap().is_empty());
    assert_eq!((redis.scard("none").await.unwrap(), redis.zcard("none").await.unwrap()), (0, 0));
    assert!(redis.zrange::<String>("none", 0, -1).await.unwrap().is_empty());
}

pub(crate) async fn a_set_value_is_got(redis: &Redis) {
    redis.set("k", "v").await.unwrap();
    assert_eq!(text(redis, "k").await.as_deref(), Some("v"));
    redis.set("k", "w").await.unwrap();
    assert_eq!(text(redis, "k").await.as_deref(), Some("w"));
}

pub(crate) async fn keys_and_values_keep_all_their_bytes(redis: &Redis) {
    let all: Vec<u8> = (0..=255).collect();
    redis.set(&all[..], &all[..]).await.unwrap();
    assert_eq!(redis.get::<Bytes>(&all[..]).await.unwrap().unwrap(), all);
    redis.hset("h", &all[..], &all[..]).await.unwrap();
    assert_eq!(redis.hget::<Bytes>("h", &all[..]).await.unwrap().unwrap(), all);
    redis.lpush("l", [&b"\r\n"[..], b"\0"]).await.unwrap();
    assert_eq!(redis.lrange::<Bytes>("l", 0, -1).await.unwrap(), [&b"\0"[..], b"\r\n"]);
    redis.zadd("z", [(1.0, &all[..])]).await.unwrap();
    assert_eq!(redis.zrange::<Bytes>("z", 0, 0).await.unwrap(), [all]);
}

pub(crate) async fn an_empty_value_is_a_value(redis: &Redis) {
    redis.set("empty", "").await.unwrap();
    assert_eq!(text(redis, "empty").await.as_deref(), Some(""));
    redis.set("", "under the empty key").await.unwrap();
    assert_eq!(text(redis, "").await.as_deref(), Some("under the empty key"));
}

pub(crate) async fn a_value_of_a_megabyte_comes_back_whole(redis: &Redis) {
    let big: Vec<u8> = (0..1 << 20).map(|n: u32| u8::try_from(n % 251).unwrap()).collect();
    redis.set("big", big.clone()).await.unwrap();
    assert_eq!(redis.get::<Bytes>("big").await.unwrap().unwrap(), big);
}

pub(crate) async fn integers_are_text(redis: &Redis) {
    redis.set("n", i64::MIN).await.unwrap();
    assert_eq!(text(redis, "n").await, Some(i64::MIN.to_string()));
    assert_eq!(redis.get::<i64>("n").await.unwrap(), Some(i64::MIN));
    redis.set(7, 7u8).await.unwrap();
    assert_eq!(redis.get::<u8>("7").await.unwrap(), Some(7));
}

pub(crate) async fn set_replaces_whatever_was_there(redis: &Redis) {
    redis.lpush("k", ["a"]).await.unwrap();
    redis.set("k", "text").await.unwrap();
    assert_eq!(text(redis, "k").await.as_deref(), Some("text"));
}

pub(crate) async fn nx_sets_what_is_missing_and_xx_what_is_there(redis: &Redis) {
    let (nx, xx) = (SetOptions::new().nx(), SetOptions::new().xx());
    assert!(!redis.set_with("k", 1, xx).await.unwrap());
    assert!(!exists(redis, "k").await);
    assert!(redis.set_with("k", 2, nx).await.unwrap());
    assert!(!redis.set_with("k", 3, nx).await.unwrap());
    assert!(redis.set_with("k", 4, xx.ex(100)).await.unwrap());
    assert_eq!(redis.get::<i64>("k").await.unwrap(), Some(4));
    assert!((90_000..=100_000).contains(&ttl(redis, "k").await));
}

pub(crate) async fn ex_and_px_bound_the_life_of_a_key(redis: &Redis) {
    redis.set_with("ex", "v", SetOptions::new().ex(100)).await.unwrap();
    redis.set_with("px", "v", SetOptions::new().px(100_000)).await.unwrap();
    redis.set_with("ttl", "v", SetOptions::new().ttl(Duration::from_secs(100))).await.unwrap();
    for key in ["ex", "px", "ttl"] {
        assert!((90_000..=100_000).contains(&ttl(redis, key).await), "{key}");
    }
    redis.set_with("short", "v", SetOptions::new().px(1)).await.unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(1));
    for _ in 0..2000 {
        if text(redis, "short").await.is_none() {
            return;
        }
        pace.tick().await;
    }
    panic!("the key did not end");
}

pub(crate) async fn a_set_without_an_end_takes_the_end_away(redis: &Redis) {
    redis.set_with("k", "v", SetOptions::new().ex(100)).await.unwrap();
    redis.set("k", "w").await.unwrap();
    assert_eq!(ttl(redis, "k").await, -1);
    assert_eq!(ttl(redis, "none").await, -2);
}

pub(crate) async fn an_end_of_zero_is_refused(redis: &Redis) {
    mistake(redis.set_with("k", "v", SetOptions::new().ex(0)).await, "ERR");
    mistake(redis.set_with("k", "v", SetOptions::new().px(0)).await, "ERR");
    mistake(redis.set_with("k", "v", SetOptions::new().ex(u64::MAX)).await, "ERR");
    assert!(!exists(redis, "k").await);
}

pub(crate) async fn delete_tells_whether_there_was_one(redis: &Redis) {
    redis.set("k", "v").await.unwrap();
    assert!(redis.delete("k").await.unwrap());
    assert!(!redis.delete("k").await.unwrap());
    redis.sadd("s", ["a"]).await.unwrap();
    assert!(redis.delete("s").await.unwrap());
}

pub(crate) async fn delete_many_counts_those_that_were_there(redis: &Redis) {
    for key in ["a", "b", "c"] {
        redis.set(key, "v").await.unwrap();
    }
    assert_eq!(redis.delete_many(["a", "b", "x", "a"]).await.unwrap(), 2);
    assert!(exists(redis, "c").await);
}

pub(crate) async fn incr_counts_from_nothing_and_below_zero(redis: &Redis) {
    assert_eq!(redis.incr("n").await.unwrap(), 1);
    assert_eq!(redis.incr("n").await.unwrap(), 2);
    assert_eq!(redis.incr_by("n", -5).await.unwrap(), -3);
    assert_eq!(redis.incr_by("n", 0).await.unwrap(), -3);
    assert_eq!(text(redis, "n").await.as_deref(), Some("-3"));
    redis.set_with("lives", 1, SetOptions::new().ex(100)).await.unwrap();
    redis.incr("lives").await.unwrap();
    assert!(ttl(redis, "lives").await > 0, "it keeps its end");
}

pub(crate) async fn incr_of_text_is_the_callers_mistake(redis: &Redis) {
    for value in ["abc", "", " 1", "1.5", "+1"] {
        redis.set("k", value).await.unwrap();
        mistake(redis.incr("k").await, "ERR");
    }
}

pub(crate) async fn incr_beyond_the_largest_integer_is_refused(redis: &Redis) {
    redis.set("n", i64::MAX).await.unwrap();
    mistake(redis.incr("n").await, "ERR");
    assert_eq!(redis.get::<i64>("n").await.unwrap(), Some(i64::MAX));
}

pub(crate) async fn expire_tells_whether_there_is_such_a_key(redis: &Redis) {
    assert!(!redis.expire("k", Duration::from_secs(5)).await.unwrap());
    redis.set("k", "v").await.unwrap();
    assert!(redis.expire("k", Duration::from_millis(4_500)).await.unwrap());
    assert!((1..=4_500).contains(&ttl(redis, "k").await));
    assert!(redis.raw::<bool>(cmd(&["PERSIST", "k"])).await.unwrap());
    assert_eq!(ttl(redis, "k").await, -1);
}
