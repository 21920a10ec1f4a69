//! Orders: carried out, and told to everybody as an event.

use circuit_layer::Control;
use degradation::{Level, LogKind, Mode};

use crate::service::{Service, degradectl, run};

/// Runs a command, and returns what the newest event says of it.
async fn give(service: &Service, command: &str) -> String {
    let arguments: Vec<&str> = command.split(' ').chain(["--reason", "moving the disks"]).collect();
    let ran = service.run(&arguments).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
    assert_eq!(ran.out.lines().count(), 1, "{command}: {}", ran.out);
    let log = service.manager.log();
    let event = log.iter().find(|entry| entry.kind == LogKind::Order).unwrap();
    assert_eq!(event.reason.as_deref(), Some("moving the disks"), "{command}");
    format!("{}: {}", event.subject, event.what)
}

#[tokio::test(flavor = "multi_thread")]
async fn level_and_mode_are_forced_with_a_limit_and_released() {
    let service = Service::start().await;
    let manager = &service.manager;
    let event = give(&service, "force level critical --for 10m").await;
    assert_eq!(event, "service: level forced to critical for 600s");
    let snapshot = manager.snapshot();
    assert_eq!(snapshot.level, Level::Critical);
    assert!(snapshot.forced_level.as_ref().unwrap().until.is_some());

    let event = give(&service, "force mode read-only").await;
    assert_eq!(event, "service: mode forced to read_only until released");
    assert_eq!(manager.snapshot().mode, Mode::ReadOnly);

    give(&service, "release").await;
    let snapshot = manager.snapshot();
    assert_eq!((snapshot.level, snapshot.mode), (Level::Normal, Mode::Full));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_takes_every_order() {
    let service = Service::start().await;
    let control = || service.redis.snapshot().control;
    for (order, expected) in [
        ("open --for 90s", Control::ForcedOpen),
        ("closed", Control::ForcedClosed),
        ("disabled", Control::Disabled),
        ("observe-only", Control::ObserveOnly),
    ] {
        let event = give(&service, &format!("force breaker redis {order}")).await;
        assert!(event.starts_with("redis: "), "{event}");
        assert_eq!(control(), expected, "{order}");
    }
    give(&service, "release --breaker redis").await;
    assert_eq!(control(), Control::Automatic);
    give(&service, "force breaker redis open").await;
    give(&service, "reset --breaker redis").await;
    assert_eq!(control(), Control::Automatic);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_begins_and_ends_and_a_reset_ends_every_order() {
    let service = Service::start().await;
    let manager = &service.manager;
    let event = give(&service, "drill redis --for 5m").await;
    assert_eq!(event, "redis: drill, as if it were down for 300s");
    assert!(manager.snapshot().is_down("redis"));
    give(&service, "drill redis --end").await;
    assert!(!manager.snapshot().is_down("redis"));

    give(&service, "drill redis --for 5m").await;
    give(&service, "force level degraded").await;
    give(&service, "force breaker redis open").await;
    give(&service, "reset").await;
    let snapshot = manager.snapshot();
    assert_eq!((snapshot.level, &snapshot.forced_level), (Level::Normal, &None));
    assert!(snapshot.dependencies.iter().all(|one| one.drill.is_none()));
    assert_eq!(service.redis.snapshot().control, Control::Automatic);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_listed_and_its_entries_are_retried_and_dropped() {
    let service = Service::start().await;
    let listed = service.run(&["queue", "list", "uploads"]).await;
    assert_eq!(listed.code, 0);
    let entry = listed.out.lines().nth(1).unwrap();
    for told in ["a/7", "1 min 1 s", "2.0 KiB", "upload photos/1 (dead): no such bucket"] {
        assert!(entry.contains(told), "{told}: {entry}");
    }
    let none = service.run(&["queue", "list", "uploads", "--limit", "0"]).await;
    assert_eq!(none.out, "the queue is empty\n");

    let event = give(&service, "queue retry uploads a/7").await;
    assert!(event.starts_with("uploads: "), "{event}");
    let event = give(&service, "queue drop uploads a/7").await;
    assert!(event.starts_with("uploads: "), "{event}");
    assert_eq!(*service.queue.told.lock().unwrap(), ["retry a/7", "drop a/7"], "the id is escaped");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_may_be_in_a_file() {
    let service = Service::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", crate::service::TOKEN)).unwrap();
    let mut command = degradectl(&["status"]);
    command.env("DEGRADECTL_URL", format!("{}/control/", service.url()));
    command.arg("--token-file").arg(file.path());
    let ran = run(command).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}
