//! Reports for people and pages. No credentials are in them.

use circuit_layer::Snapshot;
use circuit_layer::health::HealthReport;
use serde::Serialize;

use crate::service::Inner;

/// How S3 is doing, as of the last 60 s and the breaker's state.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// State, score, success rate, latencies, the last operations.
    #[serde(flatten)]
    pub report: HealthReport,
    /// Bytes of bodies sent since the start, retries included.
    pub bytes_uploaded: u64,
    /// Bytes of bodies received since the start, documents such as listings included.
    pub bytes_downloaded: u64,
}

impl Health {
    pub(crate) fn of(inner: &Inner) -> Self {
        let ledger = &inner.ledger;
        Self {
            report: ledger.health.report(&inner.breaker.snapshot()),
            bytes_uploaded: ledger.bytes.uploaded(),
            bytes_downloaded: ledger.bytes.downloaded(),
        }
    }
}

/// Everything there is to tell of the service.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// How S3 is doing.
    pub health: Health,
    /// The bucket.
    pub bucket: String,
    /// The region, where the client names one.
    pub region: Option<String>,
    /// The endpoint, where the builder was given one; without user and password. A client of your own
    /// does not tell its own.
    pub endpoint: Option<String>,
    /// The breaker.
    pub breaker: Snapshot,
    /// The upload queue, if there is one.
    #[cfg(feature = "spool")]
    pub queue: Option<crate::SpoolStatus>,
}

impl Status {
    pub(crate) fn of(inner: &Inner) -> Self {
        Self {
            health: Health::of(inner),
            bucket: inner.target.bucket.clone(),
            region: inner.region.clone(),
            endpoint: inner.endpoint.as_deref().map(without_userinfo),
            breaker: inner.breaker.snapshot(),
            #[cfg(feature = "spool")]
            queue: inner.queue.as_ref().map(|queue| queue.spool.status()),
        }
    }
}

fn without_userinfo(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return endpoint.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::without_userinfo;

    #[test]
    fn an_endpoint_is_reported_without_its_password() {
        assert_eq!(without_userinfo("http://me:secret@host:9000/a@b"), "http://host:9000/a@b");
        assert_eq!(without_userinfo("http://host:9000"), "http://host:9000");
    }
}
