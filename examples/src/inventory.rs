//! The service as a whole: started, running, stopped in good order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use circuit_layer::metrics::{Exporter, ExporterError};
use degradation::{ConfigError, DegradationManager, Readiness};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, Api};
use crate::chaos::{self, Chaos};
use crate::dependencies::{self, Dependencies, StartError};
use crate::pages::Pages;
use crate::settings::{Pace, Settings};

/// A running inventory service.
///
/// Dropping it stops it at once; [`shutdown`](Self::shutdown) lets requests in flight end.
#[derive(Debug)]
pub struct Inventory {
    addr: SocketAddr,
    pace: Pace,
    dependencies: Dependencies,
    chaos: Chaos,
    manager: DegradationManager,
    readiness: Readiness,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<io::Result<()>>>,
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
        let listen = |source| InventoryError::Listen { addr, source };
        let socket = TcpListener::bind(addr).await.map_err(listen)?;
        let addr = socket.local_addr().map_err(listen)?;

        let exporter = Exporter::new()?;
        let started = dependencies::start(&settings.sources, &pace, &exporter).await?;
        let (dependencies, servers) = started;
        let manager = manager(&dependencies, &pace)?;
        let readiness = Readiness::starting();
        let pages = Pages::new(dependencies.redis.clone(), pace.page_ttl);
        let api = Api { dependencies: dependencies.clone(), pages, exporter };
        let chaos = Chaos::new(servers);
        let router = api::router(api, &manager, readiness.clone());
        let router = router.merge(chaos::router(chaos.clone()));

        let (stop, mut stopped) = watch::channel(false);
        let serving = axum::serve(socket, router).with_graceful_shutdown(async move {
            // An error says that the service was dropped, which stops it too.
            drop(stopped.wait_for(|stop| *stop).await);
        });
        let serving = Some(tokio::spawn(serving.into_future()));
        readiness.ready();
        Ok(Self { addr, pace, dependencies, chaos, manager, readiness, stop, serving })
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

    /// Stops in good order: `/readyz` says no, new connections are refused, requests in flight end
    /// within the drain time, clients close, and the servers that run here end last.
    ///
    /// # Errors
    ///
    /// The drain time was too short for some request, which was cut off, or serving had failed.
    ///
    /// # Cancellation
    ///
    /// Dropping it stops everything at once.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.readiness.not_ready("draining");
        self.stop.send_replace(true);
        let drained = match self.serving.as_mut() {
            Some(serving) => tokio::time::timeout(self.pace.drain, serving).await,
            None => return Ok(()),
        };
        if let Some(spool) = self.dependencies.s3.spool() {
            spool.close().await.map_err(io::Error::other)?;
        }
        self.dependencies.redis.close().await;
        self.dependencies.database.close().await;
        match drained {
            Ok(served) => served.map_err(io::Error::other)?,
            Err(late) => Err(io::Error::new(io::ErrorKind::TimedOut, late)),
        }
    }
}

impl Drop for Inventory {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// The weights say how much of the service each dependency is worth.
fn manager(dependencies: &Dependencies, pace: &Pace) -> Result<DegradationManager, ConfigError> {
    let Dependencies { redis, s3, database, openai } = dependencies;
    DegradationManager::builder()
        .dependency("database", 50, (database.breaker().clone(), Arc::clone(database.health())))
        .dependency("openai", 30, openai.clone())
        .dependency("redis", 15, (redis.breaker().clone(), Arc::clone(redis.health())))
        .dependency("s3", 5, (s3.breaker().clone(), Arc::clone(s3.health())))
        .levels(pace.levels)
        .check_every(pace.check_every)
        .build()
}
