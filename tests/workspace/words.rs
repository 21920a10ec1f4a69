//! What the files say: the two commands of the README, what `make serve` runs, and nothing of a machine.

use std::process::Command;

use crate::tree::{files, read};

/// Folders that exist on a developer's machine only. In two halves, or this file would break the
/// rule it checks.
const FOREIGN: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tmp/", "target"),
    concat!("index.", "crates.io"),
    concat!("arti", "factory"),
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn foreign(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let of = FOREIGN.iter().filter(|word| lower.contains(&word.to_lowercase()));
        found.extend(of.map(|word| format!("{file}:{}: {word}", number + 1)));
    }
    found
}

/// The lines of the first fenced block, and the text before it.
fn first_block(markdown: &str) -> (&str, Vec<&str>) {
    let (before, rest) = markdown.split_once("```").unwrap();
    (before, rest.lines().skip(1).take_while(|line| !line.starts_with("```")).collect())
}

#[test]
fn the_readme_opens_with_two_commands_that_the_makefile_has() {
    let readme = read("README.md");
    let (before, block) = first_block(&readme);
    let commands: Vec<_> = block.iter().filter_map(|line| line.split('#').next()).collect();
    let commands: Vec<_> = commands.iter().map(|command| command.trim()).collect();
    assert_eq!(commands, ["make demo", "make test"]);
    assert!(before.lines().count() < 20, "the commands come first");
    let makefile = read("Makefile");
    for target in ["demo:", "test:"] {
        assert!(makefile.lines().any(|line| line.starts_with(target)), "{target}");
    }
}

/// What `make serve` would run in such an environment.
fn serves(variables: &[(&str, &str)]) -> String {
    let mut make = Command::new("make");
    for name in
        ["REDIS_URL", "DATABASE_URL", "S3_ENDPOINT", "S3_BUCKET", "OPENAI_BASE_URL", "FEATURES"]
    {
        make.env_remove(name);
    }
    let make = make.current_dir(crate::tree::root()).args(["--dry-run", "serve", "CARGO=cargo"]);
    let said = make.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().find(|line| line.starts_with("cargo run")).unwrap().to_owned()
}

#[test]
fn make_serve_is_built_with_tls_where_the_environment_names_a_real_server() {
    let (plain, tls) =
        ("cargo run -p examples --bin serve", "cargo run -p examples --features tls --bin serve");
    assert_eq!(serves(&[]), plain);
    assert_eq!(serves(&[("DATABASE_URL", "postgres"), ("REDIS_URL", "")]), plain, "its own");
    assert_eq!(serves(&[("DATABASE_URL", "sqlite://a.db?mode=rwc")]), plain, "a file");
    for (name, value) in [
        ("REDIS_URL", "rediss://a"),
        ("DATABASE_URL", "postgres://user:pa$(ss)w%rd@b/c"),
        ("S3_ENDPOINT", "https://c"),
        ("S3_BUCKET", "photos"),
        ("OPENAI_BASE_URL", "https://d/v1"),
        ("FEATURES", "tls"),
    ] {
        assert_eq!(serves(&[(name, value)]), tls, "{name}");
    }
    assert_eq!(serves(&[("REDIS_URL", "redis://a"), ("FEATURES", "")]), plain, "as it was told");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let mut found = Vec::new();
    for file in files() {
        // A picture or a recorded body is no text.
        let bytes = std::fs::read(crate::tree::root().join(&file)).unwrap();
        let Ok(text) = String::from_utf8(bytes) else { continue };
        found.extend(foreign(&file, &text));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_locked_crate_comes_from_the_public_registry() {
    let lock = read("Cargo.lock");
    let sources: Vec<_> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert!(!sources.is_empty());
    assert!(sources.iter().all(|source| source.trim_matches('"') == REGISTRY), "{sources:?}");
}

#[test]
fn a_path_of_a_machine_is_noticed() {
    let line = format!("let folder = \"{}alice/src\";", FOREIGN[1]);
    assert_eq!(foreign("a.rs", &line), [format!("a.rs:1: {}", FOREIGN[1])]);
    assert!(foreign("a.rs", "let folder = \"target/tools\";").is_empty());
}
