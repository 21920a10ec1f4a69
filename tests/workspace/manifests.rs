//! What each crate's manifest must say.

use serde_json::Value;

use crate::imports::{name, packages};
use crate::tree::read;

fn inherits_lints(manifest: &str) -> bool {
    let section = manifest.split("\n[lints]\n").nth(1).unwrap_or_default();
    section.lines().next().is_some_and(|line| line.replace(' ', "") == "workspace=true")
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    for package in packages() {
        let manifest = read(&format!("{}/Cargo.toml", name(&package)));
        assert!(inherits_lints(&manifest), "{}", name(&package));
    }
}

#[test]
fn a_manifest_without_the_lints_is_noticed() {
    assert!(inherits_lints("[package]\n\n[lints]\nworkspace = true\n"));
    assert!(!inherits_lints("[package]\n\n[lints]\nclippy.all = \"allow\"\n"));
    assert!(!inherits_lints("[package]\nworkspace = true\n"));
}

#[test]
fn every_crate_states_which_rust_it_needs() {
    for package in packages() {
        assert!(package["rust_version"].is_string(), "{}", name(&package));
    }
}

#[test]
fn nothing_is_published_by_accident() {
    for package in packages() {
        assert_eq!(package["publish"], Value::Array(Vec::new()), "{}", name(&package));
    }
}
