//! Calls that have a connection to themselves: blocking commands, transactions, big values.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use circuit_layer::State;
use redis_service::test_server::RedisServer;
use redis_service::{
    End, Error, ErrorKind, Pipeline, Raw, RedisError, Transaction, Value, redis as redis_rs,
};
use tokio::task::JoinSet;

use crate::support::{assert_kind, builder, failing, millis, now, start, until};

#[tokio::test]
async fn blocking_commands_bring_what_comes_and_none_if_nothing_does() {
    let (_server, redis) = start().await;
    assert_eq!(redis.blpop::<String>(["a", "b"], millis(30)).await.unwrap(), None);
    redis.lpush("b", ["2", "1"]).await.unwrap();
    let head = redis.blpop::<u32>(["a", "b"], millis(30)).await.unwrap();
    assert_eq!(head, Some((Bytes::from("b"), 1)));
    redis.lpush("b", ["0"]).await.unwrap();
    let moved = redis.blmove::<u32>(("b", End::Tail), ("c", End::Head), millis(30)).await;
    assert_eq!(moved.unwrap(), Some(2));
    let tail = redis.brpop::<u32>(["c"], millis(30)).await.unwrap();
    assert_eq!(tail, Some((Bytes::from("c"), 2)));
    redis.zadd("z", [(1.5, "low"), (2.5, "high")]).await.unwrap();
    let high = redis.bzpopmax::<String>(["z"], millis(30)).await.unwrap().unwrap();
    assert_eq!(high, (Bytes::from("z"), "high".to_owned(), 2.5));
    let low = redis.bzpopmin::<String>(["z"], millis(30)).await.unwrap().unwrap();
    assert_eq!((low.1.as_str(), low.2), ("low", 1.5));
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.blpop::<String>(["late"], millis(5000)).await }
    });
    until("it waits", async || redis.get_status().pool.in_flight == 1).await;
    redis.lpush("late", ["v"]).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some((Bytes::from("late"), "v".to_owned())));
}

#[tokio::test]
async fn timed_a_queue_that_stays_empty_is_no_failure_of_redis() {
    let (_server, redis) = start().await;
    let mut blpop = redis_rs::cmd("BLPOP");
    blpop.arg("queue").arg(0);
    for within in [None, Some(millis(600))] {
        let begun = now();
        let raw = Raw::new(blpop.clone());
        let raw = if let Some(within) = within { raw.within(within) } else { raw };
        assert_eq!(redis.call(raw).await.unwrap(), Value::Nil);
        assert!(now() - begun < within.unwrap_or_else(|| millis(500)));
    }
    // One that waits for longer than the ordinary deadline.
    assert_eq!(redis.blpop::<String>(["queue"], millis(700)).await.unwrap(), None);
    let report = redis.get_health().report;
    assert_eq!((report.failures, redis.breaker().state()), (0, State::Closed));
    assert_eq!(report.score, 100, "a wait for something to come is no slowness");
    assert_eq!(redis.get_status().pool.retired, 0);
}

#[tokio::test]
async fn timed_a_blocking_command_on_a_hung_redis_ends_by_its_deadline() {
    let (server, redis) = start().await;
    redis.blpop::<String>(["queue"], millis(1)).await.unwrap();
    server.stop().unwrap();
    let (error, took) = failing(redis.blpop::<String>(["queue"], millis(100))).await;
    assert_kind(&error, ErrorKind::Timeout);
    assert!(took >= millis(590) && took < millis(800), "{took:?}");
    server.cont().unwrap();
}

/// The tries on `connections` connections that `callers` callers in a loop get, out of `turns`.
async fn share_out(callers: u32, connections: u32, turns: u32) -> Vec<u32> {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).pool_size(connections).deadline(millis(10_000));
    let redis = redis.connect().await.unwrap();
    let left = Arc::new(AtomicU32::new(turns));
    let mut loops = JoinSet::new();
    for _ in 0..callers {
        let (redis, left) = (redis.clone(), Arc::clone(&left));
        loops.spawn(async move {
            let mut served = 0;
            while left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok()
            {
                let nothing = redis.blpop::<String>(["empty"], millis(1)).await.unwrap();
                assert_eq!(nothing, None);
                served += 1;
            }
            served
        });
    }
    let served = loops.join_all().await;
    let pool = redis.get_status().pool;
    assert!(pool.connections <= connections, "{pool:?}");
    assert_eq!((pool.in_flight, pool.retired), (0, 0));
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_starves_with_256_of_them_on_50_connections() {
    let served = share_out(256, 50, 256 * 10).await;
    let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
    assert!(*least >= 7 && *most <= 14, "between {least} and {most} turns for each");
}

#[tokio::test]
async fn callers_who_find_no_free_connection_are_told_so_and_redis_is_not_blamed() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).pool_size(2).deadline(millis(100)).connect().await.unwrap();
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.blpop::<String>(["queue"], millis(10_000)).await }
    });
    until("it waits", async || redis.get_status().pool.connections == 2).await;
    for _ in 0..10 {
        let (error, _) = failing(redis.pipeline::<()>(Pipeline::new().incr("n").atomic())).await;
        assert!(matches!(error, Error::Redis(RedisError::Busy { .. })), "{error:?}");
        assert_kind(&error, ErrorKind::Other);
    }
    assert_eq!(redis.breaker().state(), State::Closed);
    redis.lpush("queue", ["v"]).await.unwrap();
    assert!(waiting.await.unwrap().unwrap().is_some());
    assert_eq!(redis.get::<i64>("n").await.unwrap(), None, "it was never sent");
}

#[tokio::test]
async fn a_dropped_blocking_call_closes_its_connection_and_frees_its_place() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).pool_size(2).connect().await.unwrap();
    for _ in 0..5 {
        let dropped = redis.blpop::<String>(["queue"], millis(10_000));
        assert!(tokio::time::timeout(millis(50), dropped).await.is_err());
    }
    redis.lpush("queue", ["v"]).await.unwrap();
    let popped = redis.blpop::<String>(["queue"], millis(100)).await.unwrap();
    assert!(popped.is_some(), "no forgotten call has taken it");
    assert_eq!((redis.get_status().pool.in_flight, redis.breaker().state()), (0, State::Closed));
}

fn take_one() -> Transaction {
    Transaction::watch(["stock"]).read(Pipeline::new().get("stock")).write(
        |(stock,): (Option<i64>,)| {
            let left = stock.filter(|stock| *stock > 0)?;
            Some(Pipeline::new().set("stock", left - 1).incr("taken"))
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_race_lose_no_update() {
    let (_server, redis) = start().await;
    redis.set("stock", 10).await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let redis = redis.clone();
        callers.spawn(async move {
            redis.transaction::<(String, i64)>(take_one().attempts(1000)).await.unwrap()
        });
    }
    let taken = callers.join_all().await.into_iter().flatten().count();
    assert_eq!(taken, 10);
    assert_eq!(redis.get::<i64>("stock").await.unwrap(), Some(0));
    assert_eq!(redis.get::<i64>("taken").await.unwrap(), Some(10));
    assert_eq!(redis.get_status().pool.retired, 0);
}

#[tokio::test]
async fn a_transaction_whose_key_changes_each_time_writes_nothing() {
    let (server, redis) = start().await;
    redis.set("stock", 10).await.unwrap();
    let client = redis_rs::Client::open(server.url()).unwrap();
    let rival = Transaction::watch(["stock"]).write(move |_read: Value| {
        let mut rival = client.get_connection().unwrap();
        redis_rs::cmd("INCR").arg("stock").exec(&mut rival).unwrap();
        Some(Pipeline::new().set("stock", 0))
    });
    let answer = redis.transaction::<Vec<String>>(rival.attempts(3)).await.unwrap();
    assert_eq!(answer, None);
    assert_eq!(redis.get::<i64>("stock").await.unwrap(), Some(13), "tried three times");
}

#[tokio::test]
async fn reads_that_are_atomic_do_not_end_the_watch() {
    let (server, redis) = start().await;
    redis.set("stock", 10).await.unwrap();
    let client = redis_rs::Client::open(server.url()).unwrap();
    let reads = Pipeline::new().get("stock").atomic();
    let rival = Transaction::watch(["stock"]).read(reads).write(move |(_,): (i64,)| {
        let mut rival = client.get_connection().unwrap();
        redis_rs::cmd("INCR").arg("stock").exec(&mut rival).unwrap();
        Some(Pipeline::new().set("stock", 0))
    });
    let answer = redis.transaction::<Vec<String>>(rival.attempts(3)).await.unwrap();
    assert_eq!(answer, None);
    assert_eq!(redis.get::<i64>("stock").await.unwrap(), Some(13), "no update was lost");
}

#[tokio::test]
async fn a_transaction_that_gives_up_leaves_a_clean_connection() {
    let (_server, redis) = start().await;
    assert_eq!(redis.transaction::<(String, i64)>(take_one()).await.unwrap(), None);
    redis.set("stock", "text").await.unwrap();
    let (error, _) = failing(redis.transaction::<(String, i64)>(take_one())).await;
    assert_kind(&error, ErrorKind::Client);
    let wrong = Transaction::watch(["stock"]).read(Pipeline::new().raw(redis_rs::cmd("NOSUCH")));
    let (error, _) = failing(redis.transaction::<()>(wrong)).await;
    assert!(matches!(error, Error::Redis(ref error) if !error.maybe_applied()), "{error:?}");
    let pool = redis.get_status().pool;
    assert_eq!((pool.connections, pool.idle, pool.retired), (2, 1, 0));
    // Were the key still watched, this would be given up.
    redis.set("stock", "changed").await.unwrap();
    let atomic = Pipeline::new().set("stock", 5).incr("stock").atomic();
    assert_eq!(redis.pipeline::<(String, i64)>(atomic).await.unwrap().1, 6);
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_big_value_travels_on_a_connection_of_its_own() {
    let (_server, redis) = start().await;
    let big = vec![7_u8; 1 << 20];
    redis.set("small", "v").await.unwrap();
    assert_eq!(redis.get_status().pool.connections, 1);
    redis.set("big", &big[..]).await.unwrap();
    assert_eq!(redis.get_status().pool.connections, 2);
    let mut get = redis_rs::cmd("GET");
    get.arg("big");
    let reply = redis.call(Raw::new(get).read_only().alone()).await.unwrap();
    assert_eq!(reply, Value::BulkString(big));
    let pool = redis.get_status().pool;
    assert_eq!((pool.connections, pool.idle), (2, 1));
}
