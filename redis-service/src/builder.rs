//! What a client can be told before it is made.

mod assemble;
#[cfg(feature = "otel")]
mod metrics;
mod spans;

use std::time::Duration;

use circuit_layer::CircuitBreaker;

use crate::active_probe::Asker;
use crate::config::RedisConfig;
use crate::fallback::FallbackConfig;
use crate::service::ServiceConfig;
use crate::spans::Spans;
use crate::start::Start;
use crate::target::Target;

/// Builds a [`Redis`](crate::Redis). Made by [`Redis::builder`](crate::Redis::builder).
#[derive(Debug)]
#[must_use = "a builder does nothing until `connect` is called"]
pub struct RedisBuilder {
    config: Result<RedisConfig, redis::RedisError>,
    target: Target,
    service: ServiceConfig,
    start: Start,
    name: String,
    fail_max: u32,
    reset_timeout: Duration,
    half_open_max_attempts: u32,
    breaker: Option<CircuitBreaker>,
    fallback: Option<FallbackConfig>,
    max_loads: usize,
    spans: Option<Spans>,
    /// Told how to reach Redis once that is known.
    pub(crate) asker: Option<Asker>,
    #[cfg(feature = "otel")]
    metrics: Option<circuit_layer::metrics::Metrics>,
    #[cfg(feature = "otel")]
    instance: Option<String>,
}

impl RedisBuilder {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            config: Ok(RedisConfig::default()),
            target,
            service: ServiceConfig::default(),
            start: Start::Strict,
            name: "redis".to_owned(),
            fail_max: 5,
            reset_timeout: Duration::from_secs(60),
            half_open_max_attempts: 3,
            breaker: None,
            fallback: None,
            max_loads: 32,
            spans: None,
            asker: None,
            #[cfg(feature = "otel")]
            metrics: None,
            #[cfg(feature = "otel")]
            instance: None,
        }
    }

    /// Where Redis is. Replaces what was said before.
    pub fn config(mut self, config: RedisConfig) -> Self {
        self.config = Ok(config);
        self
    }

    /// Where Redis is, as a [URL](RedisConfig::from_url). A wrong one shows in
    /// [`connect`](Self::connect).
    pub fn url(mut self, url: &str) -> Self {
        self.config = RedisConfig::from_url(url);
        self
    }

    /// The host. Default `localhost`.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.with(|config| config.host(host))
    }

    /// The port. Default 6379.
    pub fn port(self, port: u16) -> Self {
        self.with(|config| config.port(port))
    }

    /// The database. Default 0.
    pub fn db(self, db: i64) -> Self {
        self.with(|config| config.db(db))
    }

    /// The user. Default none.
    pub fn username(self, username: impl AsRef<str>) -> Self {
        self.with(|config| config.username(username))
    }

    /// The password. Default none.
    pub fn password(self, password: impl AsRef<str>) -> Self {
        self.with(|config| config.password(password))
    }

    /// Whether the connection is [encrypted](RedisConfig#tls). Default: it is not, but for `rediss://`.
    pub fn tls(self, encrypted: bool) -> Self {
        self.with(|config| config.tls(encrypted))
    }

    /// Encrypted, and trusts the certificate authorities in this PEM instead of the system's.
    pub fn tls_ca(self, pem: impl Into<Vec<u8>>) -> Self {
        self.with(|config| config.tls_ca(pem))
    }

    /// Encrypted, and shows this certificate where Redis asks for one. Both in PEM.
    pub fn tls_identity(self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.with(|config| config.tls_identity(certificate, key))
    }

    /// The master of this name, as these [Redis Sentinels](crate::Sentinel) know it, by their URLs. The
    /// master's database, credentials and [TLS](RedisConfig#tls) are those of this builder.
    #[cfg(feature = "sentinel")]
    pub fn sentinel(
        mut self,
        master: impl Into<String>,
        sentinels: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let sentinels = sentinels.into_iter().map(Into::into).collect();
        self.target = Target::Sentinel { master: master.into(), sentinels };
        self
    }

    /// The [Redis Cluster](crate::Cluster) that these nodes belong to, by their URLs; one that answers
    /// is enough. The credentials and [TLS](RedisConfig#tls) are those of this builder, the database is 0.
    #[cfg(feature = "cluster")]
    pub fn cluster(mut self, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.target = Target::Cluster { nodes: nodes.into_iter().map(Into::into).collect() };
        self
    }

    fn with(mut self, change: impl FnOnce(RedisConfig) -> RedisConfig) -> Self {
        self.config = self.config.map(change);
        self
    }

    /// The deadline of every call. Default 500 ms.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.service.deadline = deadline;
        self
    }

    /// The deadline of a health check, where it is the shorter one. Default 250 ms.
    pub const fn health_deadline(mut self, deadline: Duration) -> Self {
        self.service.health_deadline = deadline;
        self
    }

    /// The limit of one dial. Default 500 ms.
    pub const fn dial_timeout(mut self, limit: Duration) -> Self {
        self.service.dial_timeout = limit;
        self
    }

    /// The most connections. Default 50; at least 2 are allowed.
    pub const fn pool_size(mut self, connections: u32) -> Self {
        self.service.connections = connections;
        self
    }

    /// Whether it starts while Redis is down. Default [`Start::Strict`].
    pub const fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The breaker's name. Default `redis`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Trips after so many consecutive failures. Default 5.
    pub const fn fail_max(mut self, failures: u32) -> Self {
        self.fail_max = failures;
        self
    }

    /// How long the breaker rejects before it probes, doubled by each failed recovery up to 10
    /// minutes. Default 60 s.
    pub const fn reset_timeout(mut self, wait: Duration) -> Self {
        self.reset_timeout = wait;
        self
    }

    /// Probes that must succeed. Default 3.
    pub const fn half_open_max_attempts(mut self, probes: u32) -> Self {
        self.half_open_max_attempts = probes;
        self
    }

    /// A finished breaker, instead of the name and the three numbers above. Its `abandoned_after`
    /// should be below the deadline of the calls.
    pub fn breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Answers from memory while Redis does not, see [`fallback`](crate::fallback). Default: it does
    /// not, because a caller of `get` must have agreed to a value of a moment ago.
    pub const fn fallback(mut self, config: FallbackConfig) -> Self {
        self.fallback = Some(config);
        self
    }

    /// The most loads of [`get_or_load`](crate::Redis::get_or_load) at a time. Default 32, at least 1.
    pub const fn max_loads(mut self, loads: usize) -> Self {
        self.max_loads = loads;
        self
    }

    /// A Redis in memory instead of a server, for tests.
    #[cfg(feature = "test-util")]
    pub fn memory(mut self, memory: &crate::Memory) -> Self {
        self.target = Target::Memory(memory.clone());
        self
    }
}
