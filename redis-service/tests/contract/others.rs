//! Mistakes, pipelines, raw commands, health.

use bytes::Bytes;
use redis_service::{Error, ErrorKind, Pipeline, Redis, Request, SetOptions, Value};

use super::{cmd, exists, mistake, text};

pub(crate) async fn the_wrong_type_is_the_callers_mistake(redis: &Redis) {
    redis.set("text", "abc").await.unwrap();
    redis.lpush("list", ["a"]).await.unwrap();
    mistake(redis.llen("text").await, "WRONGTYPE");
    mistake(redis.lpush("text", ["a"]).await, "WRONGTYPE");
    mistake(redis.rpop::<String>("text").await, "WRONGTYPE");
    mistake(redis.hset("text", "f", "v").await, "WRONGTYPE");
    mistake(redis.hgetall::<Vec<String>>("list").await, "WRONGTYPE");
    mistake(redis.sadd("text", ["a"]).await, "WRONGTYPE");
    mistake(redis.zadd("list", [(1.0, "a")]).await, "WRONGTYPE");
    mistake(redis.get::<String>("list").await, "WRONGTYPE");
    mistake(redis.incr("list").await, "WRONGTYPE");
    assert_eq!(text(redis, "text").await.as_deref(), Some("abc"));
    assert_eq!(redis.get_health().report.score, 100);
}

pub(crate) async fn a_reply_of_another_type_is_a_decode_error(redis: &Redis) {
    redis.set("text", "abc").await.unwrap();
    for _ in 0..10 {
        let error = redis.get::<i64>("text").await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    }
    let health = redis.get_health();
    assert_eq!((health.report.failures, health.hits), (0, 10));
}

pub(crate) async fn a_pipeline_answers_in_order(redis: &Redis) {
    for pipeline in [Pipeline::new(), Pipeline::new().atomic()] {
        let pipeline = pipeline.set("a", "1").incr("a").get("a").get("none").delete("a");
        let answers: (String, i64, String, Option<String>, i64) =
            redis.pipeline(pipeline).await.unwrap();
        assert_eq!(answers, ("OK".to_owned(), 2, "2".to_owned(), None, 1));
    }
    assert!(redis.pipeline::<Vec<i64>>(Pipeline::new()).await.unwrap().is_empty());
}

pub(crate) async fn a_pipeline_goes_on_after_a_mistake(redis: &Redis) {
    redis.set("text", "abc").await.unwrap();
    for (round, pipeline) in [Pipeline::new(), Pipeline::new().atomic()].into_iter().enumerate() {
        let pipeline = pipeline.incr("n").incr("text").incr("n");
        let error = redis.pipeline::<Vec<i64>>(pipeline).await.unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::Client), "{error:?}");
        let expected = i64::try_from(round * 2 + 2).unwrap();
        assert_eq!(redis.get::<i64>("n").await.unwrap(), Some(expected));
    }
}

pub(crate) async fn a_transaction_with_an_unknown_command_does_nothing(redis: &Redis) {
    let pipeline = Pipeline::new().atomic().set("k", "v").raw(cmd(&["NOSUCHCOMMAND"]));
    let error = redis.pipeline::<Vec<Value>>(pipeline).await.unwrap_err();
    assert_eq!(error.kind(), Some(ErrorKind::Client), "{error:?}");
    assert!(!exists(redis, "k").await);
}

pub(crate) async fn an_unknown_command_is_the_callers_mistake(redis: &Redis) {
    mistake(redis.raw::<()>(cmd(&["NOSUCHCOMMAND", "k"])).await, "ERR");
}

pub(crate) async fn too_few_arguments_are_the_callers_mistake(redis: &Redis) {
    mistake(redis.raw::<()>(cmd(&["GET"])).await, "ERR");
    mistake(redis.hset_many("h", Vec::<(&str, &str)>::new()).await, "ERR");
    mistake(redis.delete_many(Vec::<&str>::new()).await, "ERR");
    mistake(redis.raw::<()>(cmd(&["SET", "k", "v", "NX", "XX"])).await, "ERR");
}

pub(crate) async fn raw_commands_are_answered(redis: &Redis) {
    redis.set("a", "1").await.unwrap();
    let many: Vec<Option<i64>> = redis.raw(cmd(&["MGET", "a", "none"])).await.unwrap();
    assert_eq!(many, [Some(1), None]);
    assert_eq!(redis.raw::<String>(cmd(&["TYPE", "a"])).await.unwrap(), "string");
    assert_eq!(redis.raw::<i64>(cmd(&["DECR", "a"])).await.unwrap(), 0);
    assert_eq!(redis.raw::<i64>(cmd(&["RPUSH", "l", "x", "y"])).await.unwrap(), 2);
    assert_eq!(redis.raw::<String>(cmd(&["LPOP", "l"])).await.unwrap(), "x");
    assert_eq!(redis.raw::<i64>(cmd(&["DBSIZE"])).await.unwrap(), 2);
    assert_eq!(redis.raw::<String>(cmd(&["FLUSHDB"])).await.unwrap(), "OK");
    assert_eq!(redis.raw::<i64>(cmd(&["DBSIZE"])).await.unwrap(), 0);
}

pub(crate) async fn ping_and_health_check_answer(redis: &Redis) {
    redis.ping().await.unwrap();
    redis.health_check().await.unwrap();
    let status = redis.get_status();
    let counts: Vec<_> = status.operations.iter().map(|o| (o.operation, o.success)).collect();
    assert_eq!(counts, [("ping", 1), ("health_check", 1)]);
}

pub(crate) async fn the_master_says_that_it_is_one(redis: &Redis) {
    assert_eq!(redis.get_status().role, None);
    redis.health_check().await.unwrap();
    assert_eq!(redis.get_status().role, Some(redis_service::Role::Master));
}

pub(crate) async fn requests_can_be_sent_as_values(redis: &Redis) {
    let (key, value) = (Bytes::from("k"), Bytes::from("v"));
    let set = Request::Set { key: key.clone(), value, options: SetOptions::new() };
    assert_eq!(redis.call(set).await.unwrap(), Value::Okay);
    let get = Request::Get { key };
    assert_eq!(redis.call(get).await.unwrap(), Value::BulkString(b"v".to_vec()));
}
