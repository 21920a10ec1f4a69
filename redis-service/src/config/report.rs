//! A configuration as reports and spans show it.

use redis::ConnectionAddr;
use serde::Serialize;

use super::RedisConfig;
use crate::spans::Spans;

/// A configuration for reports: whether there is a password, never which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigReport {
    /// Host and port, or the path of the socket.
    pub address: String,
    /// The database's number.
    pub db: i64,
    /// The user, if one is set.
    pub username: Option<String>,
    /// Whether a password is set.
    pub password: bool,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl ConfigReport {
    #[cfg(feature = "test-util")]
    pub(crate) fn memory() -> Self {
        let address = "memory".to_owned();
        Self { address, db: 0, username: None, password: false, tls: false }
    }
}

impl RedisConfig {
    /// What spans say of this node.
    pub(crate) fn spans(&self) -> Spans {
        let (address, port) = match &self.addr {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                (Some(host.clone()), Some(*port))
            }
            ConnectionAddr::Unix(path) => (Some(path.display().to_string()), None),
            _ => (None, None),
        };
        Spans { address, port, namespace: Some(self.redis.db().to_string()) }
    }
}
