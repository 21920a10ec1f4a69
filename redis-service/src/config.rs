//! Where Redis is, and who we are there.

mod report;

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError};

pub use report::ConfigReport;

use crate::tls::{Identity, Tls};

/// The address and the credentials of one Redis node.
///
/// The default is `localhost:6379`, database 0, without credentials and without TLS. `Debug` shows no
/// password and no key.
///
/// # TLS
///
/// Needs the feature `tls` (rustls, with the cryptography of aws-lc-rs); without it, what asks for TLS
/// is an error when the client is built, never a connection in the clear.
///
/// | towards | encrypted if | certificates |
/// | --- | --- | --- |
/// | a single node | this says so | of this |
/// | a cluster's nodes | this or their URLs say so | of this |
/// | the master behind Redis Sentinel | this says so | of this |
/// | the sentinels | their URLs say so (`rediss://`) | of this |
///
/// The server's certificate must be for the host name or address that is dialled; behind Sentinel and
/// in a cluster that is what these announce, so an address unless Redis announces host names. A
/// certificate that is not trusted is an error of kind
/// [`Connection`](crate::ErrorKind::Connection). A dial takes longer than in the clear, and several times so
/// towards Sentinels and clusters: redis-rs reads the system's authorities anew for each connection.
#[derive(Clone)]
pub struct RedisConfig {
    addr: ConnectionAddr,
    tls: Option<Tls>,
    redis: RedisConnectionInfo,
}

impl Default for RedisConfig {
    fn default() -> Self {
        let addr = ConnectionAddr::Tcp("localhost".to_owned(), 6379);
        Self { addr, tls: None, redis: RedisConnectionInfo::default() }
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
        #[cfg(not(feature = "tls"))]
        if redis::parse_redis_url(url)
            .is_some_and(|url| matches!(url.scheme(), "rediss" | "valkeys"))
        {
            return Err(crate::tls::not_built());
        }
        let info = url.into_connection_info()?;
        let (mut addr, mut tls) = (info.addr().clone(), None);
        if let ConnectionAddr::TcpTls { host, port, insecure, .. } = addr {
            addr = ConnectionAddr::Tcp(host, port);
            tls = Some(Tls { insecure, ..Tls::default() });
        }
        Ok(Self { addr, tls, redis: info.redis_settings().clone() })
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

    /// Whether the connection is [encrypted](Self#tls). Here and below: without the feature `tls`, the
    /// client that is built with it is an error.
    #[must_use]
    pub fn tls(mut self, encrypted: bool) -> Self {
        self.tls = encrypted.then(|| self.tls.unwrap_or_default());
        self
    }

    /// Encrypted, and trusts the certificate authorities in this PEM instead of the system's.
    #[must_use]
    pub fn tls_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.get_or_insert_default().ca = Some(pem.into());
        self
    }

    /// Encrypted, and shows this certificate (a chain, ours first) where Redis asks for one
    /// (`tls-auth-clients`). Both in PEM.
    #[must_use]
    pub fn tls_identity(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        let identity = Identity { certificate: certificate.into(), key: key.into() };
        self.tls.get_or_insert_default().identity = Some(identity);
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
        if let ConnectionAddr::Tcp(host, port) = &self.addr {
            return (host.clone(), *port);
        }
        ("localhost".to_owned(), 6379)
    }

    pub(crate) fn info(&self) -> Result<ConnectionInfo, RedisError> {
        let info = self.addr.clone().into_connection_info()?;
        let info = info.set_redis_settings(self.redis.clone());
        self.tls.as_ref().map_or(Ok(info.clone()), |tls| tls.secure(info))
    }

    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) const fn settings(&self) -> &RedisConnectionInfo {
        &self.redis
    }

    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) const fn encryption(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// If it is encrypted, then with the certificates of `other`.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) fn certified_by(mut self, other: &Self) -> Self {
        if let (Some(own), Some(other)) = (&self.tls, &other.tls) {
            self.tls = Some(own.or(other));
        }
        self
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
            tls: self.tls.is_some(),
        }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
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
        let config = RedisConfig::default().password("hunter2").tls_identity("hunter2", "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn tls_is_what_the_url_or_the_parts_say() {
        let parts = RedisConfig::default().host("example.org").tls(true);
        assert!(parts.report().tls && !parts.clone().tls(false).report().tls);
        assert!(RedisConfig::default().tls_ca("x").report().tls);
        let moved = parts.tls_ca("x").host("example.com").port(1);
        assert_eq!((moved.report().address.as_str(), moved.report().tls), ("example.com:1", true));
        let url = RedisConfig::from_url("rediss://example.org");
        assert_eq!(url.is_ok_and(|config| config.report().tls), cfg!(feature = "tls"));
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_the_feature_tls_is_refused_and_never_left_out() {
        for asked in [RedisConfig::default().tls(true), RedisConfig::default().tls_ca("x")] {
            let error = asked.info().unwrap_err();
            assert_eq!(error.kind(), redis::ErrorKind::InvalidClientConfig);
            assert!(error.to_string().contains("feature `tls`"), "{error}");
        }
        let error = RedisConfig::from_url("rediss://localhost").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    #[test]
    fn a_url_of_something_else_is_refused() {
        assert!(RedisConfig::from_url("http://localhost").is_err());
        assert!(RedisConfig::from_url("nonsense").is_err());
    }
}
