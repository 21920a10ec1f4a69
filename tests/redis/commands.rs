//! Each operation, asked of a real server.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use redis_service::{Pipeline, Raw, Request, SetOptions, Value, redis as redis_rs};

use crate::support::{millis, start, until};

#[tokio::test]
async fn strings_keep_their_bytes() {
    let (_server, redis) = start().await;
    assert_eq!(redis.get::<String>("k").await.unwrap(), None);
    redis.set("k", "v").await.unwrap();
    assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    let all: Vec<u8> = (0..=255).collect();
    redis.set(&all[..], all.clone()).await.unwrap();
    assert_eq!(redis.get::<Bytes>(&all[..]).await.unwrap().unwrap(), all);
    redis.set("empty", "").await.unwrap();
    assert_eq!(redis.get::<Bytes>("empty").await.unwrap(), Some(Bytes::new()));
    assert!(redis.delete("k").await.unwrap());
    assert!(!redis.delete("k").await.unwrap());
    assert_eq!(redis.delete_many(["empty", "k"]).await.unwrap(), 1);
}

#[tokio::test]
async fn set_obeys_its_options() {
    let (_server, redis) = start().await;
    let (nx, xx) = (SetOptions::new().nx(), SetOptions::new().xx());
    assert!(!redis.set_with("k", 1, xx).await.unwrap());
    assert!(redis.set_with("k", 2, nx).await.unwrap());
    assert!(!redis.set_with("k", 3, nx).await.unwrap());
    assert!(redis.set_with("k", 4, xx.ex(100)).await.unwrap());
    assert_eq!(redis.get::<i64>("k").await.unwrap(), Some(4));
    let ttl = |key: &'static str| {
        let mut cmd = redis_rs::cmd("PTTL");
        cmd.arg(key);
        cmd
    };
    assert!((90_000..=100_000).contains(&redis.raw::<i64>(ttl("k")).await.unwrap()));
    redis.set_with("short", "v", SetOptions::new().px(20)).await.unwrap();
    until("the key has ended", async || redis.get::<String>("short").await.unwrap().is_none())
        .await;
    assert!(redis.expire("k", Duration::from_secs(5)).await.unwrap());
    assert!((1..=5000).contains(&redis.raw::<i64>(ttl("k")).await.unwrap()));
    assert!(!redis.expire("nobody", Duration::from_secs(5)).await.unwrap());
}

#[tokio::test]
async fn counters_lists_hashes_sets_and_sorted_sets_do_what_redis_does() {
    let (_server, redis) = start().await;
    assert_eq!(redis.incr("n").await.unwrap(), 1);
    assert_eq!(redis.incr_by("n", -5).await.unwrap(), -4);

    assert_eq!(redis.lpush("l", ["a", "b", "c"]).await.unwrap(), 3);
    assert_eq!(redis.llen("l").await.unwrap(), 3);
    assert_eq!(redis.lrange::<String>("l", 0, -1).await.unwrap(), ["c", "b", "a"]);
    assert_eq!(redis.rpop::<String>("l").await.unwrap().as_deref(), Some("a"));
    assert_eq!(redis.rpop::<String>("none").await.unwrap(), None);

    assert!(redis.hset("h", "f", "1").await.unwrap());
    assert_eq!(redis.hset_many("h", [("f", 2), ("g", 3)]).await.unwrap(), 1);
    assert_eq!(redis.hget::<u32>("h", "f").await.unwrap(), Some(2));
    let all: HashMap<String, u32> = redis.hgetall("h").await.unwrap();
    assert_eq!(all, HashMap::from([("f".to_owned(), 2), ("g".to_owned(), 3)]));
    assert_eq!(redis.hdel("h", ["f", "x"]).await.unwrap(), 1);

    assert_eq!(redis.sadd("s", ["x", "y", "x"]).await.unwrap(), 2);
    assert_eq!(redis.srem("s", ["y"]).await.unwrap(), 1);
    assert_eq!(redis.scard("s").await.unwrap(), 1);
    let members: HashSet<String> = redis.smembers("s").await.unwrap();
    assert_eq!(members, HashSet::from(["x".to_owned()]));

    assert_eq!(redis.zadd("z", [(2.5, "b"), (1.0, "a")]).await.unwrap(), 2);
    assert_eq!(redis.zcard("z").await.unwrap(), 2);
    assert_eq!(redis.zrange::<String>("z", 0, -1).await.unwrap(), ["a", "b"]);
    let scored = redis.zrange_with_scores::<String>("z", 0, -1).await.unwrap();
    assert_eq!(scored, [("a".to_owned(), 1.0), ("b".to_owned(), 2.5)]);

    redis.ping().await.unwrap();
    redis.health_check().await.unwrap();
}

#[tokio::test]
async fn a_pipeline_answers_all_its_requests_in_order() {
    let (_server, redis) = start().await;
    for pipeline in [Pipeline::new(), Pipeline::new().atomic()] {
        let pipeline = pipeline.set("a", "1").incr("a").get("a").get("none").delete("a");
        let answers: (String, i64, String, Option<String>, i64) =
            redis.pipeline(pipeline).await.unwrap();
        assert_eq!(answers, ("OK".to_owned(), 2, "2".to_owned(), None, 1));
    }
}

#[tokio::test]
async fn a_blocking_command_holds_up_nobody_else() {
    let (_server, redis) = start().await;
    let mut blpop = redis_rs::cmd("BLPOP");
    blpop.arg("queue").arg(0);
    let wait = Request::Raw(Raw::new(blpop).within(Duration::from_secs(20)));
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.call(wait).await }
    });
    until("it waits on a connection of its own", async || {
        redis.get_status().pool.connections == 2 && redis.get_status().pool.in_flight == 1
    })
    .await;
    for _ in 0..100 {
        redis.ping().await.unwrap();
    }
    assert!(!waiting.is_finished());
    redis.lpush("queue", ["job"]).await.unwrap();
    let Value::Array(popped) = waiting.await.unwrap().unwrap() else { panic!("no list") };
    assert_eq!(popped[1], Value::BulkString(b"job".to_vec()));
    assert_eq!(redis.get_status().pool.idle, 1, "and then it is given back");
}

#[tokio::test]
async fn status_tells_what_happened_and_no_secret() {
    let server = crate::start::with_password("hunter2").await;
    let builder = crate::support::builder(&server).password("hunter2");
    let redis = builder.deadline(millis(400)).connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    redis.get::<String>("k").await.unwrap();
    redis.get::<String>("none").await.unwrap();
    let status = redis.get_status();
    let counts: Vec<_> = status.operations.iter().map(|o| (o.operation, o.success)).collect();
    assert_eq!(counts, [("get", 2), ("set", 1)]);
    assert_eq!((status.health.hits, status.health.misses), (1, 1));
    assert!((status.health.hit_ratio - 0.5).abs() < 1e-9);
    assert_eq!((status.health.report.score, status.health.report.requests), (100, 3));
    assert!(status.pool.connected && status.config.password);
    let shown = format!("{status:?} {redis:?}");
    assert!(!shown.contains("hunter2"));
}
