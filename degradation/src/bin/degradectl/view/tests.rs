use serde_json::{Value, json};

use super::*;

/// A service that was forced to critical while Redis is down.
fn service() -> Value {
    let history = json!({
        "slot_ms": 2000, "end_unix_ms": 100_000, "score": [100, 100, 100, 0, 0, 0, 0, 0, 0],
        "successes": [70, 0, 0, 20, 0, 0, 0, 0, 0],
        "failures": [0, 0, 0, 5, 0, 0, 0, 0, 0],
        "rejected": [0, 0, 0, 0, 0, 0, 3, 3, 4],
    });
    let closed = json!({
        "state": "closed", "control": "automatic", "cause": null, "generation": 1, "level": 0,
        "rejected": 0, "probes_in_flight": 0, "probes_succeeded": 0, "leases_expired": 0,
    });
    let mut open = closed.clone();
    (open["state"], open["rejected"]) = (json!("open"), json!(1_203));
    let up = json!({
        "name": "database", "weight": 85, "score": 100, "down": false, "status": "up",
        "detail": null, "drill": null, "next_probe_ms": null, "outages": 0, "breaker": closed,
        "calls": null, "fallbacks": null, "last_error": null, "facts": [], "history": history,
    });
    let mut down = up.clone();
    let calls = json!({
        "per_second": 4.25, "success_rate": 0.82, "average_ms": 2.0, "p50_ms": 1.6,
        "p99_ms": 502.0, "successes": 90, "failures": 5, "rejected": 1_203,
    });
    for (member, value) in [
        ("name", json!("redis")),
        ("weight", json!(15)),
        ("score", json!(0)),
        ("down", json!(true)),
        ("status", json!("down")),
        ("detail", json!("open: 5 consecutive failures")),
        ("next_probe_ms", json!(12_400)),
        ("breaker", open),
        ("calls", calls),
        ("fallbacks", json!(1_190)),
        ("last_error", json!({ "what": "connection refused", "at_unix_ms": 96_000 })),
    ] {
        down[member] = value;
    }
    let logged = json!({
        "id": 7, "at_unix_ms": 40_000, "kind": "dependency", "subject": "redis",
        "what": "went down", "cause": "redis down (open: 5 consecutive failures)", "reason": null,
    });
    json!({
        "at_unix_ms": 100_000, "level": "critical", "mode": "full", "flags": ["cache_fallback"],
        "score": 85, "cause": "", "since_unix_ms": 40_000,
        "now": "level forced to critical: moving the disks; score 85: redis down",
        "observed_level": "normal", "observed_mode": "full",
        "forced_level": { "reason": "moving the disks", "until_unix_ms": 160_000 },
        "forced_mode": null,
        "shed": { "sheddable": 7, "sheddable_plus": 0, "critical": 0, "critical_plus": 0, "writes": 0 },
        "dependencies": [up, down],
        "queues": [{ "name": "uploads", "depth": 214, "bytes": 734_003_200_u64,
            "bytes_limit": 1_073_741_824_u64, "oldest_age_ms": 128_000, "dead": 2,
            "refused": null, "delivered": null }],
        "caches": [{ "name": "pages", "backend": "memory", "hits": 91, "misses": 9,
            "entries": null, "bytes": null, "stale": 388, "evicted": null }],
        "log": [logged],
    })
}

fn read(service: Value) -> StatusDocument {
    serde_json::from_value(service).unwrap()
}

fn shown(service: Value, width: usize) -> Vec<String> {
    document(&read(service), Screen::plain(width))
}

#[test]
fn everything_is_there_and_what_is_wrong_comes_first() {
    let lines = shown(service(), usize::MAX);
    let expected = [
        "CRITICAL  score 85 of 100  mode full  for 1 min 0 s",
        "level forced to critical: moving the disks; score 85: redis down",
        "replaced: cache_fallback",
        "level forced: moving the disks (ends in 1 min 0 s)",
        "",
        "DEPENDENCY  STATE           SCORE    NEXT PROBE  CALLS/S   ERRORS       P50       P99   REJECTED  FALLBACKS  LAST THREE MINUTES",
        "redis       open                0          12 s      4.2     18 %    1.6 ms    502 ms       1203       1190  █▄▂",
        "  open: 5 consecutive failures",
        "  last error 4 s ago: connection refused",
        "database    closed            100             –        –        –         –         –          0          –  █▄▂",
        "",
        "queue uploads: 214 waiting, 700.0 MiB of 1.0 GiB, oldest 2 min 8 s, 2 dead",
        "cache pages: memory answers, hit ratio 91 %, 388 stale answers",
        "rejected by the layers: 7 sheddable",
        "",
        "   1 min 0 s ago  redis went down: redis down (open: 5 consecutive failures)",
    ];
    assert_eq!(lines, expected, "\n{}", lines.join("\n"));
}

#[test]
fn no_line_is_longer_than_the_screen_is_wide() {
    for width in [1, 20, 80, 130] {
        for line in shown(service(), width) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn what_a_service_tells_stays_text() {
    let mut told = service();
    told["dependencies"][1]["name"] = json!("\x1b[31mredis");
    told["dependencies"][1]["detail"] = json!("\x1b]0;owned\x07");
    told["now"] = json!("a\nb");
    told["log"][0]["what"] = json!("\x1b[2J");
    for line in shown(told, usize::MAX) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn a_drill_and_an_order_on_a_breaker_are_seen_in_its_state() {
    let state = |change: &dyn Fn(&mut Value)| {
        let mut service = service();
        change(&mut service["dependencies"][1]);
        let lines = shown(service, usize::MAX);
        let line = lines.iter().find(|line| line.starts_with("redis ")).unwrap().clone();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(state(&|one| one["breaker"]["control"] = json!("forced_open")), "forced-open");
    assert_eq!(state(&|one| one["breaker"]["state"] = json!("half_open")), "half-open");
    let drill = json!({ "reason": "game day", "until_unix_ms": 130_000 });
    assert_eq!(state(&|one| one["drill"] = drill.clone()), "drill");
    assert_eq!(state(&|one| one["breaker"] = Value::Null), "down");
}

#[test]
fn the_entries_of_a_queue_are_a_table() {
    let told = json!([
        { "id": "7", "key": "photos/1", "operation": "upload", "bytes": 2048, "age_ms": 61_000,
          "attempts": 3, "dead": true, "last_error": "no such bucket" },
    ]);
    let told: Vec<QueueEntry> = serde_json::from_value(told).unwrap();
    let lines = entries(&told, Screen::plain(usize::MAX));
    assert_eq!(
        lines,
        [
            "ID             AGE        SIZE  ATTEMPTS  WHAT",
            "7        1 min 1 s     2.0 KiB         3  upload photos/1 (dead): no such bucket",
        ]
    );
    assert_eq!(entries(&[], Screen::plain(80)), ["the queue is empty"]);
}
