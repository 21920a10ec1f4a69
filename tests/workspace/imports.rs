//! Which crate may depend on which: the picture at the top of `ARCHITECTURE.md`.

use std::process::Command;

use serde_json::Value;

use crate::tree::root;

const CRATES: &[&str] =
    &["circuit-layer", "degradation", "examples", "redis-service", "s3-service", "tests"];

/// What a crate of the workspace may depend on, in any kind of dependency.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "redis-service" | "s3-service" | "degradation" => &["circuit-layer"],
        "examples" | "tests" => &["circuit-layer", "degradation", "redis-service", "s3-service"],
        _ => &[],
    }
}

fn forbidden(name: &str, dependencies: &[&str]) -> Vec<String> {
    dependencies
        .iter()
        .filter(|other| CRATES.contains(other) && !allowed(name).contains(other))
        .map(|other| format!("{name} depends on {other}"))
        .collect()
}

/// The packages of the workspace, as cargo reads their manifests.
pub(crate) fn packages() -> Vec<Value> {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    metadata.get("packages").and_then(Value::as_array).unwrap().clone()
}

pub(crate) fn name(package: &Value) -> &str {
    package.get("name").and_then(Value::as_str).unwrap()
}

#[test]
fn the_workspace_is_the_six_crates_named_as_their_folders() {
    let packages = packages();
    let mut names: Vec<_> = packages.iter().map(name).collect();
    names.sort_unstable();
    assert_eq!(names, CRATES);
    for package in &packages {
        let manifest = root().join(name(package)).join("Cargo.toml");
        assert_eq!(package["manifest_path"].as_str(), manifest.to_str());
    }
}

#[test]
fn crates_import_downwards_only() {
    for package in packages() {
        let dependencies = package["dependencies"].as_array().unwrap();
        let names: Vec<_> = dependencies.iter().map(name).collect();
        assert_eq!(forbidden(name(&package), &names), Vec::<String>::new());
    }
}

#[test]
fn a_forbidden_import_is_noticed() {
    for (from, to) in [
        ("circuit-layer", "degradation"),
        ("redis-service", "s3-service"),
        ("degradation", "redis-service"),
        ("tests", "examples"),
        ("examples", "tests"),
    ] {
        assert_eq!(forbidden(from, &["tokio", to]), [format!("{from} depends on {to}")]);
    }
    assert!(forbidden("redis-service", &["tokio", "circuit-layer"]).is_empty());
}
