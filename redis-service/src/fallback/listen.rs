//! Connections that tell what changes.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use redis::aio::{ConnectionLike, MultiplexedConnection, SendError};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisError, Value,
};

use super::layer::Core;
use super::plan::text;

/// What Redis tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pushes<'a> {
    /// These keys have changed.
    Changed(&'a [Bytes]),
    /// All keys have.
    All,
    /// Nothing more will be told.
    Lost,
}

/// Called on the connection's own task, before any later reply is handed out.
pub(crate) type OnPush = dyn Fn(Pushes<'_>) + Send + Sync;

/// Makes a connection that tells what changes.
pub(crate) trait Listen: Send + Sync + 'static {
    type Link: ConnectionLike + Send;

    fn listen(
        &self,
        on_push: Arc<OnPush>,
    ) -> impl Future<Output = Result<Self::Link, RedisError>> + Send;
}

/// Whoever tells a client what changes.
pub(crate) enum Listener {
    Node(NodeListener),
    #[cfg(feature = "test-util")]
    Memory(crate::Memory),
}

impl Listener {
    pub(crate) async fn track(self, core: &Arc<Core>, at_once: bool) {
        match self {
            Self::Node(node) => core.track(node, at_once).await,
            #[cfg(feature = "test-util")]
            Self::Memory(memory) => core.track(memory, at_once).await,
        }
    }
}

/// Listens to one Redis node.
#[derive(Debug)]
pub(crate) struct NodeListener(Box<Client>);

impl NodeListener {
    pub(crate) fn new(info: &ConnectionInfo) -> Result<Self, RedisError> {
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.addr().clone().into_connection_info()?.set_redis_settings(settings);
        Ok(Self(Box::new(Client::open(info)?)))
    }
}

impl Listen for NodeListener {
    type Link = MultiplexedConnection;

    async fn listen(&self, on_push: Arc<OnPush>) -> Result<Self::Link, RedisError> {
        let push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                on_push(Pushes::Lost);
            } else if push.kind == PushKind::Invalidate {
                tell(&*on_push, &push.data);
            }
            Ok::<(), SendError>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(push);
        self.0.get_multiplexed_async_connection_with_config(&config).await
    }
}

fn tell(on_push: &OnPush, data: &[Value]) {
    let Some(Value::Array(keys)) = data.first() else {
        return on_push(Pushes::All);
    };
    let keys = keys.iter().filter_map(|key| text(key).map(Bytes::copy_from_slice));
    on_push(Pushes::Changed(&keys.collect::<Vec<_>>()));
}
