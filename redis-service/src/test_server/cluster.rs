//! A Redis Cluster of three masters with a replica each.

use circuit_layer::loopback;
use redis::{Value, cmd, from_redis_value};

use super::{RedisServer, ServerError, ask, ask_until};

/// After so many milliseconds without an answer the others take a node for dead.
const NODE_TIMEOUT: &str = "1000";

/// The slots of each master.
const SHARDS: [(u16, u16); 3] = [(0, 5460), (5461, 10_922), (10_923, 16_383)];

/// Six redis-server processes that form a Redis Cluster: the first three are masters, the other three
/// their replicas, in the same order.
///
/// A master that is gone for about a second is replaced by its replica. One without a replica takes
/// the whole cluster down (`cluster-require-full-coverage`), as by default.
///
/// Stopped and killed when it is dropped, as every [`RedisServer`].
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the nodes and returns when every one of them says that the cluster is whole.
    ///
    /// # Errors
    ///
    /// See [`ServerError`]. It needs Redis 7 or later.
    pub async fn start() -> Result<Self, ServerError> {
        let mut nodes = Vec::new();
        for _ in 0..SHARDS.len() * 2 {
            // Its usual port for the other nodes, 10000 above, is often beyond the last one.
            let bus = loopback::port()?.to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            let timeout = ["--cluster-node-timeout", NODE_TIMEOUT];
            // A master would wait 5 s for further replicas before it sends its data to the first.
            let at_once = ["--repl-diskless-sync-delay", "0"];
            let mut builder = RedisServer::builder();
            for arg in options.into_iter().chain(timeout).chain(at_once) {
                builder = builder.arg(arg);
            }
            nodes.push((builder.start().await?, bus));
        }
        introduce(&nodes).await?;
        let cluster = Self { nodes: nodes.into_iter().map(|(node, _)| node).collect() };
        cluster.pair().await?;
        Ok(cluster)
    }

    /// The URLs of all nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// The nodes: three masters, then their replicas.
    pub fn nodes(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// The place of the master among [`nodes`](Self::nodes) that owned a key's slot at the start.
    ///
    /// # Errors
    ///
    /// No node answers.
    pub async fn first_master_of(&self, key: &str) -> Result<usize, ServerError> {
        let mut failure = ServerError::NotRunning;
        for node in &self.nodes {
            match ask(node.port(), cmd("CLUSTER").arg("KEYSLOT").arg(key)).await {
                Ok(Value::Int(slot)) => {
                    let owns = |(from, to): &(u16, u16)| {
                        (i64::from(*from)..=i64::from(*to)).contains(&slot)
                    };
                    return Ok(SHARDS.iter().position(owns).unwrap_or(0));
                }
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn pair(&self) -> Result<(), ServerError> {
        let (masters, replicas) = self.nodes.split_at(SHARDS.len());
        for (master, replica) in masters.iter().zip(replicas) {
            let id = ask(master.port(), cmd("CLUSTER").arg("MYID")).await?;
            let id: String = from_redis_value(id).unwrap_or_default();
            // It can follow only a master that it has heard of.
            let follow = cmd("CLUSTER").arg("REPLICATE").arg(&id).take();
            ask_until("a replica follows", replica.port(), &follow, |_| true).await?;
        }
        for replica in replicas {
            let info = cmd("INFO").arg("replication").take();
            let linked = |answer: &Value| text(answer).contains("master_link_status:up");
            ask_until("a replica has its data", replica.port(), &info, linked).await?;
        }
        let info = cmd("CLUSTER").arg("INFO").take();
        let slots = cmd("CLUSTER").arg("SLOTS").take();
        for node in &self.nodes {
            let whole = |answer: &Value| text(answer).contains("cluster_state:ok");
            ask_until("the cluster is whole", node.port(), &info, whole).await?;
            let paired = |answer: &Value| shards_with_replica(answer) == SHARDS.len();
            ask_until("every node knows the replicas", node.port(), &slots, paired).await?;
        }
        Ok(())
    }
}

async fn introduce(nodes: &[(RedisServer, String)]) -> Result<(), ServerError> {
    for (place, (node, _)) in nodes.iter().enumerate() {
        // Of two nodes that claim a slot, the higher epoch wins; so no two may have the same.
        let epoch = place.saturating_add(1);
        ask(node.port(), cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(epoch)).await?;
    }
    for ((from, to), (node, _)) in SHARDS.iter().zip(nodes) {
        ask(node.port(), cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(*from).arg(*to)).await?;
    }
    let Some((first, others)) = nodes.split_first() else { return Ok(()) };
    for (node, bus) in others {
        let mut meet = cmd("CLUSTER");
        meet.arg("MEET").arg("127.0.0.1").arg(node.port()).arg(bus);
        ask(first.0.port(), &meet).await?;
    }
    let all = format!("cluster_known_nodes:{}", nodes.len());
    for (node, _) in nodes {
        let knows = |answer: &Value| text(answer).contains(&all);
        ask_until("the nodes know each other", node.port(), cmd("CLUSTER").arg("INFO"), knows)
            .await?;
    }
    Ok(())
}

fn shards_with_replica(slots: &Value) -> usize {
    let Value::Array(shards) = slots else { return 0 };
    // From, to, the master, and one replica.
    shards.iter().filter(|shard| matches!(shard, Value::Array(parts) if parts.len() > 3)).count()
}

fn text(answer: &Value) -> String {
    from_redis_value(answer.clone()).unwrap_or_default()
}
