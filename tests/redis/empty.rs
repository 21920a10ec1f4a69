//! Commands with nothing in them, and odd ones that only look so.

use circuit_layer::State;
use redis_service::bb8::Pool;
use redis_service::bb8_redis::RedisConnectionManager;
use redis_service::{
    Error, ErrorKind, Pipeline, Raw, Redis, RedisError, Request, Transaction, Value,
    redis as redis_rs,
};
use tokio::task::JoinSet;

use crate::support::{assert_kind, failing, millis, start};

/// Whatever an empty command can be a part of. `Cmd::take` leaves such a one behind.
fn empty_ones() -> Vec<Request> {
    let empty = redis_rs::Cmd::new;
    let mixed = || Pipeline::new().get("k1").raw(empty()).get("k2");
    let reads = Transaction::watch(["k1"]).read(mixed());
    let writes = Transaction::watch(["k1"])
        .read(Pipeline::new().get("k1"))
        .write(move |_: Vec<Value>| Some(Pipeline::new().set("k1", "lost").raw(empty())));
    vec![
        Raw::new(empty()).into(),
        Raw::new(empty()).alone().repeatable().within(millis(200)).into(),
        Raw::new(redis_rs::Cmd::new().arg(None::<u8>).take()).into(),
        mixed().into(),
        mixed().atomic().into(),
        reads.into(),
        writes.into(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_command_is_refused_and_gives_nobody_anothers_answer() {
    let (server, redis) = start().await;
    let pool = RedisConnectionManager::new(server.url()).unwrap();
    let pool = Pool::builder().max_size(5).build(pool).await.unwrap();
    let pooled = Redis::from_pool(pool).connect().await.unwrap();
    for n in 0..50 {
        redis.set(format!("k{n}"), n).await.unwrap();
    }
    for redis in [redis, pooled] {
        let mut callers = JoinSet::new();
        for caller in 0..100_u32 {
            let redis = redis.clone();
            callers.spawn(async move {
                for n in 0..20_u32 {
                    if caller % 20 == 0 {
                        for request in empty_ones() {
                            let shown = format!("{request:?}");
                            let (error, _) = failing(redis.call(request)).await;
                            assert_kind(&error, ErrorKind::Client);
                            let Error::Redis(RedisError::Call { source, .. }) = &error else {
                                panic!("{shown}: {error:?}")
                            };
                            assert!(source.to_string().contains("no name"), "{shown}: {source}");
                            assert!(matches!(&error, Error::Redis(e) if !e.maybe_applied()));
                        }
                    }
                    let own = (n * 13 + caller) % 50;
                    assert_eq!(redis.get::<u32>(format!("k{own}")).await.unwrap(), Some(own));
                }
            });
        }
        callers.join_all().await;
        let status = redis.get_status();
        assert_eq!((status.pool.in_flight, status.pool.retired), (0, 0));
        assert_eq!((status.health.report.failures, redis.breaker().state()), (0, State::Closed));
    }
}

#[tokio::test]
async fn a_command_of_a_cursor_or_an_empty_name_has_one_answer_like_any_other() {
    let (_server, redis) = start().await;
    redis.set("k", 1).await.unwrap();
    for odd in [redis_rs::cmd(""), redis_rs::Cmd::new().cursor_arg(0).take()] {
        let pipeline = Pipeline::new().get("k").raw(odd.clone()).incr("n");
        assert_kind(&failing(redis.pipeline::<Value>(pipeline)).await.0, ErrorKind::Client);
        assert_kind(&failing(redis.raw::<Value>(odd)).await.0, ErrorKind::Client);
        assert_eq!(redis.get::<u32>("k").await.unwrap(), Some(1));
    }
    let mut scan = redis_rs::cmd("SCAN");
    scan.cursor_arg(0).arg("COUNT").arg(100);
    let (next, mut keys): (u32, Vec<String>) = redis.raw(scan).await.unwrap();
    keys.sort();
    assert_eq!((next, keys), (0, vec!["k".to_owned(), "n".to_owned()]));
    assert_eq!(redis.get::<u32>("n").await.unwrap(), Some(2));
}

#[tokio::test]
async fn what_redis_leaves_unanswered_is_refused() {
    let (_server, redis) = start().await;
    redis.set("k", 1).await.unwrap();
    for subject in ["ACK", "GETACK"] {
        let unanswered = redis_rs::cmd("REPLCONF").arg(subject).arg(1).take();
        assert_kind(&failing(redis.raw::<Value>(unanswered)).await.0, ErrorKind::Client);
        assert_eq!(redis.get::<u32>("k").await.unwrap(), Some(1));
    }
}
