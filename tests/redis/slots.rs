//! Slots of a Redis Cluster that move to another master, and to one that has just joined.

use circuit_layer::{State, loopback};
use redis_service::test_server::{RedisCluster, RedisServer};
use redis_service::{Redis, redis as redis_rs};

use crate::cluster::{key_of_each, start};
use crate::support::until;

/// What one node answers to a client that knows nothing of clusters.
async fn ask<T: redis_rs::FromRedisValue>(node: &str, command: &str) -> redis_rs::RedisResult<T> {
    let node = redis_rs::Client::open(node)?;
    let mut node = node.get_multiplexed_async_connection().await?;
    let mut words = command.split(' ');
    let mut cmd = redis_rs::cmd(words.next().unwrap());
    for word in words {
        cmd.arg(word);
    }
    cmd.query_async(&mut node).await
}

async fn on<T: redis_rs::FromRedisValue>(node: &str, command: &str) -> T {
    ask(node, command).await.unwrap()
}

async fn redirection(node: &str, key: &str) -> Option<String> {
    let refused = ask::<Option<u32>>(node, &format!("GET {key}")).await.unwrap_err();
    refused.code().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_to_another_master_is_followed_at_every_stage() {
    let (mut cluster, redis) = start().await;
    let tag = key_of_each(&cluster).await[0].clone();
    let [stays, moves, comes] = ["stays", "moves", "comes"].map(|key| format!("{{{tag}}}:{key}"));
    redis.set(&*stays, 1).await.unwrap();
    redis.set(&*moves, 2).await.unwrap();
    let [from, to] = [0, 1].map(|node| cluster.nodes()[node].url());
    let port = cluster.nodes()[1].port();
    let slot: u16 = on(&from, &format!("CLUSTER KEYSLOT {tag}")).await;
    let [from_id, to_id]: [String; 2] =
        [on(&from, "CLUSTER MYID").await, on(&to, "CLUSTER MYID").await];
    let () = on(&to, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}")).await;
    let () = on(&from, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}")).await;
    let migrate = async |key: &str| -> String {
        on(&from, &format!("MIGRATE 127.0.0.1 {port} {key} 0 5000")).await
    };
    assert_eq!(migrate(&moves).await, "OK");
    // The old master has the one, and sends whoever wants the others to the new one.
    assert_eq!(redirection(&from, &moves).await.as_deref(), Some("ASK"));
    assert_eq!(redis.get::<u32>(&*stays).await.unwrap(), Some(1));
    assert_eq!(redis.get::<u32>(&*moves).await.unwrap(), Some(2));
    redis.set(&*comes, 3).await.unwrap();
    assert_eq!(migrate(&stays).await, "OK");
    for node in [&to, &from] {
        let () = on(node, &format!("CLUSTER SETSLOT {slot} NODE {to_id}")).await;
    }
    // Now it sends everybody away for good, and a crowd of callers comes at once.
    assert_eq!(redirection(&from, &moves).await.as_deref(), Some("MOVED"));
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..60_usize {
        let (key, value) = [(&stays, 1), (&moves, 2), (&comes, 3)][n % 3];
        let (redis, key) = (redis.clone(), key.clone());
        callers.spawn(async move {
            assert_eq!(redis.get::<u32>(&*key).await.unwrap(), Some(value), "{key}");
        });
    }
    callers.join_all().await;
    let report = redis.get_health().report;
    assert_eq!((report.failures, redis.breaker().state()), (0, State::Closed));
}

/// A master that owns no slots yet, as they begin in a cluster that grows.
async fn join(cluster: &RedisCluster) -> RedisServer {
    let urls = cluster.urls();
    let bus = loopback::port().unwrap();
    let node = RedisServer::builder().arg("--cluster-enabled").arg("yes");
    let node = node.arg("--cluster-port").arg(bus.to_string()).start().await.unwrap();
    let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port());
    let () = on(urls.first().unwrap(), &meet).await;
    let id: String = on(&node.url(), "CLUSTER MYID").await;
    for known in urls {
        until("everybody knows the new node", async || {
            let nodes: String = on(&known, "CLUSTER NODES").await;
            nodes.lines().any(|line| line.starts_with(&id) && !line.contains("handshake"))
        })
        .await;
    }
    until("it knows that the cluster is whole", async || {
        on::<String>(&node.url(), "CLUSTER INFO").await.contains("cluster_state:ok")
    })
    .await;
    node
}

/// Moves the slot of a key from the first master to one that has none, and writes it at every stage.
async fn the_first_slot_moves(redis: &Redis, key: &str, [from, to]: [&str; 2], migrate: &str) {
    redis.set(key, 1).await.unwrap();
    let slot: u16 = on(from, &format!("CLUSTER KEYSLOT {key}")).await;
    let [from_id, to_id]: [String; 2] =
        [on(from, "CLUSTER MYID").await, on(to, "CLUSTER MYID").await];
    let () = on(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}")).await;
    let () = on(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}")).await;
    assert_eq!(on::<String>(from, migrate).await, "OK");
    assert_eq!(redirection(from, key).await.as_deref(), Some("ASK"));
    assert_eq!(redis.get::<u32>(key).await.unwrap(), Some(1));
    assert_eq!(redis.incr(key).await.unwrap(), 2);
    for node in [to, from] {
        let () = on(node, &format!("CLUSTER SETSLOT {slot} NODE {to_id}")).await;
    }
    assert_eq!(redirection(from, key).await.as_deref(), Some("MOVED"));
    assert_eq!(redis.incr(key).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_slot_of_a_new_master_is_followed_to_it() {
    let (mut cluster, redis) = start().await;
    let key = key_of_each(&cluster).await[0].clone();
    let node = join(&cluster).await;
    let (from, to) = (cluster.nodes()[0].url(), node.url());
    let migrate = format!("MIGRATE 127.0.0.1 {} {key} 0 5000", node.port());
    the_first_slot_moves(&redis, &key, [&from, &to], &migrate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_master_that_wants_a_password_is_followed_with_that_of_the_cluster() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let key = key_of_each(&cluster).await[0].clone();
    let node = join(&cluster).await;
    for url in cluster.urls().iter().chain([&node.url()]) {
        let () = on(url, "CONFIG SET masterauth pw requirepass pw").await;
    }
    let redis = Redis::builder().cluster(cluster.urls()).password("pw").connect().await.unwrap();
    let greeted = |url: String| url.replace("redis://", "redis://:pw@");
    let (from, to) = (greeted(cluster.nodes()[0].url()), greeted(node.url()));
    let refused = ask::<u32>(&node.url(), "CLUSTER COUNTKEYSINSLOT 0").await.unwrap_err();
    assert!(refused.to_string().contains("NOAUTH"), "{refused}");
    let migrate = format!("MIGRATE 127.0.0.1 {} {key} 0 5000 AUTH pw", node.port());
    the_first_slot_moves(&redis, &key, [&from, &to], &migrate).await;
}
