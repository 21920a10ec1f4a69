//! Redis Cluster: several masters that share the keys among them.
//!
//! redis-rs's cluster connection knows the slots, keeps a connection to each node and repairs them.
//! Four of its habits do not fit here, and are changed:
//!
//! | its habit | here |
//! | --- | --- |
//! | sends anything again when a connection breaks, an `INCR` too | never; the service repeats what may be repeated |
//! | waits for up to 655 s, 16 times | a *refusal* is repeated for up to 300 ms, inside the call's deadline |
//! | may wait for itself for ever when it looks up the slots among many calls | at most 24 on their way at one time, as long as the masters answer |
//! | never notices a master that hangs | three timeouts of one share of the keys, and the service dials anew |
//!
//! A refusal is an answer of a node that has executed nothing and will not: `MOVED`, `ASK`,
//! `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`. So repeating it can apply nothing twice.

mod link;
mod newcomers;
mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::{ConnectionInfo, RedisError};

pub use self::link::ClusterLink;
use self::newcomers::{Greeting, Newcomers};
use super::{Dial, tcp_settings};
use crate::config::RedisConfig;

/// Dials a Redis Cluster, from any of its nodes. Needs the feature `cluster`.
#[derive(Clone)]
pub struct Cluster {
    client: ClusterClient,
    greeting: Greeting,
    address: Arc<str>,
}

impl Cluster {
    /// Finds the cluster through these nodes, of which one has to answer, and greets each node with
    /// the credentials and the certificates of `config`. `limit` bounds the connecting to one node.
    ///
    /// # Errors
    ///
    /// There is no node, or the connection is of a kind that this build does not support.
    pub fn new(
        nodes: impl IntoIterator<Item = ConnectionInfo>,
        config: &RedisConfig,
        limit: Duration,
    ) -> Result<Self, RedisError> {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let addresses: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        let greeting = Greeting::new(&nodes, config, limit);
        let mut builder = ClusterClient::builder(nodes)
            .retries(0)
            .connection_timeout(limit)
            .overall_response_timeout(None)
            .tcp_settings(tcp_settings());
        #[cfg(not(feature = "tls"))]
        if config.encryption().is_some() {
            return Err(crate::tls::not_built());
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = config.encryption() {
            builder = builder.tls(tls.mode()).certs(tls.certificates()?);
        }
        let settings = config.settings();
        if let Some(username) = settings.username() {
            builder = builder.username(username);
        }
        if let Some(password) = settings.password() {
            builder = builder.password(password);
        }
        let (client, address) = (builder.build()?, addresses.join(", ").into());
        Ok(Self { client, greeting: greeting?, address })
    }
}

impl Dial for Cluster {
    type Conn = ClusterLink;

    async fn dial(&self) -> Result<ClusterLink, RedisError> {
        let cluster = self.client.get_async_connection().await?;
        Ok(ClusterLink::new(cluster, Newcomers::new(self.greeting.clone())))
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    fn is_cluster(&self) -> bool {
        true
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("address", &self.address).finish_non_exhaustive()
    }
}
