//! A service with a page and a control router, and the program pointed at it.

use std::net::SocketAddr;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::CircuitBreaker;
use degradation::status::QueueStatus;
use degradation::{
    ControlEndpoints, ControlToken, DegradationManager, Endpoints, LevelRules, QueueEntry,
    QueueError, QueueFuture, QueueSource, Readiness,
};
use tokio::net::TcpListener;
use tokio::process::Command;

pub(crate) const TOKEN: &str = "correct horse battery staple";

/// How long the program may take: the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    pub(crate) manager: DegradationManager,
    pub(crate) redis: CircuitBreaker,
    pub(crate) readiness: Readiness,
    pub(crate) address: SocketAddr,
    pub(crate) queue: Arc<Queue>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn on(address: SocketAddr) -> Self {
        let redis = CircuitBreaker::new("redis");
        let queue = Arc::new(Queue::default());
        let manager = DegradationManager::builder()
            .dependency("database", 85, CircuitBreaker::new("database"))
            .dependency("redis", 15, redis.clone())
            .queue("uploads", Arc::clone(&queue))
            .levels(LevelRules::exact())
            .build()
            .unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let control = ControlEndpoints::new(&manager, ControlToken::new(TOKEN).unwrap());
        let readiness = Readiness::starting();
        readiness.ready();
        let router = Endpoints::new(&manager).readiness(readiness.clone()).router();
        let router = router.nest("/control", control.router());
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        Self { manager, redis, readiness, address, queue }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs the program as an operator of this service.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let control = format!("{}/control", self.url());
        let mut command = degradectl(arguments);
        command.env("DEGRADECTL_URL", control).env("DEGRADECTL_TOKEN", TOKEN);
        run(command).await
    }
}

/// The program, without anything of this environment that it would read.
pub(crate) fn degradectl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_degradectl"));
    for variable in ["DEGRADECTL_URL", "DEGRADECTL_TOKEN", "DEGRADECTL_TOKEN_FILE", "http_proxy"] {
        command.env_remove(variable);
    }
    command.args(arguments).kill_on_drop(true);
    command
}

pub(crate) async fn run(mut command: Command) -> Ran {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    Ran::new(&output.expect("the program ends in time").unwrap())
}

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let code = output.status.code().expect("it ends by itself");
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// A queue with one entry, which remembers what it was told to do.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) told: Mutex<Vec<String>>,
}

impl Queue {
    fn act(&self, what: &str, id: &str) -> QueueFuture<'static, ()> {
        self.told.lock().unwrap().push(format!("{what} {id}"));
        let known = if id == "a/7" { Ok(()) } else { Err(QueueError::not_found(id)) };
        Box::pin(std::future::ready(known))
    }
}

impl QueueSource for Queue {
    fn status(&self) -> QueueStatus {
        QueueStatus::new(1, 2_048).dead(1)
    }

    fn list(&self, limit: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
        let entry = QueueEntry::new("a/7", "upload", "photos/1", 2_048, 61_000);
        let entries = vec![entry.attempts(3).dead().last_error("no such bucket")];
        Box::pin(std::future::ready(Ok(entries.into_iter().take(limit).collect())))
    }

    fn retry<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        self.act("retry", id)
    }

    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        self.act("drop", id)
    }
}
