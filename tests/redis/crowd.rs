//! Many callers on one connection, whose commands travel together.

use circuit_layer::State;
use redis_service::{ErrorKind, redis as redis_rs};
use tokio::task::JoinSet;

use crate::support::{assert_kind, failing, millis, now, start};

/// Commands that the server has executed so far.
async fn info(redis: &redis_service::Redis, field: &str) -> u64 {
    let info: String = redis.raw(redis_rs::cmd("INFO")).await.unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_callers_gets_its_own_answer() {
    let (_server, redis) = start().await;
    redis.lpush("list", ["x"]).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..300_u32 {
        let redis = redis.clone();
        callers.spawn(async move {
            let key = format!("k{caller}");
            for round in 0..20_u32 {
                redis.set(&*key, round).await.unwrap();
                assert_eq!(redis.get::<u32>(&*key).await.unwrap(), Some(round));
                if caller % 10 == 0 {
                    // An error in a pipeline is the answer to one of its callers alone.
                    let (error, _) = failing(redis.get::<u32>("list")).await;
                    assert_kind(&error, ErrorKind::Client);
                }
            }
        });
    }
    callers.join_all().await;
    let status = redis.get_status();
    assert_eq!((status.pool.connections, status.pool.retired), (1, 0));
    assert_eq!((status.health.report.failures, redis.breaker().state()), (0, State::Closed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_in_a_crowd_share_packets() {
    let (_server, redis) = start().await;
    let reads = async || info(&redis, "total_reads_processed").await;
    let one_by_one = {
        let before = reads().await;
        for _ in 0..2000 {
            redis.ping().await.unwrap();
        }
        reads().await - before
    };
    let before = reads().await;
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let redis = redis.clone();
        callers.spawn(async move {
            for _ in 0..10 {
                redis.ping().await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let together = reads().await - before;
    assert!(one_by_one >= 2000, "{one_by_one}");
    assert!(together < 1000, "2000 commands of 200 callers took {together} reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_leave_a_crowd_take_no_answer_along() {
    let (_server, redis) = start().await;
    for n in 0..50 {
        redis.set(format!("k{n}"), n).await.unwrap();
    }
    let mut callers = JoinSet::new();
    for caller in 0..200_u32 {
        let redis = redis.clone();
        callers.spawn(async move {
            for n in 0..25_u32 {
                let (dropped, kept) = ((n * 7 + caller) % 50, (n * 13 + caller) % 50);
                crate::dropped::give_up(redis.get::<u32>(format!("k{dropped}")), n % 3 + 1).await;
                let answer: Option<u32> = redis.get(format!("k{kept}")).await.unwrap();
                assert_eq!(answer, Some(kept));
            }
        });
    }
    callers.join_all().await;
    let pool = redis.get_status().pool;
    assert_eq!((pool.in_flight, pool.retired, pool.connections), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timed_a_crowd_learns_at_once_that_redis_was_killed() {
    let (mut server, redis) = start().await;
    server.stop().unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..500 {
        let redis = redis.clone();
        callers.spawn(async move { failing(redis.incr("n")).await });
    }
    crate::support::until("all wait", async || redis.get_status().pool.in_flight == 500).await;
    let killed = now();
    server.kill().unwrap();
    for (error, _) in callers.join_all().await {
        assert_kind(&error, ErrorKind::Connection);
    }
    assert!(now() - killed < millis(250), "{:?}", now() - killed);
    assert_eq!(redis.get_status().pool.in_flight, 0);
}
