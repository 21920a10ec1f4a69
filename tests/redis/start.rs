//! Starting, and the configuration's own faults.

use redis_service::test_server::{RedisServer, ServerError};
use redis_service::{Error, ErrorKind, Redis, RedisError, Start, StartError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stderr};
use tokio::net::TcpStream;

use crate::support::{assert_kind, builder, failing, millis, until, until_it_serves};

pub(crate) async fn with_password(password: &str) -> RedisServer {
    RedisServer::builder().arg("--requirepass").arg(password).start().await.unwrap()
}

#[tokio::test]
async fn a_strict_start_tells_at_once_that_redis_is_down() {
    let mut server = RedisServer::start().await.unwrap();
    server.kill().unwrap();
    let begun = crate::support::now();
    let error = builder(&server).connect().await.unwrap_err();
    assert!(crate::support::now() - begun < millis(200));
    let StartError::Unreachable(RedisError::Dial(cause)) = error else { panic!("{error:?}") };
    assert!(cause.redis().is_connection_refusal());
    assert_eq!(cause.address(), format!("127.0.0.1:{}", server.port()));
}

#[tokio::test]
async fn a_lazy_start_serves_once_redis_is_there() {
    let mut server = RedisServer::start().await.unwrap();
    server.kill().unwrap();
    let redis = builder(&server).start(Start::Lazy).connect().await.unwrap();
    let (error, _) = failing(redis.get::<String>("k")).await;
    assert_kind(&error, ErrorKind::Connection);
    server.restart().await.unwrap();
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn a_wrong_password_is_an_auth_error_at_once() {
    let server = with_password("right").await;
    for attempt in [builder(&server), builder(&server).password("wrong")] {
        let redis = attempt.start(Start::Lazy).connect().await.unwrap();
        for _ in 0..5 {
            let (error, took) = failing(redis.get::<String>("k")).await;
            assert_kind(&error, ErrorKind::Auth);
            assert!(took < millis(200), "{took:?}");
        }
        let (error, _) = failing(redis.ping()).await;
        assert!(error.is_rejected(), "a fault of the configuration opens the breaker: {error:?}");
    }
    let redis = builder(&server).password("right").connect().await.unwrap();
    redis.ping().await.unwrap();
}

#[tokio::test]
async fn a_database_that_does_not_exist_fails_the_dial() {
    let server = RedisServer::start().await.unwrap();
    let error = builder(&server).db(9999).connect().await.unwrap_err();
    let StartError::Unreachable(cause) = error else { panic!("{error:?}") };
    assert_eq!(cause.kind(), ErrorKind::Other);
}

#[tokio::test]
async fn rules_that_the_configuration_breaks_are_told() {
    assert!(matches!(
        Redis::builder().url("http://x").connect().await,
        Err(StartError::Address(_))
    ));
    assert!(matches!(Redis::builder().fail_max(0).connect().await, Err(StartError::Breaker(_))));
    let zero = Redis::builder().deadline(millis(0)).connect().await;
    assert!(matches!(zero, Err(StartError::ZeroDeadline)));
}

#[tokio::test]
async fn a_closed_client_refuses_and_holds_no_connection() {
    let (_server, redis) = crate::support::start().await;
    redis.close().await;
    let (error, _) = failing(redis.ping()).await;
    assert!(matches!(error, Error::Redis(RedisError::Closed)), "{error:?}");
    assert_eq!(redis.get_status().pool.connections, 0);
}

#[tokio::test]
async fn a_server_that_can_not_start_says_why() {
    let failed = RedisServer::builder().arg("--no-such-option").arg("1").start().await;
    let Err(ServerError::NotStarted { log, .. }) = failed else { panic!("{failed:?}") };
    assert!(log.contains("no-such-option"), "{log}");
}

/// The other half of the next test: a process of its own, which is killed while its server runs.
const OWNER: &str = "REDIS_TEST_OWNS_A_SERVER";

#[tokio::test]
async fn a_killed_owner_takes_its_server_along() {
    if std::env::var_os(OWNER).is_some() {
        let server = RedisServer::start().await.unwrap();
        let line = format!("port {}\n", server.port());
        stderr().write_all(line.as_bytes()).await.unwrap();
        return std::future::pending().await;
    }
    let mut owner = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "start::a_killed_owner_takes_its_server_along", "--nocapture"])
        .env(OWNER, "yes")
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stderr.take().unwrap()).lines();
    let port: u16 = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(port) = line.strip_prefix("port ") {
            break port.parse().unwrap();
        }
    };
    let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    assert!(listens().await);
    owner.kill().await.unwrap();
    until("nobody listens there any more", async || !listens().await).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_interrupt_from_the_terminal_is_not_for_a_server_that_ends_with_its_parent() {
    let server = RedisServer::start().await.unwrap();
    let pid = server.pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name, which is in parentheses: the state, the parent, and the group.
    let group = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(2));
    assert_eq!(group, Some(&*pid.to_string()), "it leads a group of its own");
}
