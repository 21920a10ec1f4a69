//! Where a builder was told to find Redis.

use std::fmt;

use bb8::Pool;
use bb8_redis::RedisConnectionManager;
use circuit_layer::Clock;
#[cfg(feature = "cluster")]
use redis::ConnectionAddr;
#[cfg(any(feature = "cluster", feature = "sentinel"))]
use redis::ConnectionInfo;
use redis::RedisError;

use crate::config::{ConfigReport, RedisConfig};
#[cfg(feature = "cluster")]
use crate::dial::cluster::Cluster;
use crate::dial::pooled::Pooled;
#[cfg(feature = "sentinel")]
use crate::dial::sentinel::Sentinel;
use crate::dial::{Dial, SingleNode};
use crate::engine::Engine;
use crate::fallback::listen::{Listener, NodeListener};
use crate::service::{RedisService, ServiceConfig};
use crate::spans::Spans;

/// Where Redis is. What a [`RedisConfig`] says of credentials and TLS holds for all but a pool.
pub(crate) enum Target {
    /// At the address of the configuration.
    Node,
    /// Behind the user's own pool.
    Pool(Pool<RedisConnectionManager>),
    /// In the memory of this process.
    #[cfg(feature = "test-util")]
    Memory(crate::Memory),
    /// Where these sentinels say.
    #[cfg(feature = "sentinel")]
    Sentinel { master: String, sentinels: Vec<String> },
    /// In a cluster that these nodes belong to.
    #[cfg(feature = "cluster")]
    Cluster { nodes: Vec<String> },
}

impl Target {
    /// The service, and what reports say about where it leads.
    pub(crate) fn engine(
        self,
        config: &RedisConfig,
        service: ServiceConfig,
        clock: Clock,
    ) -> Result<(Engine, ConfigReport), RedisError> {
        match self {
            Self::Node => {
                let dial = SingleNode::new(config.info()?)?;
                Ok((engine(dial, service, clock), config.report()))
            }
            #[cfg(feature = "test-util")]
            Self::Memory(memory) => Ok((engine(memory, service, clock), ConfigReport::memory())),
            Self::Pool(pool) => {
                let dial = Pooled::new(pool);
                let service = ServiceConfig { connections: dial.size(), ..service };
                let report = RedisConfig::default().report_at(&dial.address());
                Ok((engine(dial, service, clock), report))
            }
            #[cfg(feature = "sentinel")]
            Self::Sentinel { master, sentinels } => {
                let dial = Sentinel::new(&master, infos(&sentinels, config, false)?, config)?;
                let report = config.report_at(&dial.address());
                Ok((engine(dial, service, clock), report))
            }
            #[cfg(feature = "cluster")]
            Self::Cluster { nodes } => {
                // A node that hangs must not use up the time of a dial to the others.
                let each = service.dial_timeout / 2;
                let nodes = infos(&nodes, config, true)?;
                let tls =
                    nodes.iter().any(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. }));
                let dial = Cluster::new(nodes, config, each)?;
                let report = ConfigReport { tls, ..config.report_at(&dial.address()) };
                Ok((engine(dial, service, clock), report))
            }
        }
    }
}

impl Target {
    /// What spans say of where the calls go.
    pub(crate) fn spans(&self, config: &RedisConfig) -> Spans {
        match self {
            Self::Node => config.spans(),
            #[cfg(feature = "test-util")]
            Self::Memory(_) => Spans::default(),
            Self::Pool(_) => Spans::default(),
            #[cfg(feature = "sentinel")]
            Self::Sentinel { .. } => {
                Spans { namespace: config.spans().namespace, ..Spans::default() }
            }
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } => Spans { namespace: Some("0".to_owned()), ..Spans::default() },
        }
    }

    /// Who tells a fallback which keys change, where anybody can.
    pub(crate) fn listener(&self, config: &RedisConfig) -> Result<Option<Listener>, RedisError> {
        match self {
            Self::Node => Ok(Some(Listener::Node(NodeListener::new(&config.info()?)?))),
            #[cfg(feature = "test-util")]
            Self::Memory(memory) => Ok(Some(Listener::Memory(memory.clone()))),
            Self::Pool(_) => Ok(None),
            #[cfg(feature = "sentinel")]
            Self::Sentinel { .. } => Ok(None),
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } => Ok(None),
        }
    }
}

fn engine(dial: impl Dial, service: ServiceConfig, clock: Clock) -> Engine {
    RedisService::new(dial, service, clock).into()
}

#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn infos(
    urls: &[String],
    config: &RedisConfig,
    encrypted: bool,
) -> Result<Vec<ConnectionInfo>, RedisError> {
    let info = |url: &String| {
        let node = RedisConfig::from_url(url)?;
        let node = if encrypted && config.encryption().is_some() { node.tls(true) } else { node };
        node.certified_by(config).info()
    };
    urls.iter().map(info).collect()
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("Node"),
            Self::Pool(_) => f.write_str("Pool"),
            #[cfg(feature = "test-util")]
            Self::Memory(_) => f.write_str("Memory"),
            #[cfg(feature = "sentinel")]
            Self::Sentinel { master, .. } => write!(f, "Sentinel({master})"),
            // Its URLs may hold passwords.
            #[cfg(feature = "cluster")]
            Self::Cluster { nodes } => write!(f, "Cluster({} nodes)", nodes.len()),
        }
    }
}
