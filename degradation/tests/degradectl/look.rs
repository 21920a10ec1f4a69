//! What is shown, and what the exit code says.

use degradation::{Level, StatusDocument};

use crate::service::{Service, degradectl, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_is_the_level_of_top_and_of_status() {
    let service = Service::start().await;
    for (level, code) in [(Level::Normal, 0), (Level::Degraded, 1), (Level::Critical, 2)] {
        service.manager.force_level(level, "moving the disks", None);
        let top = run(degradectl(&["top", &service.url(), "--once"])).await;
        assert_eq!(top.code, code, "{top:?}");
        assert!(top.out.starts_with(&level.as_str().to_uppercase()), "{}", top.out);
        assert!(top.out.contains("moving the disks") && !top.out.contains('\x1b'), "{}", top.out);
        let status = service.run(&["status"]).await;
        assert_eq!((status.code, status.err.as_str()), (code, ""));
        assert!(status.out.contains("queue uploads: 1 waiting, 2.0 KiB, 1 dead"), "{}", status.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_seen_with_its_cause() {
    let service = Service::start().await;
    service.redis.force_open("failing over", None);
    let mut snapshots = service.manager.subscribe();
    snapshots.wait_for(|snapshot| snapshot.is_down("redis")).await.unwrap();
    let page = format!("{}/status", service.url());
    let top = run(degradectl(&["top", &page, "--once"])).await;
    assert_eq!(top.code, 0, "85 of 100 is normal");
    let lines: Vec<&str> = top.out.lines().collect();
    let redis = lines.iter().position(|line| line.starts_with("redis ")).unwrap();
    let database = lines.iter().position(|line| line.starts_with("database ")).unwrap();
    assert!(redis < database, "what is wrong comes first:\n{}", top.out);
    assert!(lines[redis].contains("forced-open"), "{}", lines[redis]);
    assert!(top.out.contains("replaced: cache_fallback"), "{}", top.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_the_document_as_json() {
    let service = Service::start().await;
    let ran = service.run(&["status", "--json"]).await;
    let document: StatusDocument = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, document.score, document.dependencies.len()), (0, 100, 2));
}
