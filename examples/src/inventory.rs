//! The service as a whole: started, running, stopped in good order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use circuit_layer::State;
use circuit_layer::metrics::{Exporter, ExporterError, Metrics, RecorderError};
use degradation::shutdown::ShutdownError;
use degradation::status::CacheStatus;
use degradation::{ConfigError, DegradationManager, HealthSource, Readiness, Shutdown};
use redis_service::Redis;
use s3_service::{S3, S3Error};
use tokio::task::JoinHandle;

use crate::api::{self, Api};
use crate::chaos::{self, Chaos};
use crate::database::{Database, QueryError};
use crate::dependencies::{self, Dependencies, StartError};
use crate::listen;
use crate::metrics::Gauges;
use crate::pages::Pages;
use crate::settings::{Pace, Settings};
use crate::stop;
use crate::uploads::{QUEUE, Uploads};

/// A running inventory service.
///
/// Dropping it stops it at once; [`shutdown`](Self::shutdown) lets requests in flight end.
#[derive(Debug)]
pub struct Inventory {
    addr: SocketAddr,
    dependencies: Dependencies,
    chaos: Chaos,
    manager: DegradationManager,
    running: Option<Running>,
    _gauges: Gauges,
}

/// The task that serves, and what ends it.
#[derive(Debug)]
struct Running {
    serving: JoinHandle<io::Result<()>>,
    shutdown: Shutdown,
}

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// A dependency could not be started or reached.
    #[error(transparent)]
    Dependency(#[from] StartError),
    /// The metrics could not be set up.
    #[error("the metrics can not be exported")]
    Metrics(#[from] ExporterError),
    /// Two of one name want to be shown, which is a bug here.
    #[error("the metrics can not be recorded")]
    Recorder(#[from] RecorderError),
    /// The weights or thresholds are wrong.
    #[error("the degradation manager can not be built")]
    Manager(#[from] ConfigError),
    /// The port is taken.
    #[error("can not listen on {addr} (LISTEN names it)")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Inventory {
    /// Starts the dependencies, then the service.
    ///
    /// # Errors
    ///
    /// [`InventoryError`]. What was started by then is stopped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(settings: &Settings) -> Result<Self, InventoryError> {
        let (addr, pace) = (settings.listen, settings.pace);
        let listening = listen::listen(addr).await;
        let (socket, addr) = listening.map_err(|source| InventoryError::Listen { addr, source })?;

        let exporter = Exporter::new()?;
        let metrics = Metrics::new(&exporter.meter());
        let started = dependencies::start(&settings.sources, &pace, &metrics).await?;
        let (dependencies, servers) = started;
        dependencies.database.prepare().await;
        let manager = manager(&dependencies, &pace)?;
        let gauges = Gauges::show(&metrics, &dependencies, &manager)?;
        let readiness = Readiness::starting();
        let pages = Pages::new(dependencies.redis.clone(), pace.page_ttl);
        let api = Api { dependencies: dependencies.clone(), pages, exporter };
        let chaos = Chaos::new(servers);
        let router = api::router(api, &manager, readiness.clone());
        let router = if chaos.can_break().await {
            router.merge(chaos::router(chaos.clone()))
        } else {
            router
        };

        let shutdown = stop::shutdown(&readiness, &pace, &dependencies);
        let router = router.layer(shutdown.cut_off());
        let serving = axum::serve(socket, router).with_graceful_shutdown(shutdown.signal());
        let serving = tokio::spawn(serving.into_future());
        readiness.ready();
        let running = Some(Running { serving, shutdown });
        Ok(Self { addr, dependencies, chaos, manager, running, _gauges: gauges })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The dependencies.
    #[must_use]
    pub const fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// The servers that run here, to be broken and mended.
    #[must_use]
    pub const fn chaos(&self) -> &Chaos {
        &self.chaos
    }

    /// What the service can still offer.
    #[must_use]
    pub const fn manager(&self) -> &DegradationManager {
        &self.manager
    }

    /// Stops in good order: `/readyz` says no for the time of the notice, new connections are refused,
    /// requests in flight end within the drain time, the queue of uploads is synced and unlocked, the
    /// clients close, and the servers that run here end last.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] lists what did not end well, such as a request that was cut off because the
    /// drain time was too short. Everything else did.
    ///
    /// # Cancellation
    ///
    /// Dropping it stops everything at once.
    pub async fn shutdown(mut self) -> Result<(), ShutdownError> {
        match self.running.take() {
            Some(Running { serving, shutdown }) => shutdown.run(serving).await,
            None => Ok(()),
        }
    }
}

impl Drop for Inventory {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.serving.abort();
        }
    }
}

/// The weights say how much of the service each dependency is worth.
///
/// What costs next to nothing to call is called in place of requests that are shed. A model is not: its
/// answers cost money, and it alone does not make the level so bad that descriptions are shed.
fn manager(dependencies: &Dependencies, pace: &Pace) -> Result<DegradationManager, ConfigError> {
    let Dependencies { redis, s3, database, openai } = dependencies.clone();
    let (cache, spool) = (redis.clone(), s3.spool().cloned());
    let database_health = (database.breaker().clone(), Arc::clone(database.health()));
    let redis_health = (redis.breaker().clone(), Arc::clone(redis.health()));
    let s3_health = (s3.breaker().clone(), Arc::clone(s3.health()));
    let builder = DegradationManager::builder()
        .dependency("database", 50, database_health.probed_by(move || ping(database.clone())))
        .dependency("openai", 30, openai)
        .dependency("redis", 15, redis_health.probed_by(move || check_redis(redis.clone())))
        .dependency("s3", 5, s3_health.probed_by(move || check_s3(s3.clone())))
        .cache("pages", move || cached(&cache))
        .levels(pace.levels)
        .check_every(pace.check_every);
    let builder = match spool {
        Some(spool) => builder.queue(QUEUE, Uploads(spool)),
        None => builder,
    };
    builder.build()
}

async fn ping(database: Database) -> Result<(), QueryError> {
    database.ping().await
}

async fn check_redis(redis: Redis) -> Result<(), redis_service::Error> {
    redis.health_check().await
}

async fn check_s3(s3: S3) -> Result<(), S3Error> {
    s3.health_check().await
}

/// What Redis and the memory behind it have answered.
fn cached(redis: &Redis) -> CacheStatus {
    let (health, fallback) = (redis.get_health(), redis.get_status().fallback);
    let is_open = redis.breaker().state() == State::Open;
    let status =
        CacheStatus::new(if is_open { "memory" } else { "redis" }, health.hits, health.misses);
    match fallback {
        Some(memory) => {
            let entries = u64::try_from(memory.entries).unwrap_or(u64::MAX);
            status.held(entries, memory.bytes).stale(memory.answered)
        }
        None => status,
    }
}
