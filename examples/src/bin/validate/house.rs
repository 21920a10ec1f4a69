//! What cargo and git say of the repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::Fallible;
use crate::report::Report;

const CRATES: [&str; 6] =
    ["circuit-layer", "redis-service", "s3-service", "degradation", "examples", "tests"];

/// Those that the others may import.
const SERVICES: [&str; 4] = ["circuit-layer", "redis-service", "s3-service", "degradation"];

/// The groups of tests, by what selects them.
const GROUPS: [(&str, &[&str]); 8] = [
    ("circuit-layer", &["-p", "circuit-layer"]),
    ("redis-service", &["-p", "redis-service"]),
    ("s3-service", &["-p", "s3-service"]),
    ("degradation", &["-p", "degradation"]),
    ("examples", &["-p", "examples"]),
    ("tests: rules of the tree", &["-p", "tests", "--test", "workspace"]),
    ("tests: real servers", &["-p", "tests"]),
    ("examples in the docs", &["--doc", "--workspace"]),
];

pub(crate) fn root() -> Fallible<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().ok_or("no folder above the crate")?.to_path_buf())
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn run(program: &str, args: &[&str]) -> Fallible<Output> {
    Ok(Command::new(program).args(args).current_dir(root()?).output()?)
}

fn metadata() -> Fallible<Value> {
    let output = run(&cargo(), &["metadata", "--no-deps", "--format-version", "1"])?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Which toolchain, which system, which commit.
pub(crate) fn head() -> Fallible<String> {
    let line = |program: &str, args: &[&str]| -> Fallible<String> {
        let text = String::from_utf8(run(program, args)?.stdout)?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    };
    Ok(format!(
        "# Report of `make validate`\n\n{}, {}, commit {}\n",
        line("rustc", &["--version"])?,
        line(&cargo(), &["--version"])?,
        line("git", &["rev-parse", "--short", "HEAD"])?,
    ))
}

pub(crate) fn layout(report: &mut Report) -> Fallible<()> {
    let metadata = metadata()?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("no packages")?;
    report.equal("the workspace has six packages", CRATES.len(), packages.len());
    let root = root()?;
    for name in CRATES {
        let package = packages.iter().find(|package| package["name"] == name);
        let there = package.and_then(|package| package["manifest_path"].as_str());
        // From the root on: a report is read on other machines.
        let there = there.and_then(|path| Path::new(path).strip_prefix(&root).ok());
        let holds = there == Some(Path::new(name).join("Cargo.toml").as_path());
        let seen = there.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        report.check(format!("package {name} is in its folder"), seen, holds);
        let siblings = package.map(siblings).unwrap_or_default();
        let allowed: &[&str] = match name {
            "circuit-layer" => &[],
            "examples" | "tests" => &SERVICES,
            _ => &["circuit-layer"],
        };
        let holds = siblings.iter().all(|sibling| allowed.contains(&sibling.as_str()));
        report.check(format!("{name} imports downwards only"), siblings.join(", "), holds);
    }
    Ok(())
}

fn siblings(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    let names = all.filter_map(|one| one["name"].as_str());
    let mut names: Vec<_> = names.filter(|name| CRATES.contains(name)).map(str::to_owned).collect();
    names.dedup();
    names
}

pub(crate) fn build(report: &mut Report) -> Fallible<()> {
    let steps: [(&str, &[&str]); 4] = [
        ("everything builds", &["build", "--workspace", "--all-features"]),
        ("the format is the formatter's", &["fmt", "--all", "--check"]),
        (
            "no lint is broken",
            &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        ),
        ("the docs build", &["doc", "--workspace", "--all-features", "--no-deps"]),
    ];
    for (name, args) in steps {
        let output = run(&cargo(), args)?;
        let seen = if output.status.success() { "exit 0".to_owned() } else { last(&output.stderr) };
        report.check(name, seen, output.status.success());
    }
    Ok(())
}

pub(crate) fn tests(report: &mut Report) -> Fallible<()> {
    for (name, select) in GROUPS {
        let mut args = vec!["test", "--all-features", "--no-fail-fast"];
        // With `--tests` all of a package run, whichever is selected beside it.
        if !select.contains(&"--doc") && !select.contains(&"--test") {
            args.push("--tests");
        }
        args.extend(select);
        let output = run(&cargo(), &args)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (passed, failed) = (sum(&text, "passed"), sum(&text, "failed"));
        let names = text.lines().filter_map(|line| line.strip_suffix(" ... FAILED"));
        let names: String = names.map(|name| format!("; {name}")).collect();
        let seen = format!("{passed} passed, {failed} failed{names}");
        report.check(name, seen, output.status.success() && passed > 0 && failed == 0);
    }
    Ok(())
}

/// Over all lines `test result: ok. 3 passed; 0 failed; …`.
fn sum(text: &str, what: &str) -> u64 {
    let results = text.lines().filter_map(|line| line.strip_prefix("test result: "));
    let counts = results.flat_map(|line| line.split([';', '.']));
    counts.filter_map(|count| count.trim().strip_suffix(what)?.trim().parse::<u64>().ok()).sum()
}

pub(crate) fn tree(report: &mut Report) -> Fallible<()> {
    let status = String::from_utf8(run("git", &["status", "--porcelain"])?.stdout)?;
    // The report of the run before is what this run replaces.
    let dirty: Vec<_> = status.lines().filter(|line| !line.ends_with("tests/REPORT.md")).collect();
    report.check("nothing is left uncommitted", dirty.join(", "), dirty.is_empty());

    let locked = run(&cargo(), &["metadata", "--locked", "--format-version", "1"])?;
    report.check("Cargo.lock fits the manifests", locked.status, locked.status.success());

    let changelog = std::fs::read_to_string(root()?.join("CHANGELOG.md"))?;
    let head = changelog.split("\n## [Unreleased]").nth(1).unwrap_or_default();
    let entries = head.split("\n## ").next().unwrap_or_default();
    let entries = entries.lines().filter(|line| line.starts_with("- ")).count();
    report.check("the changelog tells what is new", format!("{entries} entries"), entries > 0);

    let date = |path: &str| -> Fallible<i64> {
        let out = run("git", &["log", "-1", "--format=%ct", "--", path])?.stdout;
        Ok(String::from_utf8(out)?.trim().parse()?)
    };
    let (sources, told) = (date("circuit-layer/src")?, date("CHANGELOG.md")?);
    let behind = sources.saturating_sub(told).div_euclid(86_400);
    report.check("the changelog keeps up with the breaker", format!("{behind} days"), behind < 30);
    Ok(())
}

fn last(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let errors = text.lines().filter(|line| line.starts_with("error"));
    errors.take(3).collect::<Vec<_>>().join("; ")
}
