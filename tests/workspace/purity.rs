//! Invariant 1: `machine`, `policy`, `window` and `backoff` read no clock, lock, log or future.

use crate::code::{code, is_test_file, words};
use crate::tree::{read, sources};

/// The modules that decide. A file belongs to one by its name or by its folder's.
const PURE: &[&str] = &["machine", "policy", "window", "backoff", "half_open"];

/// What none of them may name. `Moment`, a value, is how time comes in; `Arc` only shares a value.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("a clock", &["Clock", "Instant", "SystemTime", "now_or_never", "sleep", "sleep_until"]),
    (
        "a lock",
        &[
            "Mutex",
            "RwLock",
            "Condvar",
            "Once",
            "OnceLock",
            "LazyLock",
            "mpsc",
            "lock",
            "parking_lot",
        ],
    ),
    ("shared memory", &["atomic", "Cell", "RefCell", "thread", "thread_local"]),
    ("a log", &["tracing", "log", "println", "eprintln", "dbg"]),
    ("a future", &["async", "await", "Future", "Poll", "Waker", "tokio", "futures_util"]),
    ("chance", &["fastrand", "rand"]),
];

fn is_pure(file: &str) -> bool {
    let Some(path) = file.strip_prefix("circuit-layer/src/") else { return false };
    PURE.iter().any(|module| path.starts_with(module)) && !is_test_file(file)
}

fn impurities(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in code(source).lines().enumerate() {
        for word in words(line) {
            let of = FORBIDDEN.iter().find(|(_, list)| list.contains(&word));
            // Reading a clock is a call without arguments: `.now()` or `::now()`.
            let reads = word == "now" && (line.contains(".now()") || line.contains("::now()"));
            if let Some(what) = of.map(|(what, _)| *what).or_else(|| reads.then_some("a clock")) {
                found.push(format!("{file}:{}: `{word}` is {what}", number + 1));
            }
        }
    }
    found
}

#[test]
fn decisions_read_no_clock_lock_log_or_future() {
    let pure: Vec<_> = sources().into_iter().filter(|file| is_pure(file)).collect();
    for module in PURE {
        let here = |file: &String| file.starts_with(&format!("circuit-layer/src/{module}"));
        assert!(pure.iter().any(here), "{module} has moved; this test must follow it");
    }
    let found: Vec<_> = pure.iter().flat_map(|file| impurities(file, &read(file))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn an_impure_decision_is_noticed() {
    for (bad, what) in [
        ("let now = Instant::now();", "`Instant` is a clock"),
        ("let now = self.time.now();", "`now` is a clock"),
        ("use std::sync::{Arc, Mutex};", "`Mutex` is a lock"),
        ("use std::sync::atomic::AtomicU64;", "`atomic` is shared memory"),
        ("tracing::info!(\"open\");", "`tracing` is a log"),
        ("pub async fn admit(&self) {}", "`async` is a future"),
        ("let jitter = fastrand::f64();", "`fastrand` is chance"),
    ] {
        let source = format!("//! Takes no lock.\n{bad}\n");
        let expected = format!("circuit-layer/src/machine/mod.rs:2: {what}");
        let found = impurities("circuit-layer/src/machine/mod.rs", &source);
        assert!(found.contains(&expected), "{bad}: {found:?}");
    }
    let good = "// No Mutex.\nfn admit(&mut self, now: Moment) { self.wait(now) }";
    assert_eq!(impurities("circuit-layer/src/machine/mod.rs", good), Vec::<String>::new());
}
