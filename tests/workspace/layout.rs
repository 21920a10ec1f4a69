//! The top level, and the size of a file.

use crate::code::is_test_file;
use crate::tree::{files, read, sources};

const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "circuit-layer",
    "clippy.toml",
    "degradation",
    "deny.toml",
    "examples",
    "redis-service",
    "rustfmt.toml",
    "s3-service",
    "tests",
];

/// Past 250 lines a file asks to be split; past these it has to be. A file of test cases may be
/// longer, because nobody reads it from the top.
const LONGEST: usize = 300;
const LONGEST_TESTS: usize = 500;

fn top_level(files: &[String]) -> Vec<&str> {
    let mut names: Vec<_> = files.iter().filter_map(|file| file.split('/').next()).collect();
    names.dedup();
    names
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let limit = if is_test_file(file) { LONGEST_TESTS } else { LONGEST };
    let lines = text.lines().count();
    (lines > limit).then(|| format!("{file} has {lines} lines of at most {limit}"))
}

#[test]
fn the_top_level_is_exactly_the_six_crates_and_the_usual_files() {
    assert_eq!(top_level(&files()), TOP_LEVEL);
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<_> = sources().iter().filter_map(|f| too_long(f, &read(f))).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn a_long_file_is_noticed() {
    let text = "\n".repeat(LONGEST + 1);
    assert!(too_long("a/src/machine.rs", &text).is_some());
    assert!(too_long("a/src/machine/tests.rs", &text).is_none());
}
