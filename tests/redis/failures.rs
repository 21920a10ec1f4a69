//! Each way in which a Redis that is there can refuse to serve.

use circuit_layer::State;
use redis_service::test_server::RedisServer;
use redis_service::{Error, ErrorKind, Pipeline, Redis, RedisError, redis as redis_rs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{assert_kind, builder, failing, millis, now, start, until, until_it_serves};

/// A command past the client under test, over a connection of its own.
async fn admin(server: &RedisServer, password: Option<&str>, line: &str) {
    let info = password.map_or_else(
        || server.url(),
        |password| format!("redis://:{password}@127.0.0.1:{}/", server.port()),
    );
    let client = redis_rs::Client::open(info).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = line.split(' ');
    let mut cmd = redis_rs::cmd(words.next().unwrap());
    for word in words {
        cmd.arg(word);
    }
    cmd.exec_async(&mut connection).await.unwrap();
}

/// Fails until the breaker is open, each time with this kind and well before the deadline; then it is
/// rejected at once.
async fn opens_by(redis: &Redis, kind: ErrorKind) {
    for failure in 1..=5 {
        assert_eq!(redis.breaker().state(), State::Closed, "before failure {failure}");
        let (error, took) = failing(redis.set("k", "v")).await;
        assert_kind(&error, kind);
        assert!(took < millis(250), "failure {failure} took {took:?}");
    }
    let (error, took) = failing(redis.get::<String>("k")).await;
    assert!(error.is_rejected() && took < millis(10), "{error:?} after {took:?}");
}

/// Once a probe is due, service is back within 250 ms.
async fn returns_by_itself(redis: &Redis) {
    until("a probe is due", async || {
        redis.breaker().snapshot().retry_after.is_none_or(|wait| wait.is_zero())
    })
    .await;
    let due = now();
    for _ in 0..3 {
        redis.ping().await.unwrap();
    }
    assert_eq!(redis.breaker().state(), State::Closed);
    assert!(now() - due < millis(250), "{:?}", now() - due);
}

#[tokio::test]
async fn timed_a_password_that_changes_and_changes_back() {
    let server = crate::start::with_password("right").await;
    let redis = builder(&server).password("right").connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    admin(&server, Some("right"), "CONFIG SET requirepass other").await;
    // It holds for new connections.
    redis.set("k", "w").await.unwrap();
    admin(&server, Some("other"), "CLIENT KILL TYPE normal").await;
    assert_eq!(failing(redis.incr("n")).await.0.kind(), Some(ErrorKind::Connection));
    for _ in 0..4 {
        let (error, took) = failing(redis.set("k", "v")).await;
        assert_kind(&error, ErrorKind::Auth);
        assert!(took < millis(250), "{took:?}");
    }
    assert!(failing(redis.ping()).await.0.is_rejected());
    admin(&server, Some("other"), "CONFIG SET requirepass right").await;
    returns_by_itself(&redis).await;
}

/// The whole reply to one inline command.
async fn say(connection: &mut TcpStream, command: &str) -> String {
    connection.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n") {
        assert!(connection.read_buf(&mut said).await.unwrap() > 0, "the server hung up");
    }
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn timed_a_redis_without_room_for_another_client() {
    let (server, redis) = start().await;
    // Others take every place before ours is taken away, or it would be back in it at once.
    let mut others = Vec::new();
    for _ in 0..12 {
        let mut other = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        assert_eq!(say(&mut other, "PING").await, "+PONG\r\n");
        others.push(other);
    }
    let theirs: Vec<_> = others.iter().map(|other| other.local_addr().unwrap()).collect();
    let admin = others.first_mut().unwrap();
    assert_eq!(say(admin, "CONFIG SET maxclients 12").await, "+OK\r\n");
    for client in say(admin, "CLIENT LIST").await.lines() {
        let address = client.split(' ').find_map(|field| field.strip_prefix("addr="));
        let Some(address) = address.map(|address| address.parse().unwrap()) else { continue };
        if !theirs.contains(&address) {
            assert_eq!(say(admin, &format!("CLIENT KILL {address}")).await, "+OK\r\n");
        }
    }
    opens_by(&redis, ErrorKind::Connection).await;
    drop(others);
    returns_by_itself(&redis).await;
}

#[tokio::test]
async fn timed_a_redis_that_loads_its_data() {
    let mut server = RedisServer::builder();
    // A millisecond for each key, and an ear for clients in between.
    for arg in ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"] {
        server = server.arg(arg);
    }
    let mut server = server.start().await.unwrap();
    let redis = builder(&server).connect().await.unwrap();
    let keys = (0..2000).map(|n| (format!("key:{n}"), n));
    let many = keys.fold(Pipeline::new(), |all, (key, n)| all.set(key, n));
    redis.pipeline::<Vec<String>>(many).await.unwrap();
    admin(&server, None, "SAVE").await;
    let restarting = tokio::spawn(async move {
        server.restart().await.unwrap();
        server
    });
    until("it loads", async || {
        let answer = redis.set("k", "v").await;
        matches!(answer, Err(Error::Redis(error)) if error.kind() == ErrorKind::Loading)
    })
    .await;
    until("the breaker is open", async || {
        let (begun, _answer) = (now(), redis.set("k", "v").await);
        assert!(now() - begun < millis(250));
        redis.breaker().state() == State::Open
    })
    .await;
    assert!(failing(redis.ping()).await.0.is_rejected());
    let _server = restarting.await.unwrap();
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn timed_a_replica_refuses_writes_and_serves_reads() {
    let (master, redis) = start().await;
    redis.set("k", "v").await.unwrap();
    let port = master.port().to_string();
    let replica = RedisServer::builder().arg("--replicaof").arg("127.0.0.1").arg(port);
    let replica = replica.start().await.unwrap();
    let redis = builder(&replica).connect().await.unwrap();
    for failure in 1..=4 {
        let (error, took) = failing(redis.set("k", "v")).await;
        assert_kind(&error, ErrorKind::ReadOnly);
        assert!(took < millis(250), "{took:?}");
        let Error::Redis(error) = error else { panic!("{error:?}") };
        assert!(!error.maybe_applied());
        // Behind the same name there may be another node by now.
        assert_eq!(redis.get_status().pool.retired, failure);
    }
    redis.get::<String>("k").await.unwrap();
    opens_by(&redis, ErrorKind::ReadOnly).await;
    admin(&replica, None, "REPLICAOF NO ONE").await;
    returns_by_itself(&redis).await;
    redis.set("k", "v").await.unwrap();
}

#[tokio::test]
async fn a_full_redis_refuses_writes_and_serves_reads() {
    let (server, redis) = start().await;
    redis.set("k", "v").await.unwrap();
    admin(&server, None, "CONFIG SET maxmemory 1").await;
    for _ in 0..10 {
        assert_kind(&failing(redis.set("k", "w")).await.0, ErrorKind::Oom);
        assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    }
    assert_eq!(redis.breaker().state(), State::Closed, "five in a row would have opened it");
    assert_eq!(redis.get_status().pool.retired, 0);
    opens_by(&redis, ErrorKind::Oom).await;
    admin(&server, None, "CONFIG SET maxmemory 0").await;
    returns_by_itself(&redis).await;
    redis.set("k", "w").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timed_twenty_thousand_writes_that_time_out_all_say_maybe_applied() {
    let server = RedisServer::start().await.unwrap();
    // Long enough for a slow machine to send them all before the first three retire the connection.
    let deadline = millis(5000);
    let redis = builder(&server).fail_max(1_000_000).deadline(deadline).connect().await.unwrap();
    redis.ping().await.unwrap();
    server.stop().unwrap();
    let value = bytes::Bytes::from(vec![b'x'; 1000]);
    let mut calls = JoinSet::new();
    for n in 0..20_000 {
        let (redis, value) = (redis.clone(), value.clone());
        calls.spawn(async move { failing(redis.set(format!("k{n}"), value)).await });
    }
    let mut told = 0;
    while let Some(call) = calls.join_next().await {
        let (error, took) = call.unwrap();
        let Error::Redis(RedisError::Timeout { maybe_applied, .. }) = error else {
            panic!("{error:?} after {took:?}")
        };
        assert!(maybe_applied, "after {took:?}");
        told += 1;
    }
    assert_eq!(told, 20_000);
    let pool = redis.get_status().pool;
    assert_eq!((pool.in_flight, pool.retired), (0, 1));
    server.cont().unwrap();
    until("it answers again", async || redis.ping().await.is_ok()).await;
    let written: u32 = redis.raw(redis_rs::cmd("DBSIZE")).await.unwrap();
    assert!(written <= 20_000, "{written}");
}
