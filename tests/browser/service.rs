//! The service whose page is looked at: three dependencies, a queue, a cache, on a real port.
//!
//! It has a runtime of its own, so that killing it ends everything, open connections too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, HealthMetrics, Outcome};
use degradation::status::{CacheStatus, QueueStatus};
use degradation::{
    DegradationManager, Endpoints, HealthSource, LevelRules, QueueEntry, QueueError, QueueFuture,
    QueueSource,
};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A name and an error as somebody would choose them who wants to run a script here.
pub(crate) const HOSTILE: &str =
    "<img src=x onerror=alert(1)>\"'&lt;/script><script>alert(2)</script>";

pub(crate) struct Service {
    pub(crate) manager: DegradationManager,
    pub(crate) redis: CircuitBreaker,
    pub(crate) database: CircuitBreaker,
    full: Arc<AtomicBool>,
    calls: Arc<HealthMetrics>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::on(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// On the port of one that was killed.
    pub(crate) fn on(address: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let within = runtime.enter();
        let breaker = |name: &str| {
            let builder = CircuitBreaker::builder(name).fail_max(3);
            builder.reset_timeout(Duration::from_secs(60)).build().unwrap()
        };
        let (redis, database) = (breaker("redis"), breaker("database"));
        let calls = HealthMetrics::new(Duration::from_millis(100), redis.clock().clone());
        let (calls, full) = (Arc::new(calls), Arc::new(AtomicBool::new(false)));
        let source = (redis.clone(), Arc::clone(&calls)).showing(|figures| {
            figures.fallbacks(17).last_error(HOSTILE).fact("pool", "12 of 50 connections")
        });
        let manager = DegradationManager::builder()
            .dependency("database", 60, database.clone())
            .dependency("redis", 25, source)
            .dependency(HOSTILE, 15, CircuitBreaker::new("hostile"))
            .queue("uploads", Queue(Arc::clone(&full)))
            .cache("pages", || CacheStatus::new("redis", 910, 90).held(812, 5 << 20))
            .levels(LevelRules::exact())
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let router = Endpoints::new(&manager).router();
        drop(runtime.spawn(async move { axum::serve(listener, router).await }));
        drop(within);
        Self { manager, redis, database, full, calls, address, runtime: Some(runtime) }
    }

    pub(crate) fn page(&self) -> String {
        format!("http://{}/status", self.address)
    }

    /// Redis dies: calls fail until its breaker opens, and are rejected from then on.
    pub(crate) fn kill_redis(&self) {
        for _ in 0..20 {
            match self.redis.try_acquire() {
                Ok(permit) => {
                    permit.record(Outcome::failure("connection refused"));
                    self.calls.record_failure("get", Duration::from_millis(40));
                }
                Err(_) => self.calls.record_rejected("get"),
            }
        }
    }

    /// Calls that are answered well.
    pub(crate) fn serve(&self, calls: u64) {
        for number in 0..calls {
            self.calls.record_success("get", Duration::from_millis(1 + number % 7));
        }
    }

    pub(crate) fn fill_queue(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    /// Ends it at once, and says where it was.
    pub(crate) fn kill(mut self) -> SocketAddr {
        self.end();
        self.address
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime must not be dropped, which waits, within another.
impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

struct Queue(Arc<AtomicBool>);

impl QueueSource for Queue {
    fn status(&self) -> QueueStatus {
        let status = QueueStatus::new(0, 0).bytes_limit(1 << 30).refused(0).delivered(1_204);
        if self.0.load(Ordering::Relaxed) {
            return QueueStatus::new(214, 700 << 20)
                .bytes_limit(1 << 30)
                .oldest_age_ms(128_000)
                .dead(2);
        }
        status
    }

    fn list(&self, _limit: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn retry<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        Box::pin(std::future::ready(Err(QueueError::not_found(id))))
    }

    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        self.retry(id)
    }
}
