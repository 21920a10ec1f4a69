//! Invariant 2: time is read in `clock.rs` alone.
//!
//! Clippy bans the calls; this reads the sources, so that an `#[expect]` is no way around the rule
//! unless it is listed here too.

use crate::code::{code, is_test_file};
use crate::tree::{read, sources};

const CLOCK: &str = "circuit-layer/src/clock.rs";

/// The calls that read time or wait for it: those that `clippy.toml` bans, `tokio`'s among them.
const READS: &[&str] =
    &["Instant::now", "SystemTime::now", "thread::sleep", "time::sleep", ".elapsed()"];

/// Places that may read time themselves: file, call, and why. Each also carries an `#[expect]`.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

fn readings(file: &str, source: &str) -> Vec<(String, &'static str)> {
    let code = code(source);
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let at = || format!("{file}:{}", number + 1);
        found.extend(READS.iter().filter(|read| line.contains(*read)).map(|read| (at(), *read)));
    }
    found.extend(grouped(&code).map(|read| (file.to_owned(), read)));
    found
}

/// `use tokio::time::{sleep, …}` hides the path of the call; so it counts as the call.
fn grouped(code: &str) -> impl Iterator<Item = &'static str> {
    code.split("time::{")
        .skip(1)
        .filter_map(|list| list.split('}').next())
        .flat_map(|list| list.split(','))
        .filter(|name| matches!(name.trim(), "sleep" | "sleep_until"))
        .map(|_| "time::sleep")
}

fn is_exception(at: &str, read: &str) -> bool {
    EXCEPTIONS.iter().any(|(file, call, _)| at.starts_with(file) && *call == read)
}

#[test]
fn time_is_read_in_clock_rs_alone() {
    assert!(!readings(CLOCK, &read(CLOCK)).is_empty(), "clock.rs has moved; follow it");
    let library = sources().into_iter().filter(|file| file != CLOCK && !is_test_file(file));
    let found: Vec<_> = library
        .flat_map(|file| readings(&file, &read(&file)))
        .filter(|(at, read)| !is_exception(at, read))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_exception_is_still_needed_and_expected_in_the_source() {
    for (file, call, why) in EXCEPTIONS {
        let source = read(file);
        let here = readings(file, &source).iter().any(|(_, read)| read == call);
        assert!(here, "{file} reads no {call} any more; the exception ({why}) can go");
        assert!(source.contains("clippy::disallowed_methods"), "{file} does not #[expect] {call}");
    }
}

#[test]
fn a_reading_of_time_is_noticed() {
    for (bad, read) in [
        ("let now = std::time::Instant::now();", "Instant::now"),
        ("let since = started.elapsed();", ".elapsed()"),
        ("tokio::time::sleep(wait).await;", "time::sleep"),
        ("use tokio::time::{timeout, sleep};", "time::sleep"),
        ("std::thread::sleep(wait);", "thread::sleep"),
        ("let wall = SystemTime::now();", "SystemTime::now"),
    ] {
        let found = readings("a.rs", bad);
        assert!(found.iter().any(|(_, found)| *found == read), "{bad}: {found:?}");
    }
    let good = "// Not Instant::now().\nlet now = clock.now(); clock.sleep_until(now).await;";
    assert_eq!(readings("a.rs", good), []);
}
