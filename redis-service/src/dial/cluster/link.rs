//! One link to a cluster: commands in turns, and sent again where they were refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::RoutingInfo;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::newcomers::Newcomers;
use super::refusal::{Node, Refusal, is_split, is_unknown, refusal, unresolved};

/// Pauses before a refused command is sent again. At first the right node has only to be asked.
const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(150),
];

/// Commands on their way over one link. Each begins under a read lock of redis-rs's map of nodes, which
/// tokio grants before it looks at what the task may still do in this turn: that is 128 steps, and each
/// command takes up to 5 of them. Whoever has the lock and no step left is not polled again until the
/// slots are looked up, which wants to write that map. So after a `MOVED` among 60 callers nobody got
/// an answer any more in 2 of 8 runs (redis-rs 1.8.1, tokio 1.54).
const TURNS: usize = 24;

/// How long a command waits for its turn; then it goes without one. A master that hangs keeps every turn
/// that it was given, and the others must not wait for it. Where all answer, a turn comes in a few
/// milliseconds.
const PATIENCE: Duration = Duration::from_millis(100);

/// Connections to the nodes of a cluster.
#[derive(Clone)]
pub struct ClusterLink {
    cluster: ClusterConnection,
    newcomers: Newcomers,
    turns: Arc<Semaphore>,
}

impl ClusterLink {
    pub(super) fn new(cluster: ClusterConnection, newcomers: Newcomers) -> Self {
        Self { cluster, newcomers, turns: Arc::new(Semaphore::new(TURNS)) }
    }

    async fn one(&mut self, cmd: &Cmd) -> Result<Value, RedisError> {
        let mut reply = self.send(cmd).await;
        // Parts of it, for the keys of other nodes, may have been executed.
        if is_split(cmd) {
            return reply;
        }
        let mut is_map_new = false;
        for pause in PAUSES {
            let Err(error) = &reply else { return reply };
            let Some(refusal) = refusal(error) else { return reply };
            wait(pause).await;
            let redirected = !matches!(refusal, Refusal::Wait);
            reply = match refusal {
                Refusal::Ask(node) => self.ask(node, cmd).await,
                // To a node that is down: redis-rs finds it in no map.
                Refusal::Moved(_) if is_map_new => break,
                Refusal::Moved(node) => self.go(node, cmd).await,
                Refusal::Wait => self.send(cmd).await,
            };
            // It was not sent, and redis-rs reads its map anew before it sends anything else.
            if redirected && is_unknown(&reply) {
                is_map_new = true;
                reply = self.send(cmd).await;
            }
        }
        reply.map_err(unresolved)
    }

    async fn many(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, RedisError> {
        let mut replies = self.send_all(pipeline, offset, count).await;
        for pause in PAUSES {
            // Of an ordinary pipeline some commands may have been executed, of a transaction none.
            let Err(error) = &replies else { return replies };
            if refusal(error).is_none() || !pipeline.is_transaction() {
                return replies;
            }
            wait(pause).await;
            replies = self.send_all(pipeline, offset, count).await;
        }
        replies.map_err(unresolved)
    }

    async fn send(&mut self, cmd: &Cmd) -> Result<Value, RedisError> {
        let _turn = turn(&self.turns).await;
        self.cluster.req_packed_command(cmd).await
    }

    async fn send_all(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, RedisError> {
        let _turn = turn(&self.turns).await;
        self.cluster.req_packed_commands(pipeline, offset, count).await
    }

    /// The slot is this node's, whatever the one says that the map of slots was read from: the word of
    /// a move spreads from node to node, and takes seconds on a busy day.
    async fn go(&mut self, node: Node, cmd: &Cmd) -> Result<Value, RedisError> {
        if self.newcomers.knows(&node).await {
            return self.newcomers.send(node, &[cmd]).await;
        }
        let _turn = turn(&self.turns).await;
        self.cluster.route_command(cmd.clone(), RoutingInfo::SingleNode(node.into())).await
    }

    /// The slot is on its way to this node, which takes a command of it only right behind `ASKING`.
    async fn ask(&mut self, node: Node, cmd: &Cmd) -> Result<Value, RedisError> {
        let asking = redis::cmd("ASKING");
        if !self.newcomers.knows(&node).await {
            let mut both = Pipeline::with_capacity(2);
            both.add_command(asking.clone()).add_command(cmd.clone());
            let _turn = turn(&self.turns).await;
            let replies = self.cluster.route_pipeline(both, 0, 2, node.clone().into()).await;
            let reply = replies.map(|mut replies| replies.pop().unwrap_or(Value::Nil));
            if !is_unknown(&reply) {
                return reply;
            }
        }
        self.newcomers.send(node, &[&asking, cmd]).await
    }
}

async fn turn(turns: &Semaphore) -> Option<SemaphorePermit<'_>> {
    if let Ok(turn) = turns.try_acquire() {
        return Some(turn);
    }
    tokio::time::timeout(PATIENCE, turns.acquire()).await.ok()?.ok()
}

async fn wait(pause: Duration) {
    // Bounded by the deadline of the call, which drops this. A timer of tokio's that is over at once
    // is no sleep: nothing waits for luck here, but for a node.
    if !pause.is_zero() {
        let never = std::future::pending::<()>();
        drop(tokio::time::timeout(pause, never).await);
    }
}

impl ConnectionLike for ClusterLink {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.one(cmd))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.many(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        0
    }
}

impl fmt::Debug for ClusterLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterLink").finish_non_exhaustive()
    }
}
