//! The current master of a group that Redis Sentinel watches.
//!
//! Sentinels know which node is the master; after a failover it is another one. So each dial asks
//! them anew, and the rest is a single node: when the old master dies its connection breaks, when it
//! hangs three timeouts give it up, when it comes back as a replica `READONLY` does.
//!
//! redis-rs takes the sentinels' answers in the order they were configured, so the first one that
//! hangs (on the machine that has just died with the master, say) holds up every dial. Here each
//! sentinel has a client of its own and the first one that leads to a master wins.

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{ConnectionInfo, ErrorKind, RedisError};
use tokio::sync::Mutex;

use super::{Dial, connection_config, tcp_settings};
use crate::config::RedisConfig;

/// Dials the master that the sentinels name. Needs the feature `sentinel`.
pub struct Sentinel {
    sentinels: Vec<Mutex<SentinelClient>>,
    address: Arc<str>,
}

impl Sentinel {
    /// Asks these sentinels for the master of this name, and greets it as `config`
    /// says: database, credentials and certificates.
    ///
    /// # Errors
    ///
    /// There is no sentinel, or its connection is of a kind that this build does not support.
    pub fn new(
        master: &str,
        sentinels: impl IntoIterator<Item = ConnectionInfo>,
        config: &RedisConfig,
    ) -> Result<Self, RedisError> {
        let mut addresses = Vec::new();
        let mut clients = Vec::new();
        for sentinel in sentinels {
            addresses.push(sentinel.addr().to_string());
            clients.push(Mutex::new(client(master, &sentinel, config)?));
        }
        if clients.is_empty() {
            return Err((ErrorKind::EmptySentinelList, "there must be a sentinel to ask").into());
        }
        let address = format!("{master} of {}", addresses.join(", ")).into();
        Ok(Self { sentinels: clients, address })
    }
}

/// A client that asks one sentinel.
fn client(
    master: &str,
    sentinel: &ConnectionInfo,
    config: &RedisConfig,
) -> Result<SentinelClient, RedisError> {
    #[cfg(not(feature = "tls"))]
    if config.encryption().is_some() {
        return Err(crate::tls::not_built());
    }
    let addr = [sentinel.addr().clone()];
    let (asked, node) = (sentinel.redis_settings(), config.settings());
    let mut client = SentinelClientBuilder::new(addr, master, SentinelServerType::Master)?
        .set_client_to_sentinel_protocol(asked.protocol())
        .set_client_to_sentinel_tcp_settings(tcp_settings())
        .set_client_to_redis_db(node.db())
        .set_client_to_redis_protocol(node.protocol())
        .set_client_to_redis_tcp_settings(tcp_settings());
    if let Some(username) = asked.username() {
        client = client.set_client_to_sentinel_username(username);
    }
    if let Some(password) = asked.password() {
        client = client.set_client_to_sentinel_password(password);
    }
    if let Some(username) = node.username() {
        client = client.set_client_to_redis_username(username);
    }
    if let Some(password) = node.password() {
        client = client.set_client_to_redis_password(password);
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = config.encryption() {
        client = client
            .set_client_to_redis_tls_mode(tls.mode())
            .set_client_to_redis_certificates(tls.certificates()?);
    }
    client.build()
}

impl Dial for Sentinel {
    type Conn = MultiplexedConnection;

    async fn dial(&self) -> Result<Self::Conn, RedisError> {
        let config = connection_config();
        let ask = async |sentinel: &Mutex<SentinelClient>| {
            sentinel.lock().await.get_async_connection_with_config(&config).await
        };
        let mut asked: FuturesUnordered<_> = self.sentinels.iter().map(ask).collect();
        let mut failure = None;
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(master) => return Ok(master),
                // What a sentinel says tells more than that another one is not there.
                Err(error) if failure.is_none() || !error.is_io_error() => failure = Some(error),
                Err(_) => {}
            }
        }
        // There is at least one sentinel, and each has failed.
        Err(failure.unwrap_or_else(|| (ErrorKind::EmptySentinelList, "no sentinel").into()))
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }
}

impl fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinel").field("address", &self.address).finish_non_exhaustive()
    }
}
