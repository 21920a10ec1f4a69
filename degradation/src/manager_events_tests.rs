//! What operators are told.

use super::*;

#[tokio::test(start_paused = true)]
async fn events_tell_each_change_in_order_with_its_cause() {
    let breakers = breakers();
    let manager = watching(&breakers).build().unwrap();
    let mut events = manager.events();
    manager.force_level(Level::Critical, "a rehearsal", Some(10 * SECOND));
    manager.force_mode(Mode::Minimal, "a rehearsal", None);
    pass(&manager, 10 * SECOND).await;
    manager.release("enough");
    manager.drill("s3", "game day", SECOND).unwrap();
    manager.end_drill("s3", "enough").unwrap();
    let causes: Vec<Arc<str>> =
        std::iter::from_fn(|| events.try_recv().ok()).map(|change| change.cause).collect();
    let begins = [
        "level forced to critical: a rehearsal",
        "level forced to critical: a rehearsal; mode forced to minimal",
        "the forced level ran out; mode forced to minimal",
        "released: enough",
        "score 95: s3 down (drill: game day)",
        "drill ended: enough",
    ];
    assert_eq!(causes.len(), begins.len(), "{causes:?}");
    for (cause, begin) in causes.iter().zip(begins) {
        assert!(cause.starts_with(begin), "{cause}");
    }
    assert_eq!(
        manager.drill("kafka", "x", SECOND).unwrap_err().to_string(),
        "no dependency is named `kafka`"
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_serialised_with_its_cause_and_its_orders() {
    let manager = watching(&breakers()).build().unwrap();
    manager.drill("redis", "game day", SECOND).unwrap();
    let json = serde_json::to_value(&*manager.snapshot()).unwrap();
    assert_eq!(json["level"], "normal");
    assert_eq!(json["mode"], "full");
    assert_eq!(json["flags"], serde_json::json!(["cache_fallback"]));
    assert_eq!(json["cause"], "score 85: redis down (drill: game day)");
    assert_eq!(json["dependencies"][2]["drill"]["reason"], "game day");
    assert_eq!(json["dependencies"][2]["status"], "up");
}

/// Collects what is logged at WARN.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN && metadata.target().starts_with("degradation")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

#[tokio::test(start_paused = true)]
async fn each_change_is_one_warning_with_its_cause_and_rejections_are_none() {
    // With one subscriber in all, tracing asks the first thread that comes to an event whether anybody
    // listens, and believes it for the others. With two it asks the subscribers.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let warnings = Warnings::default();
    let _logging = tracing::subscriber::set_default(warnings.clone());
    let breakers = breakers();
    let manager = watching(&breakers).levels(LevelRules::exact()).build().unwrap();
    breakers[0].force_open("an outage", None);
    pass(&manager, 5 * SECOND).await;
    let lines = warnings.0.lock().unwrap().clone();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [r#"level.from="normal""#, r#"level.to="degraded""#, "score=50", "database down"] {
        assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
    }
}
