//! Encryption: whom we trust, and who we say we are.
//!
//! | asked for | trusted | shown |
//! | --- | --- | --- |
//! | `rediss://` or `tls(true)` | the certificate authorities of the system | nothing |
//! | `tls_ca(pem)` | these authorities instead | nothing |
//! | `tls_identity(certificate, key)` | as above | our certificate |
//!
//! It is rustls, as redis-rs uses it. That takes the cryptography of the whole process: what the
//! program installed as rustls's default provider, or else aws-lc-rs, which is installed then. Without
//! that, a program in which two crates want different ones would panic at its first dial.

use std::fmt;

use redis::{ConnectionInfo, ErrorKind, RedisError};

/// How a connection is encrypted.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// Trusts anybody. redis-rs refuses it unless its own feature `tls-rustls-insecure` is on.
    pub(crate) insecure: bool,
    pub(crate) ca: Option<Vec<u8>>,
    pub(crate) identity: Option<Identity>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "to be refused, nobody reads it"))]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Tls {
    /// What this says of certificates, or `other` where this says nothing.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self {
            insecure: self.insecure,
            ca: self.ca.clone().or_else(|| other.ca.clone()),
            identity: self.identity.clone().or_else(|| other.identity.clone()),
        }
    }
}

#[cfg(feature = "tls")]
impl Tls {
    /// The same connection, encrypted.
    pub(crate) fn secure(&self, info: ConnectionInfo) -> Result<ConnectionInfo, RedisError> {
        let redis::ConnectionAddr::Tcp(host, port) = info.addr().clone() else {
            return Err((ErrorKind::InvalidClientConfig, "TLS is for TCP only").into());
        };
        let (insecure, certificates) = (self.insecure, self.certificates()?);
        let addr = redis::ConnectionAddr::TcpTls { host, port, insecure, tls_params: None };
        let client = redis::Client::build_with_tls(info.set_addr(addr), certificates)?;
        Ok(client.get_connection_info().clone())
    }

    pub(crate) fn certificates(&self) -> Result<redis::TlsCertificates, RedisError> {
        use rustls::crypto::{CryptoProvider, aws_lc_rs};
        if CryptoProvider::get_default().is_none() {
            // An error means that somebody else was faster, which is as good.
            drop(aws_lc_rs::default_provider().install_default());
        }
        if let Some(ca) = &self.ca {
            certificate(ca, "the PEM of the certificate authority holds no certificate")?;
        }
        if let Some(identity) = &self.identity {
            certificate(&identity.certificate, "the PEM of the identity holds no certificate")?;
        }
        let client_tls = self.identity.clone().map(|identity| redis::ClientTlsConfig {
            client_cert: identity.certificate,
            client_key: identity.key,
        });
        Ok(redis::TlsCertificates { client_tls, root_cert: self.ca.clone() })
    }

    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) const fn mode(&self) -> redis::TlsMode {
        if self.insecure { redis::TlsMode::Insecure } else { redis::TlsMode::Secure }
    }
}

/// redis-rs takes text without a certificate for an empty list, and then trusts nobody.
#[cfg(feature = "tls")]
fn certificate(pem: &[u8], otherwise: &'static str) -> Result<(), RedisError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    match CertificateDer::pem_slice_iter(pem).next() {
        Some(Ok(_)) => Ok(()),
        _ => Err((ErrorKind::InvalidClientConfig, otherwise).into()),
    }
}

#[cfg(not(feature = "tls"))]
impl Tls {
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    pub(crate) fn secure(&self, _info: ConnectionInfo) -> Result<ConnectionInfo, RedisError> {
        Err(not_built())
    }
}

#[cfg(not(feature = "tls"))]
pub(crate) fn not_built() -> RedisError {
    (ErrorKind::InvalidClientConfig, "TLS needs the feature `tls` of redis-service").into()
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("insecure", &self.insecure)
            .field("ca", &self.ca.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}
