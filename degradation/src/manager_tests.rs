use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, HalfOpen, Outcome};

use super::*;
use crate::health::{Health, Status};
use crate::level::{Level, LevelRules};
use crate::mode::Mode;
use crate::source::{HealthFuture, HealthSource, asked};

const SECOND: Duration = Duration::from_secs(1);

async fn pass(manager: &DegradationManager, time: Duration) {
    let clock = manager.clock();
    clock.sleep_until(clock.now() + time + Duration::from_millis(1)).await;
}

fn breakers() -> [CircuitBreaker; 4] {
    ["database", "openai", "redis", "s3"].map(CircuitBreaker::new)
}

fn watching([database, openai, redis, s3]: &[CircuitBreaker; 4]) -> DegradationBuilder {
    DegradationManager::builder()
        .dependency("database", 50, database.clone())
        .dependency("openai", 30, openai.clone())
        .dependency("redis", 15, redis.clone())
        .dependency("s3", 5, s3.clone())
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().record(Outcome::failure("timeout"));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_trips_is_seen_at_once_and_not_at_the_next_second() {
    let breakers = breakers();
    let manager = watching(&breakers).build().unwrap();
    pass(&manager, SECOND / 2).await;
    let before = manager.clock().now();
    let mut watching = manager.subscribe();
    (0..5).for_each(|_| fail(&breakers[2]));
    let seen = watching.wait_for(|snapshot| snapshot.is_down("redis")).await.unwrap().clone();
    assert_eq!(manager.clock().now(), before, "no time has passed");
    assert_eq!((seen.score, seen.level, seen.flags.cache_fallback()), (85, Level::Normal, true));
    assert_eq!(&*seen.cause, "score 85: redis down (open: 5 consecutive failures)");
    let wait = seen.retry_after(before);
    assert!(wait > 59 * SECOND && wait <= 60 * SECOND, "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn half_open_is_down_until_its_first_success_and_then_half_well() {
    let breaker = CircuitBreaker::builder("database").half_open(HalfOpen::all(2)).build().unwrap();
    let manager =
        DegradationManager::builder().dependency("database", 100, breaker.clone()).build().unwrap();
    (0..5).for_each(|_| fail(&breaker));
    pass(&manager, 61 * SECOND).await;
    let probe = breaker.try_acquire().unwrap();
    pass(&manager, SECOND).await;
    assert_eq!(breaker.state(), circuit_layer::State::HalfOpen);
    assert!(manager.snapshot().is_down("database"), "no probe has succeeded");
    probe.success();
    pass(&manager, SECOND).await;
    assert_eq!((manager.snapshot().score, manager.snapshot().is_down("database")), (50, false));
    breaker.try_acquire().unwrap().success();
    pass(&manager, Duration::ZERO).await;
    assert_eq!(manager.snapshot().score, 100);
}

#[tokio::test(start_paused = true)]
async fn the_level_worsens_after_a_second_and_recovers_step_by_step() {
    let breakers = breakers();
    let manager = watching(&breakers).build().unwrap();
    breakers.iter().for_each(|breaker| breaker.force_open("an outage", None));
    pass(&manager, Duration::ZERO).await;
    assert_eq!(
        (manager.snapshot().level, manager.snapshot().mode),
        (Level::Normal, Mode::ReadOnly)
    );
    pass(&manager, SECOND).await;
    assert_eq!(manager.snapshot().level, Level::Critical);
    breakers.iter().for_each(|breaker| breaker.reset("over"));
    pass(&manager, Duration::ZERO).await;
    assert_eq!((manager.snapshot().level, manager.snapshot().mode), (Level::Critical, Mode::Full));
    pass(&manager, 15 * SECOND).await;
    assert_eq!(manager.snapshot().level, Level::Degraded);
    pass(&manager, 14 * SECOND).await;
    assert_eq!(manager.snapshot().level, Level::Degraded);
    pass(&manager, SECOND).await;
    assert_eq!(manager.snapshot().level, Level::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_only_observes_sheds_nothing() {
    let breaker = CircuitBreaker::new("redis");
    breaker.observe_only("trying it out", None);
    let manager =
        DegradationManager::builder().dependency("redis", 100, breaker.clone()).build().unwrap();
    (0..5).for_each(|_| fail(&breaker));
    pass(&manager, SECOND).await;
    let snapshot = manager.snapshot();
    assert_eq!((snapshot.score, snapshot.is_down("redis")), (100, false));
}

#[tokio::test(start_paused = true)]
async fn a_closure_is_asked_every_second() {
    let score = Arc::new(AtomicU8::new(100));
    let source = Arc::clone(&score);
    let manager = DegradationManager::builder()
        .dependency("search", 100, move || Health::up(source.load(Ordering::Relaxed)))
        .build()
        .unwrap();
    score.store(70, Ordering::Relaxed);
    pass(&manager, SECOND / 2).await;
    score.store(80, Ordering::Relaxed);
    assert_eq!(manager.snapshot().score, 70, "the task asks first when it starts");
    pass(&manager, SECOND / 2).await;
    assert_eq!(manager.snapshot().score, 80);
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_check_is_unknown_until_it_has_answered() {
    let clock = Clock::default();
    let check = asked(move || {
        let (clock, due) = (clock.clone(), clock.now() + SECOND / 10);
        async move {
            clock.sleep_until(due).await;
            Health::down()
        }
    });
    let manager = DegradationManager::builder().dependency("search", 100, check).build().unwrap();
    let first = manager.snapshot();
    assert_eq!(first.dependencies[0].status, Status::Unknown);
    assert_eq!(
        (first.score, first.is_down("search")),
        (100, false),
        "what is unknown sheds nothing"
    );
    pass(&manager, SECOND / 10).await;
    assert!(manager.snapshot().is_down("search"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_hangs_or_is_gone_is_reported_and_never_fatal() {
    let breaker = Arc::new(CircuitBreaker::new("database"));
    let manager = DegradationManager::builder()
        .dependency("database", 40, Arc::downgrade(&breaker))
        .dependency("panics", 20, || panic!("no luck"))
        .dependency("hangs", 20, asked(std::future::pending))
        .dependency("well", 20, || Health::up(100))
        .build()
        .unwrap();
    breaker.force_open("an outage", None);
    pass(&manager, SECOND).await;
    assert!(manager.snapshot().is_down("database"));
    drop(breaker);
    pass(&manager, 2 * SECOND).await;
    let snapshot = manager.snapshot();
    let said = |name: &str| {
        let dependency = snapshot.dependency(name).unwrap();
        (dependency.status, dependency.detail.clone().unwrap_or_default().to_string())
    };
    assert_eq!(said("database"), (Status::Unknown, "its source is gone".to_owned()));
    assert_eq!(said("panics"), (Status::Unknown, "its source panicked: no luck".to_owned()));
    assert_eq!(said("hangs"), (Status::Unknown, "its source did not answer within 1s".to_owned()));
    assert_eq!(said("well").0, Status::Up);
    assert_eq!(snapshot.score, 60, "the database was last known to be down");
}

#[tokio::test(start_paused = true)]
async fn each_source_may_have_a_timeout_of_its_own() {
    let manager = DegradationManager::builder()
        .dependency("quick", 50, asked(std::future::pending).within(SECOND / 10))
        .dependency("slow", 50, asked(std::future::pending).within(3 * SECOND))
        .build()
        .unwrap();
    let said = |name: &str| manager.snapshot().dependency(name).unwrap().detail.clone().unwrap();
    pass(&manager, SECOND).await;
    assert_eq!(&*said("quick"), "its source did not answer within 100ms");
    assert_eq!(&*said("slow"), "not seen yet");
    pass(&manager, 2 * SECOND).await;
    assert_eq!(&*said("slow"), "its source did not answer within 3s");
}

/// Counts how often it is asked.
struct Counted(Arc<AtomicUsize>);

impl HealthSource for Counted {
    fn health(&self) -> HealthFuture<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Health::up(100)))
    }
}

#[tokio::test(start_paused = true)]
async fn the_tasks_and_the_sources_end_with_the_last_handle() {
    let asked = Arc::new(AtomicUsize::new(0));
    let source = Arc::new(Counted(Arc::clone(&asked)));
    let watched = Arc::downgrade(&source);
    let manager = DegradationManager::builder().dependency("search", 100, source).build().unwrap();
    let (clock, layer) = (manager.clock().clone(), crate::DegradationLayer::new(&manager));
    let mut watching = manager.subscribe();
    pass(&manager, 3 * SECOND).await;
    drop(manager);
    let before = asked.load(Ordering::Relaxed);
    clock.sleep_until(clock.now() + 3 * SECOND).await;
    assert!(asked.load(Ordering::Relaxed) > before, "a layer keeps the manager running");
    drop(layer);
    clock.sleep_until(clock.now() + SECOND).await;
    assert!(watched.upgrade().is_none(), "the source is released");
    watching.mark_unchanged();
    assert!(watching.changed().await.is_err(), "the channel is closed");
}

#[path = "manager_events_tests.rs"]
mod events;
