use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use circuit_layer::State;
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::class::Criticality;
use crate::layer::DegradationLayer;
use crate::level::{Level, LevelRules};
use crate::manager::DegradationManager;
use crate::routes::Routes;

const TENTH: Duration = Duration::from_millis(100);

/// A database whose breaker is open, and how often it was called since.
#[derive(Clone)]
struct Database {
    breaker: CircuitBreaker,
    is_back: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
}

impl Database {
    fn away() -> Self {
        let breaker = CircuitBreaker::new("database");
        for _ in 0..5 {
            breaker.try_acquire().unwrap().failure("timeout");
        }
        Self { breaker, is_back: Arc::default(), calls: Arc::default() }
    }

    async fn ping(self) {
        let Self { breaker, is_back, calls } = self;
        let ping = breaker.call(async move {
            calls.fetch_add(1, Ordering::Relaxed);
            if is_back.load(Ordering::Relaxed) { Ok(()) } else { Err(io::Error::other("away")) }
        });
        drop(ping.await);
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn rejected(&self) -> u64 {
        self.breaker.snapshot().rejected
    }
}

/// Watched by a manager that probes by `call`.
async fn watched<Fut>(
    database: &Database,
    call: impl Fn(Database) -> Fut + Send + Sync + 'static,
) -> DegradationManager
where
    Fut: Future + Send + 'static,
{
    let own = database.clone();
    let source = database.breaker.clone().probed_by(move || call(own.clone()));
    let manager = DegradationManager::builder().dependency("database", 100, source);
    let manager = manager.levels(LevelRules::exact()).build().unwrap();
    pass(&manager, TENTH).await;
    assert_eq!(manager.snapshot().level, Level::Critical);
    manager
}

async fn pass(manager: &DegradationManager, time: Duration) {
    manager.clock().sleep_until(manager.clock().now() + time).await;
}

/// Whether a report, which goes first, is served.
async fn serves(manager: &DegradationManager) -> bool {
    let routes = Routes::new().route("/report", Criticality::Sheddable);
    let service =
        service_fn(async |_: Request<()>| Ok::<_, io::Error>(Response::new(String::new())));
    let service = DegradationLayer::new(manager).routes(routes).layer(service);
    service.oneshot(Request::get("/report").body(()).unwrap()).await.unwrap().status() == 200
}

/// A client that asks for reports alone, ten times a second and so many times.
async fn ask(manager: &DegradationManager, times: u32) {
    for _ in 0..times {
        assert!(!serves(manager).await);
        pass(manager, TENTH).await;
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_are_turned_away_let_the_breaker_learn_that_its_database_is_back() {
    let database = Database::away();
    let manager = watched(&database, Database::ping).await;
    let begun = manager.clock().now();
    ask(&manager, 605).await;
    assert_eq!((database.calls(), database.breaker.state()), (1, State::Open), "a probe failed");
    database.is_back.store(true, Ordering::Relaxed);
    while !serves(&manager).await {
        pass(&manager, TENTH).await;
    }
    assert_eq!((database.calls(), database.breaker.state()), (4, State::Closed));
    let took = manager.clock().now() - begun;
    assert!(took > Duration::from_secs(120) && took < Duration::from_secs(126), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_for_whom_nobody_asks_and_nobody_who_is_well() {
    let database = Database::away();
    let manager = watched(&database, Database::ping).await;
    pass(&manager, Duration::from_secs(600)).await;
    assert_eq!((database.calls(), database.rejected()), (0, 0));
    database.breaker.reset("over");
    manager.force_level(Level::Critical, "somebody is shed", None);
    ask(&manager, 100).await;
    assert_eq!((database.calls(), database.rejected()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_is_turned_away_leads_to_one_call_a_second() {
    let database = Database::away();
    let manager = watched(&database, Database::ping).await;
    for _ in 0..10 {
        ask(&manager, 10).await;
        for _ in 0..1_000 {
            assert!(!serves(&manager).await);
        }
    }
    let rejected = database.rejected();
    assert!((9..=11).contains(&rejected), "{rejected} within ten seconds");
    assert_eq!(database.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_the_only_one_and_keeps_the_manager_from_nothing() {
    let database = Database::away();
    let manager = watched(&database, |database| {
        database.calls.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>()
    });
    let manager = manager.await;
    ask(&manager, 100).await;
    assert_eq!(database.calls(), 1);
    database.breaker.reset("over");
    pass(&manager, TENTH).await;
    assert_eq!(manager.snapshot().level, Level::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_over_and_the_next_is_made() {
    let database = Database::away();
    let manager = watched(&database, |database| async move {
        database.calls.fetch_add(1, Ordering::Relaxed);
        panic!("the pool is closed");
    });
    let manager = manager.await;
    ask(&manager, 30).await;
    assert!((2..=4).contains(&database.calls()), "{}", database.calls());
    database.breaker.reset("over");
    pass(&manager, TENTH).await;
    assert_eq!(manager.snapshot().level, Level::Normal);
}
