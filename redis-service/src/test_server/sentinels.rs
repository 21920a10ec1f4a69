//! A master, its replica, and three sentinels that watch them.

use redis::{Value, cmd, from_redis_value};

use super::{RedisServer, ServerError, ask_until};

/// A master with one replica under the watch of three Redis Sentinels. When two of them have had no
/// answer from the master for half a second, the replica takes over.
///
/// Stopped and killed when it is dropped, as every [`RedisServer`].
#[derive(Debug)]
pub struct RedisSentinels {
    /// The node that was master at the start.
    pub master: RedisServer,
    /// The node that was its replica.
    pub replica: RedisServer,
    /// The sentinels.
    pub sentinels: Vec<RedisServer>,
}

impl RedisSentinels {
    /// Starts all five and returns when each sentinel knows the replica and the other sentinels.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn start() -> Result<Self, ServerError> {
        // A master would wait 5 s for further replicas before it sends its data to the first.
        let at_once = RedisServer::builder().arg("--repl-diskless-sync-delay").arg("0");
        let master = at_once.clone().start().await?;
        let port = master.port();
        let replica = at_once.arg("--replicaof").arg("127.0.0.1");
        let replica = replica.arg(port.to_string()).start().await?;
        let info = cmd("INFO").arg("replication").take();
        ask_until("the replica has its data", replica.port(), &info, |answer| {
            let info: String = from_redis_value(answer.clone()).unwrap_or_default();
            info.contains("master_link_status:up")
        })
        .await?;
        let name = Self::NAME;
        let config = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 2\n\
             sentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 1000\n\
             sentinel parallel-syncs {name} 1\n"
        );
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(RedisServer::builder().sentinel(config.clone()).start().await?);
        }
        let about = cmd("SENTINEL").arg("MASTER").arg(name).take();
        for sentinel in &sentinels {
            let knows = |answer: &Value| {
                number(answer, "num-slaves") == 1 && number(answer, "num-other-sentinels") == 2
            };
            ask_until("a sentinel knows the others", sentinel.port(), &about, knows).await?;
        }
        Ok(Self { master, replica, sentinels })
    }

    /// The name by which the sentinels know the master.
    pub const NAME: &'static str = "main";

    /// The URLs of the sentinels.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(RedisServer::url).collect()
    }
}

/// A number out of a list of names and values.
fn number(answer: &Value, name: &str) -> u32 {
    let words: Vec<String> = from_redis_value(answer.clone()).unwrap_or_default();
    let place = words.iter().position(|word| word == name);
    let value = place.and_then(|place| words.get(place.saturating_add(1)));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}
