//! Encrypted connections to a real server, and those that must not come about.

use circuit_layer::loopback;
use redis_service::test_server::{RedisServer, ServerError};
use redis_service::{ErrorKind, FallbackConfig, Redis, RedisBuilder, StartError};

use crate::certificates::Authority;
use crate::support::{failing, millis, now, until, until_it_serves};

/// A server with a port for TLS beside its plain one.
struct Server {
    server: RedisServer,
    port: u16,
}

impl Server {
    async fn start(authority: &Authority, args: &[&str]) -> Self {
        for _ in 0..5 {
            let port = loopback::port().unwrap();
            // A configuration file comes first.
            let mut server = RedisServer::builder();
            for arg in args {
                server = server.arg(*arg);
            }
            server = server.arg("--tls-port").arg(port.to_string());
            let files = [("cert", "leaf.pem"), ("key", "leaf.key"), ("ca-cert", "ca.pem")];
            for (what, file) in files {
                let path = authority.path(file).display().to_string();
                server = server.arg(format!("--tls-{what}-file")).arg(path);
            }
            match server.start().await {
                Ok(server) => return Self { server, port },
                // Somebody else took the port.
                Err(ServerError::NotStarted { log, .. }) if log.contains("already in use") => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("no port was free");
    }

    fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}/", self.port)
    }

    fn builder(&self) -> RedisBuilder {
        Redis::builder().url(&self.url()).reset_timeout(millis(300))
    }
}

/// Time for several handshakes: for each, redis-rs reads the system's authorities anew, which takes a
/// build without optimisation a tenth of a second.
fn patient() -> RedisBuilder {
    let builder = Redis::builder().dial_timeout(millis(10_000)).deadline(millis(10_000));
    builder.reset_timeout(millis(300))
}

const ANYBODY: [&str; 2] = ["--tls-auth-clients", "no"];

/// The error of a strict start, which comes within the limit of a dial.
async fn refused(builder: RedisBuilder) -> ErrorKind {
    let begun = now();
    let error = builder.connect().await.unwrap_err();
    assert!(now() - begun < millis(700), "{:?}: {error:?}", now() - begun);
    let StartError::Unreachable(error) = error else { panic!("{error:?}") };
    error.kind()
}

#[tokio::test]
async fn a_server_that_our_authority_vouches_for_is_served_by_and_comes_back() {
    let authority = Authority::new();
    let mut server = Server::start(&authority, &ANYBODY).await;
    let redis = server.builder().tls_ca(authority.pem("ca.pem")).connect().await.unwrap();
    redis.set("k", vec![b'x'; 1 << 20]).await.unwrap();
    assert_eq!(redis.get::<Vec<u8>>("k").await.unwrap().unwrap().len(), 1 << 20);
    assert!(redis.get_status().config.tls);
    server.server.kill().unwrap();
    let (error, _) = failing(redis.set("k", "v")).await;
    assert_eq!(error.kind(), Some(ErrorKind::Connection));
    server.server.restart().await.unwrap();
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn host_and_port_with_tls_name_the_same_as_the_url() {
    let authority = Authority::new();
    let server = Server::start(&authority, &ANYBODY).await;
    let redis = Redis::builder().tls_ca(authority.pem("ca.pem")).host("localhost");
    let redis = redis.port(server.port).connect().await.unwrap();
    redis.ping().await.unwrap();
    assert!(redis.get_status().config.tls);
}

#[tokio::test]
async fn a_crowd_is_answered_each_its_own() {
    let authority = Authority::new();
    let server = Server::start(&authority, &ANYBODY).await;
    let redis = server.builder().tls_ca(authority.pem("ca.pem")).connect().await.unwrap();
    let calls = (0..200_u64).map(|n| {
        let redis = redis.clone();
        tokio::spawn(async move {
            redis.set(format!("k{n}"), n).await.unwrap();
            redis.get::<u64>(format!("k{n}")).await.unwrap() == Some(n)
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_server_of_a_strange_authority_is_a_connection_error() {
    let server = Server::start(&Authority::new(), &ANYBODY).await;
    let strange = Authority::new().pem("ca.pem");
    assert_eq!(refused(server.builder().tls_ca(strange)).await, ErrorKind::Connection);
    // The system's authorities do not know it either.
    let begun = now();
    assert!(server.builder().connect().await.is_err());
    assert!(now() - begun < millis(700));
}

#[tokio::test]
async fn a_client_in_the_clear_gets_an_error_from_a_port_for_tls() {
    let server = Server::start(&Authority::new(), &ANYBODY).await;
    let plain = Redis::builder().host("127.0.0.1").port(server.port);
    assert_eq!(refused(plain).await, ErrorKind::Connection);
}

#[tokio::test]
async fn a_client_with_tls_gets_an_error_from_a_port_in_the_clear() {
    let server = RedisServer::start().await.unwrap();
    let url = server.url().replace("redis://", "rediss://");
    let ca = Authority::new().pem("ca.pem");
    let kind = refused(Redis::builder().url(&url).tls_ca(ca)).await;
    assert!(matches!(kind, ErrorKind::Connection | ErrorKind::Timeout), "{kind:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_ours() {
    let authority = Authority::new();
    let server = Server::start(&authority, &[]).await;
    let nameless = server.builder().tls_ca(authority.pem("ca.pem"));
    assert_eq!(refused(nameless).await, ErrorKind::Connection);
    let named = server.builder().tls_ca(authority.pem("ca.pem"));
    let named = named.tls_identity(authority.pem("leaf.pem"), authority.pem("leaf.key"));
    named.connect().await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn what_is_no_certificate_is_told_before_anything_is_dialled() {
    let pem = Authority::new().pem("leaf.pem");
    let builder = || Redis::builder().host("127.0.0.1").port(1);
    for wrong in [
        builder().tls_ca("nonsense"),
        builder().tls_identity("nonsense", "nonsense"),
        builder().tls_identity(pem, "nonsense"),
        Redis::builder().url("unix:///tmp/redis.sock").tls(true),
    ] {
        let error = wrong.connect().await.unwrap_err();
        assert!(matches!(error, StartError::Address(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_others_write_is_told_to_the_fallback_over_tls() {
    let authority = Authority::new();
    let server = Server::start(&authority, &ANYBODY).await;
    let builder = server.builder().tls_ca(authority.pem("ca.pem"));
    let redis = builder.fallback(FallbackConfig::new()).connect().await.unwrap();
    until("it is told what changes", async || {
        redis.get_status().fallback.is_some_and(|fallback| fallback.tracked)
    })
    .await;
}

#[tokio::test]
async fn the_nodes_of_a_cluster_are_reached_by_tls() {
    let authority = Authority::new();
    let cluster = ["--cluster-enabled", "yes", "--tls-cluster", "yes"];
    let server = Server::start(&authority, &[&cluster[..], &ANYBODY].concat()).await;
    let plain = Redis::builder().url(&server.server.url()).connect().await.unwrap();
    let slots = redis_service::redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).take();
    plain.raw::<()>(slots).await.unwrap();
    // The URL of the node or the builder says that it is encrypted.
    for url in [server.url(), format!("redis://127.0.0.1:{}/", server.port)] {
        let redis = patient().tls_ca(authority.pem("ca.pem")).cluster([url]);
        let redis = redis.connect().await.unwrap();
        until("the cluster serves", async || redis.set("k", "v").await.is_ok()).await;
        assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    }
    let strange = patient().tls_ca(Authority::new().pem("ca.pem")).cluster([server.url()]);
    let StartError::Unreachable(error) = strange.connect().await.unwrap_err() else {
        panic!("started")
    };
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn the_master_behind_sentinels_is_reached_by_tls() {
    let authority = Authority::new();
    let master = Server::start(&authority, &ANYBODY).await;
    let config =
        format!("tls-replication yes\nsentinel monitor main 127.0.0.1 {} 1\n", master.port);
    let file = authority.path("sentinel.conf").display().to_string();
    std::fs::write(&file, config).unwrap();
    let sentinel =
        Server::start(&authority, &[&[&*file, "--sentinel"], &ANYBODY[..]].concat()).await;
    for url in [sentinel.server.url(), sentinel.url()] {
        let redis = patient().tls_ca(authority.pem("ca.pem")).sentinel("main", [url]);
        let redis = redis.connect().await.unwrap();
        redis.set("k", "v").await.unwrap();
        assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
        assert!(redis.get_status().config.tls);
    }
    // In the clear, the master does not answer.
    let plain = Redis::builder().sentinel("main", [sentinel.server.url()]);
    assert!(plain.connect().await.is_err());
}
