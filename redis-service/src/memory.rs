//! A Redis in the memory of the process, for users' own tests.
//!
//! A test of code that uses a cache wants no server, and wants to see an outage at will. [`Memory`] is
//! something to [dial](crate::Dial), like a node: so everything above it is the real thing, pipelines
//! and transactions, the breaker, the fallback, the metrics. It passes the same tests of every
//! operation as a real server.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use redis_service::{Memory, Redis};
//!
//! let memory = Memory::new();
//! let redis = Redis::builder().memory(&memory).connect().await?;
//! redis.set("greeting", "hello").await?;
//! assert_eq!(redis.get::<String>("greeting").await?.as_deref(), Some("hello"));
//! memory.go_down();
//! assert!(redis.get::<String>("greeting").await.is_err());
//! memory.come_back();
//! # Ok(())
//! # }
//! ```
//!
//! It knows the commands of the typed operations and their near relatives (`MGET`, `EXISTS`, `TYPE`,
//! `TTL`, `PTTL`, `PERSIST`, `LPOP`, `RPUSH`, `DECR`, `DBSIZE`, `FLUSHALL`, `ROLE` …). To any other it
//! says what a server says to one that it does not know.

mod collections;
mod commands;
mod link;
mod number;
mod store;
mod strings;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use circuit_layer::Clock;
use redis::RedisError;

pub use link::MemoryConn;
use store::Store;

use crate::dial::Dial;
use crate::fallback::listen::{Listen, OnPush, Pushes};

/// A Redis in memory. Clones are the same one.
///
/// Keys end by tokio's clock, so a test that pauses time can let them end.
#[derive(Clone, Default)]
pub struct Memory {
    node: Arc<Mutex<Node>>,
    clock: Clock,
}

#[derive(Default)]
struct Node {
    store: Store,
    down: bool,
    /// Counts its lives: a connection of an earlier one is broken.
    life: u64,
    listeners: Vec<Arc<OnPush>>,
}

impl Memory {
    /// An empty one that is up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all connections and refuses new ones, as a server does that was killed. The data stay.
    pub fn go_down(&self) {
        let mut node = self.node();
        node.down = true;
        node.life = node.life.wrapping_add(1);
        let listeners = std::mem::take(&mut node.listeners);
        drop(node);
        for listener in listeners {
            listener(Pushes::Lost);
        }
    }

    /// Accepts connections again. A client that has just been refused one tries again after its pause
    /// (50 ms at first), and one whose breaker has opened after that wait: in a test, let time pass.
    pub fn come_back(&self) {
        self.node().down = false;
    }

    fn node(&self) -> MutexGuard<'_, Node> {
        // No command panics half-way through a change.
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dial for Memory {
    type Conn = MemoryConn;

    async fn dial(&self) -> Result<MemoryConn, RedisError> {
        let node = self.node();
        if node.down {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        Ok(MemoryConn::new(self.clone(), node.life))
    }

    fn address(&self) -> Arc<str> {
        "memory".into()
    }
}

impl Listen for Memory {
    type Link = MemoryConn;

    async fn listen(&self, on_push: Arc<OnPush>) -> Result<MemoryConn, RedisError> {
        let link = self.dial().await?;
        self.node().listeners.push(on_push);
        Ok(link)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node();
        f.debug_struct("Memory")
            .field("keys", &node.store.len(self.clock.now()))
            .field("down", &node.down)
            .finish_non_exhaustive()
    }
}
