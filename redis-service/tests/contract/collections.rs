//! Lists, hashes, sets and sorted sets.

use std::collections::{BTreeMap, BTreeSet};

use redis_service::Redis;

use super::{exists, mistake};

pub(crate) async fn lists_grow_at_the_head_and_shrink_at_the_tail(redis: &Redis) {
    assert_eq!(redis.lpush("l", ["a", "b"]).await.unwrap(), 2);
    assert_eq!(redis.lpush("l", ["c"]).await.unwrap(), 3);
    assert_eq!(redis.llen("l").await.unwrap(), 3);
    for expected in ["a", "b", "c"] {
        assert_eq!(redis.rpop::<String>("l").await.unwrap().as_deref(), Some(expected));
    }
}

pub(crate) async fn ranges_of_lists_count_from_both_ends(redis: &Redis) {
    redis.lpush("l", ["d", "c", "b", "a"]).await.unwrap();
    for (start, stop, expected) in [
        (0, -1, "abcd"),
        (1, 2, "bc"),
        (-2, -1, "cd"),
        (-100, 1, "ab"),
        (2, 100, "cd"),
        (3, 1, ""),
        (4, 9, ""),
        (0, -5, ""),
        (-3, -3, "b"),
        (i64::MIN, i64::MAX, "abcd"),
    ] {
        let found: Vec<String> = redis.lrange("l", start, stop).await.unwrap();
        assert_eq!(found.concat(), expected, "{start} {stop}");
    }
}

pub(crate) async fn a_list_that_is_empty_is_gone(redis: &Redis) {
    redis.lpush("l", ["a"]).await.unwrap();
    redis.rpop::<String>("l").await.unwrap();
    assert!(!exists(redis, "l").await);
    redis.set("l", "now a text").await.unwrap();
}

pub(crate) async fn hset_tells_what_is_new(redis: &Redis) {
    assert!(redis.hset("h", "f", "1").await.unwrap());
    assert!(!redis.hset("h", "f", "2").await.unwrap());
    assert_eq!(redis.hset_many("h", [("f", 3), ("g", 4), ("i", 5)]).await.unwrap(), 2);
    assert_eq!(redis.hget::<u32>("h", "f").await.unwrap(), Some(3));
    assert_eq!(redis.hget::<u32>("h", "none").await.unwrap(), None);
}

pub(crate) async fn hgetall_is_a_map_or_pairs(redis: &Redis) {
    redis.hset_many("h", [("a", 1), ("b", 2)]).await.unwrap();
    let map: BTreeMap<String, u32> = redis.hgetall("h").await.unwrap();
    assert_eq!(map, BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    let mut pairs: Vec<(String, u32)> = redis.hgetall("h").await.unwrap();
    pairs.sort();
    assert_eq!(pairs, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
}

pub(crate) async fn hdel_counts_and_an_empty_hash_is_gone(redis: &Redis) {
    redis.hset_many("h", [("a", 1), ("b", 2)]).await.unwrap();
    assert_eq!(redis.hdel("h", ["a", "x"]).await.unwrap(), 1);
    assert_eq!(redis.hdel("h", ["b"]).await.unwrap(), 1);
    assert!(!exists(redis, "h").await);
    assert_eq!(redis.hdel("h", ["b"]).await.unwrap(), 0);
}

pub(crate) async fn sets_hold_each_member_once(redis: &Redis) {
    assert_eq!(redis.sadd("s", ["x", "y", "x"]).await.unwrap(), 2);
    assert_eq!(redis.sadd("s", ["y", "z"]).await.unwrap(), 1);
    assert_eq!(redis.scard("s").await.unwrap(), 3);
    let members: BTreeSet<String> = redis.smembers("s").await.unwrap();
    assert_eq!(members.into_iter().collect::<String>(), "xyz");
}

pub(crate) async fn srem_counts_and_an_empty_set_is_gone(redis: &Redis) {
    redis.sadd("s", ["x", "y"]).await.unwrap();
    assert_eq!(redis.srem("s", ["x", "none"]).await.unwrap(), 1);
    assert_eq!(redis.srem("s", ["y"]).await.unwrap(), 1);
    assert!(!exists(redis, "s").await);
}

pub(crate) async fn sorted_sets_are_in_the_order_of_scores_then_bytes(redis: &Redis) {
    let members = [(2.0, "b"), (1.0, "z"), (2.0, "a"), (2.0, "B")];
    assert_eq!(redis.zadd("z", members).await.unwrap(), 4);
    assert_eq!(redis.zcard("z").await.unwrap(), 4);
    assert_eq!(redis.zrange::<String>("z", 0, -1).await.unwrap(), ["z", "B", "a", "b"]);
}

pub(crate) async fn ranges_of_sorted_sets_count_from_both_ends(redis: &Redis) {
    redis.zadd("z", [(1.0, "a"), (2.0, "b"), (3.0, "c")]).await.unwrap();
    for (start, stop, expected) in
        [(0, 0, "a"), (-1, -1, "c"), (-2, -1, "bc"), (1, 100, "bc"), (2, 1, ""), (3, 9, "")]
    {
        let found: Vec<String> = redis.zrange("z", start, stop).await.unwrap();
        assert_eq!(found.concat(), expected, "{start} {stop}");
    }
}

pub(crate) async fn scores_may_be_fractions_negative_and_infinite(redis: &Redis) {
    let members = [(f64::INFINITY, "d"), (-1.5, "b"), (f64::NEG_INFINITY, "a"), (0.1, "c")];
    redis.zadd("z", members).await.unwrap();
    let scored = redis.zrange_with_scores::<String>("z", 0, -1).await.unwrap();
    let expected = [("a", f64::NEG_INFINITY), ("b", -1.5), ("c", 0.1), ("d", f64::INFINITY)];
    assert_eq!(scored, expected.map(|(member, score)| (member.to_owned(), score)));
    mistake(redis.zadd("z", [(f64::NAN, "e")]).await, "ERR");
}

pub(crate) async fn a_changed_score_is_no_new_member(redis: &Redis) {
    redis.zadd("z", [(1.0, "a"), (2.0, "b")]).await.unwrap();
    assert_eq!(redis.zadd("z", [(3.0, "a"), (4.0, "c")]).await.unwrap(), 1);
    assert_eq!(redis.zrange::<String>("z", 0, -1).await.unwrap(), ["b", "a", "c"]);
}
