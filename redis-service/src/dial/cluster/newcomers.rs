//! Nodes that redis-rs does not know yet.
//!
//! Its map of a cluster holds the masters that own slots. One that has just joined owns none while its
//! first slot is on its way to it, and redis-rs asks nobody who is not in the map. So what is sent
//! there by an `ASK` goes over a connection of our own, until the map has the node.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ConnectionAddr, ConnectionInfo, Pipeline, RedisError, Value};
use tokio::sync::Mutex;

use super::refusal::Node;
use crate::config::RedisConfig;
use crate::dial::{Dial, SingleNode};

/// How any node of the cluster is reached.
#[derive(Clone)]
pub(super) struct Greeting {
    like: Option<ConnectionInfo>,
    limit: Duration,
}

impl Greeting {
    /// With the credentials and the certificates with which redis-rs greets the nodes that it knows.
    pub(super) fn new(
        nodes: &[ConnectionInfo],
        config: &RedisConfig,
        limit: Duration,
    ) -> Result<Self, RedisError> {
        let Some(first) = nodes.first() else { return Ok(Self { like: None, limit }) };
        let (settings, mut greeted) = (config.settings(), first.redis_settings().clone().set_db(0));
        if let Some(username) = settings.username() {
            greeted = greeted.set_username(username);
        }
        if let Some(password) = settings.password() {
            greeted = greeted.set_password(password);
        }
        let mut like = first.clone().set_redis_settings(greeted);
        if config.encryption().is_some() {
            like = like.set_addr(config.info()?.addr().clone());
        }
        Ok(Self { like: Some(like), limit })
    }

    async fn dial(&self, Node { host, port }: Node) -> Result<MultiplexedConnection, RedisError> {
        let like = self.like.clone().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let addr = if let ConnectionAddr::TcpTls { insecure, tls_params, .. } = like.addr().clone()
        {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let node = SingleNode::new(like.set_addr(addr))?;
        let dialled = tokio::time::timeout(self.limit, node.dial()).await;
        dialled.map_err(|_late| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// The connections to them, each made when it is needed. Clones share them.
#[derive(Clone)]
pub(super) struct Newcomers {
    greeting: Greeting,
    links: Arc<Mutex<HashMap<Node, MultiplexedConnection>>>,
}

impl Newcomers {
    pub(super) fn new(greeting: Greeting) -> Self {
        Self { greeting, links: Arc::default() }
    }

    pub(super) async fn knows(&self, node: &Node) -> bool {
        self.links.lock().await.contains_key(node)
    }

    /// The last of these commands' replies, or its error.
    pub(super) async fn send(&self, node: Node, commands: &[&Cmd]) -> Result<Value, RedisError> {
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for cmd in commands {
            pipeline.add_command(Cmd::clone(cmd));
        }
        let mut link = self.link(&node).await?;
        let replies = link.req_packed_commands(&pipeline, 0, commands.len()).await;
        if replies.is_err() {
            self.links.lock().await.remove(&node);
        }
        replies?.pop().unwrap_or(Value::Nil).extract_error()
    }

    async fn link(&self, node: &Node) -> Result<MultiplexedConnection, RedisError> {
        // Held while it dials, so that a crowd dials once. The deadline of a call ends its turn.
        let mut links = self.links.lock().await;
        if let Some(link) = links.get(node) {
            return Ok(link.clone());
        }
        let link = self.greeting.dial(node.clone()).await?;
        links.insert(node.clone(), link.clone());
        drop(links);
        Ok(link)
    }
}
