use std::time::Duration;

use circuit_layer::CircuitBreaker;
use circuit_layer::metrics::{Exporter, Metrics, RecorderError};

use crate::{DegradationManager, LevelRules};

fn shown(exporter: &Exporter) -> Vec<String> {
    let page = exporter.render().unwrap();
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn level_and_score_are_shown_as_they_are_enforced_and_end_with_the_manager() {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let [redis, s3] = ["redis", "s3"].map(CircuitBreaker::new);
    let build = || {
        DegradationManager::builder()
            .dependency("redis", 50, redis.clone())
            .dependency("s3", 50, s3.clone())
            .levels(LevelRules::exact())
            .build()
            .unwrap()
    };
    let manager = build();
    assert!(shown(&exporter).is_empty(), "only when asked for");
    let gauges = manager.show(&metrics).unwrap();
    assert_eq!(shown(&exporter), ["degradation_level 0", "degradation_score 100"]);
    for (down, level, score) in [(&redis, 1, 50), (&s3, 2, 0)] {
        for _ in 0..5 {
            down.try_acquire().unwrap().failure("timeout");
        }
        let mut watching = manager.subscribe();
        let seen = watching.wait_for(|snapshot| snapshot.score == score);
        drop(tokio::time::timeout(Duration::from_secs(2), seen).await.unwrap().unwrap());
        let lines = [format!("degradation_level {level}"), format!("degradation_score {score}")];
        assert_eq!(shown(&exporter), lines);
    }
    let second = build();
    let refused = second.show(&metrics).unwrap_err();
    assert!(matches!(refused, RecorderError::NameTaken { prefix: "degradation_level", .. }));
    drop(manager);
    // Its tasks end when the runtime gets to them.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(shown(&exporter).is_empty(), "gauges keep no manager alive");
    drop(gauges);
    let _gauges = second.show(&metrics).unwrap();
    assert_eq!(shown(&exporter).len(), 2);
}
