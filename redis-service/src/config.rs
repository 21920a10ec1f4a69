//! Where Redis is, and who we are there.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use serde::Serialize;

/// The address and the credentials of one Redis node.
///
/// The default is `localhost:6379`, database 0, without credentials. `Debug` shows no password.
#[derive(Clone)]
pub struct RedisConfig {
    addr: ConnectionAddr,
    redis: RedisConnectionInfo,
}

impl Default for RedisConfig {
    fn default() -> Self {
        let addr = ConnectionAddr::Tcp("localhost".to_owned(), 6379);
        Self { addr, redis: RedisConnectionInfo::default() }
    }
}

impl RedisConfig {
    /// What a URL names: `redis://[user][:password@]host[:port][/db]`, `rediss://` for TLS,
    /// `unix:///path`.
    ///
    /// # Errors
    ///
    /// It is no such URL, or asks for TLS in a build without the feature `tls`.
    pub fn from_url(url: &str) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?;
        Ok(Self { addr: info.addr().clone(), redis: info.redis_settings().clone() })
    }

    /// The host name or address.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        let (_, port) = self.place();
        self.addr = ConnectionAddr::Tcp(host.into(), port);
        self
    }

    /// The TCP port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        let (host, _) = self.place();
        self.addr = ConnectionAddr::Tcp(host, port);
        self
    }

    /// The database's number.
    #[must_use]
    pub fn db(mut self, db: i64) -> Self {
        self.redis = self.redis.set_db(db);
        self
    }

    /// The user, where Redis has users.
    #[must_use]
    pub fn username(mut self, username: impl AsRef<str>) -> Self {
        self.redis = self.redis.set_username(username);
        self
    }

    /// The password.
    #[must_use]
    pub fn password(mut self, password: impl AsRef<str>) -> Self {
        self.redis = self.redis.set_password(password);
        self
    }

    fn place(&self) -> (String, u16) {
        if let ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } =
            &self.addr
        {
            return (host.clone(), *port);
        }
        ("localhost".to_owned(), 6379)
    }

    pub(crate) fn info(&self) -> Result<ConnectionInfo, RedisError> {
        Ok(self.addr.clone().into_connection_info()?.set_redis_settings(self.redis.clone()))
    }

    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) const fn settings(&self) -> &RedisConnectionInfo {
        &self.redis
    }

    pub(crate) fn report(&self) -> ConfigReport {
        self.report_at(&self.addr.to_string())
    }

    /// With the address of something else than one node.
    pub(crate) fn report_at(&self, address: &str) -> ConfigReport {
        ConfigReport {
            address: address.to_owned(),
            db: self.redis.db(),
            username: self.redis.username().map(str::to_owned),
            password: self.redis.password().is_some(),
            tls: matches!(self.addr, ConnectionAddr::TcpTls { .. }),
        }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_local_node() {
        let report = RedisConfig::default().report();
        assert_eq!((report.address.as_str(), report.db), ("localhost:6379", 0));
        assert!(!report.password && !report.tls && report.username.is_none());
    }

    #[test]
    fn a_url_and_the_parts_name_the_same_node() {
        let url = RedisConfig::from_url("redis://joe:secret@example.org:7000/3").unwrap();
        let parts = RedisConfig::default().port(7000).host("example.org").db(3);
        let parts = parts.username("joe").password("secret");
        assert_eq!(url.report(), parts.report());
        assert_eq!(url.info().unwrap().redis_settings().password(), Some("secret"));
    }

    #[test]
    fn no_report_shows_a_password() {
        let config = RedisConfig::default().password("hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_url_of_something_else_is_refused() {
        assert!(RedisConfig::from_url("http://localhost").is_err());
        assert!(RedisConfig::from_url("nonsense").is_err());
    }
}
