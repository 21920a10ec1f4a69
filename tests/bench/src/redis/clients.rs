//! The clients, each as its documentation says to use it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bb8_redis::RedisConnectionManager;
use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{AsyncCommands, IntoConnectionInfo};
use redis_service::Redis;

use crate::load::{Round, round};

pub const KEY: &str = "bench";

type Pinned = Pin<Box<dyn Future<Output = Round>>>;

pub struct Case {
    pub name: &'static str,
    pub run: Box<dyn Fn(usize, Duration) -> Pinned>,
}

fn case<C, F>(name: &'static str, client: C, get: fn(C) -> F) -> Case
where
    C: Clone + Send + Sync + 'static,
    F: Future<Output = C> + Send + 'static,
{
    let run = move |callers, time| -> Pinned {
        let client = client.clone();
        Box::pin(async move { round(&client, get, callers, time).await })
    };
    Case { name, run: Box::new(run) }
}

/// The first is what all are compared to.
pub async fn all(url: &str) -> Vec<Case> {
    let client = redis::Client::open(url).unwrap();
    let mut bare = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = bare.set(KEY, vec![b'x'; 100]).await.unwrap();
    let manager = ConnectionManager::new(client).await.unwrap();
    let info = url.into_connection_info().unwrap();
    let nodelay = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let nodelay = redis::Client::open(nodelay).unwrap();
    let nodelay = nodelay.get_multiplexed_async_connection().await.unwrap();
    let ours = Redis::builder().url(url).connect().await.unwrap();
    let bb8 = RedisConnectionManager::new(url).unwrap();
    let bb8 = bb8::Pool::builder().max_size(50).build(bb8).await.unwrap();
    let from_pool = Redis::from_pool(bb8.clone()).connect().await.unwrap();
    let deadpool = deadpool_redis::Config::from_url(url);
    let deadpool = deadpool.builder().unwrap().max_size(50);
    let deadpool = deadpool.runtime(deadpool_redis::Runtime::Tokio1).build().unwrap();
    let fred = fred(url).await;
    vec![
        case("bare MultiplexedConnection", bare, bare_get),
        case("the same with TCP_NODELAY", nodelay, bare_get),
        case("ours, the whole stack", ours, ours_get),
        case("ours, from a pool of bb8-redis", from_pool, ours_get),
        case("redis-rs ConnectionManager", manager, manager_get),
        case("bb8-redis, 50, as shipped", bb8, bb8_get),
        case("deadpool-redis, 50", deadpool, deadpool_get),
        case("fred", fred, fred_get),
    ]
}

async fn fred(url: &str) -> fred::clients::Client {
    use fred::interfaces::ClientLike;
    let config = fred::types::config::Config::from_url(url).unwrap();
    let client = fred::types::Builder::from_config(config).build().unwrap();
    client.init().await.unwrap();
    client
}

fn check(value: &[u8]) {
    assert_eq!(value.len(), 100);
}

async fn bare_get(mut client: MultiplexedConnection) -> MultiplexedConnection {
    let value: Vec<u8> = client.get(KEY).await.unwrap();
    check(&value);
    client
}

async fn ours_get(client: Redis) -> Redis {
    let value: Option<Vec<u8>> = client.get(KEY).await.unwrap();
    check(&value.unwrap());
    client
}

async fn manager_get(mut client: ConnectionManager) -> ConnectionManager {
    let value: Vec<u8> = client.get(KEY).await.unwrap();
    check(&value);
    client
}

type Bb8 = bb8::Pool<RedisConnectionManager>;

async fn bb8_get(pool: Bb8) -> Bb8 {
    let value: Vec<u8> = pool.get().await.unwrap().get(KEY).await.unwrap();
    check(&value);
    pool
}

async fn deadpool_get(pool: deadpool_redis::Pool) -> deadpool_redis::Pool {
    let value: Vec<u8> = pool.get().await.unwrap().get(KEY).await.unwrap();
    check(&value);
    pool
}

async fn fred_get(client: fred::clients::Client) -> fred::clients::Client {
    use fred::interfaces::KeysInterface;
    let value: Vec<u8> = client.get(KEY).await.unwrap();
    check(&value);
    client
}
