//! How connections are made: the one thing in which a single node, Sentinel and a cluster differ.

#[cfg(feature = "cluster")]
pub(crate) mod cluster;
pub(crate) mod pooled;
#[cfg(feature = "sentinel")]
pub(crate) mod sentinel;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisError};

/// Makes connections that can be shared.
///
/// [`RedisService`](crate::RedisService) is generic over it. Everything around it is the service's:
/// one dial at a time, the time limit, the pause after a failure, and the first `PING` that shows
/// whether Redis will serve.
pub trait Dial: Send + Sync + 'static {
    /// A connection whose clones share one stream of commands.
    type Conn: ConnectionLike + Clone + Send + Sync + 'static;

    /// Makes one connection.
    ///
    /// # Errors
    ///
    /// The true cause. It is told to every caller who waits.
    ///
    /// # Cancellation
    ///
    /// The service drops the future when its time limit ends; it must leave nothing behind.
    fn dial(&self) -> impl Future<Output = Result<Self::Conn, RedisError>> + Send;

    /// Where it dials to, for errors and reports; never with credentials.
    fn address(&self) -> Arc<str>;

    /// Whether one connection reaches several masters that share the keys among them. By default no.
    ///
    /// Then commands are not combined, because keys of several nodes fit into no pipeline; keys are
    /// not watched; and a connection that loses one of its nodes is not given up, because it finds
    /// another by itself.
    fn is_cluster(&self) -> bool {
        false
    }

    /// Hears that the service gives this connection up and will drop its last clone: it broke, stalled,
    /// leads to a replica, or what was sent over it has not been answered. By default nothing, because
    /// a connection ends with its last clone; one that is borrowed goes back to somebody.
    fn give_up(&self, conn: &Self::Conn) {
        let _ = conn;
    }
}

/// Dials one Redis node.
#[derive(Clone, Debug)]
pub struct SingleNode {
    client: Client,
    address: Arc<str>,
}

/// After this long without traffic the kernel asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Unacknowledged bytes end the connection after this long; the kernel's own limit is 15 minutes.
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Commands that may wait for the writer of one connection. redis-rs has 50, which is too few for
/// a server with hundreds of callers (redis-rs issue 1933).
const BUFFER: usize = 1024;

impl SingleNode {
    /// Dials what `info` names.
    ///
    /// Small commands are sent at once (`TCP_NODELAY`): waiting for more costs 39–68 % on a real
    /// network (redis-rs issue 2195).
    ///
    /// # Errors
    ///
    /// The connection information is of a kind that this build does not support.
    pub fn new(info: ConnectionInfo) -> Result<Self, RedisError> {
        let address = info.addr().to_string().into();
        let client = Client::open(info.set_tcp_settings(tcp_settings()))?;
        Ok(Self { client, address })
    }
}

/// Settings of every socket.
fn tcp_settings() -> TcpSettings {
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(USER_TIMEOUT);
    tcp
}

/// The service holds the deadline of each call and the time limit of a dial; a second timer for
/// either costs a tenth of a GET.
fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(BUFFER)
}

impl Dial for SingleNode {
    type Conn = MultiplexedConnection;

    async fn dial(&self) -> Result<Self::Conn, RedisError> {
        self.client.get_multiplexed_async_connection_with_config(&connection_config()).await
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }
}
